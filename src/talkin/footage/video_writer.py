"""Writing a video that plays everywhere: H.264 and AAC in an mp4 that is whole or absent."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from jaxtyping import UInt8

from talkin.errors import FootageError
from talkin.files import replace_when_whole
from talkin.footage.audio import Audio
from talkin.footage.colour import Colours, video_frame
from talkin.footage.media import as_frame_rate
from talkin.footage.sound_track import SoundTrack, copied_track, encoded_track

# A fixed number, because x264's bytes depend on it: the same pictures give the same file anywhere.
_ENCODER_THREADS = 4
# x264's macroblock tree reads memory that it has not written (seen at 160 x 120, 320 x 240): with
# it the same pictures give another file whenever the memory held something else before.
_REPEATABLE = {"mbtree": "0"}


class VideoWriter:
    """Write pictures, and sound, as an mp4; used in a `with` block.

    H.264 needs even sizes: an odd width or height grows by one pixel, the last column or row
    repeated. The clip lasts frames / fps; the sound is cut there, and a shorter `Audio` is
    followed by silence. An exception inside the block leaves no file, and an older one untouched.

    Example:
        with VideoWriter(path, 640, 480, 25, audio=audio) as writer:
            writer.write(image)
    """

    def __init__(  # noqa: PLR0913 - a property of the file each
        self,
        path: Path,
        width: int,
        height: int,
        fps: float | Fraction,
        audio: Audio | Path | None = None,
        *,
        crf: float = 17.0,
        preset: str = "veryfast",
        colours: Colours | None = None,
    ) -> None:
        """Plan the file; nothing is written until the block begins.

        Args:
            path: Where the mp4 shall stand.
            width: Of the pictures that will come, px.
            height: The same.
            fps: Frames per second; 29.97002997 is taken for 30000/1001.
            audio: Samples, or a file whose sound is taken along untouched where mp4 can hold it
                (else encoded anew); its time 0 is that file's first picture.
            crf: x264's constant quality: 0 lossless, 17 no visible loss, 51 worst.
            preset: x264's speed, "ultrafast" to "placebo".
            colours: How the pictures are coded, such as the footage's own; None for BT.709.

        Raises:
            FootageError: If the size or rate is out of range.
        """
        if not (1 <= width <= 16384 and 1 <= height <= 16384):
            raise FootageError(f"{path}: a picture of {width} x {height} px cannot be written")
        self.path = Path(path)
        self.width, self.height = width, height
        self.rate = as_frame_rate(fps)
        self.n_frames = 0
        self._audio = audio
        self._colours = colours or Colours()
        self._options = {"crf": f"{crf:g}", "preset": preset, **_REPEATABLE}
        self._stack = ExitStack()
        self._container: Any = None
        self._stream: Any = None
        self._sound: SoundTrack | None = None

    def __enter__(self) -> Self:
        """Open the file beside its goal."""
        with ExitStack() as stack:
            try:
                part = stack.enter_context(replace_when_whole(self.path))
                self._container = av.open(
                    f"file:{part}", "w", format="mp4", options={"movflags": "+faststart"}
                )
            except (OSError, av.FFmpegError) as error:
                raise FootageError(f"{self.path} cannot be written: {error}") from error
            stack.callback(self._container.close)
            self._stream = self._picture_stream()
            self._sound = self._sound_track(stack)
            self._stack = stack.pop_all()
        return self

    def write(self, image: UInt8[np.ndarray, "height width 3"]) -> None:
        """Append one RGB picture.

        Raises:
            FootageError: If it has another size or type than promised, or the disk is full.
        """
        if image.shape != (self.height, self.width, 3) or image.dtype != np.uint8:
            raise FootageError(
                f"{self.path}: picture {self.n_frames} is {image.shape} {image.dtype}, "
                f"({self.height}, {self.width}, 3) uint8 was promised"
            )
        frame = video_frame(_even(image), self._colours)
        frame.pts, frame.time_base = self.n_frames, 1 / self.rate
        self._mux(self._stream.encode(frame))
        self.n_frames += 1
        if self._sound is not None:
            self._mux(self._sound.until(self.n_frames / self.rate))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file and put it in place, or remove what was begun."""
        with self._stack as stack:
            if kind is None:
                self._finish()
            elif not stack.__exit__(kind, error, trace):
                return

    def _finish(self) -> None:
        if self.n_frames == 0:
            raise FootageError(f"{self.path}: no picture was written, so there is no video")
        self._mux(self._stream.encode(None))
        if self._sound is not None:
            self._mux(self._sound.finish(self.n_frames / self.rate, 1 / self.rate))
        self._close()

    def _mux(self, packets: Any) -> None:
        try:
            for packet in packets:
                self._container.mux(packet)
        except (OSError, av.FFmpegError) as error:
            raise FootageError(f"{self.path} cannot be written: {error}") from error

    def _close(self) -> None:
        """Write the index and move it to the front; a full disk may show only here."""
        try:
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            raise FootageError(f"{self.path} cannot be written: {error}") from error

    def _picture_stream(self) -> Any:
        stream = self._container.add_stream("libx264", rate=self.rate, options=self._options)
        stream.width, stream.height = self.width + self.width % 2, self.height + self.height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self.rate
        context.thread_count = _ENCODER_THREADS
        colours = self._colours
        context.colorspace, context.color_range = colours.matrix, colours.colour_range
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        return stream

    def _sound_track(self, stack: ExitStack) -> SoundTrack | None:
        if self._audio is None:
            return None
        if isinstance(self._audio, Audio):
            return encoded_track(self._container, self._audio)
        return copied_track(self._container, Path(self._audio), stack, 1 / self.rate)


def _even(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
