"""Joining pieces of one video, written one after the other, into one file with sound.

Nothing is encoded again: the pieces' packets are set one behind the other. So a video that was
written piece by piece, with or without a break, has the same pictures to the last bit.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from talkin.errors import FootageError
from talkin.files import replace_when_whole
from talkin.footage.audio import Audio
from talkin.footage.media import as_frame_rate, open_media, packets_of, video_stream
from talkin.footage.sound_track import SoundTrack, copied_track, encoded_track


def join_pieces(
    pieces: Sequence[Path], output: Path, fps: float | Fraction, audio: Audio | Path | None = None
) -> int:
    """Set pieces that `VideoWriter` wrote behind each other, whole or not at all.

    Args:
        pieces: Videos without sound, all of one size, rate and encoder setting, in order.
        output: The mp4 to write.
        fps: Their frames per second.
        audio: Samples, or a file whose sound is taken along, as `VideoWriter` does.

    Returns:
        The number of frames.

    Raises:
        FootageError: If a piece cannot be read or is of another kind, or the disk is full.
    """
    if not pieces:
        raise FootageError(f"{output}: there are no pieces to join")
    rate, n_frames = as_frame_rate(fps), 0
    try:
        with ExitStack() as stack:
            part = stack.enter_context(replace_when_whole(output))
            options = {"movflags": "+faststart"}
            joined = av.open(f"file:{part}", "w", format="mp4", options=options)
            stack.enter_context(joined)
            with open_media(pieces[0]) as first:
                source = video_stream(first, pieces[0])
                kind = source.codec_context.extradata
                target = joined.add_stream_from_template(source)
            sound = _sound(joined, audio, stack, 1 / rate)
            for packet in _packets(pieces, target, rate, kind):
                joined.mux(packet)
                n_frames += 1
                if sound is not None:
                    joined.mux(list(sound.until(n_frames / rate)))
            if sound is not None:
                joined.mux(list(sound.finish(n_frames / rate, 1 / rate)))
            joined.close()
    except (OSError, av.FFmpegError) as error:
        raise FootageError(f"{output} cannot be written: {error}") from error
    return n_frames


def _sound(
    joined: Any, audio: Audio | Path | None, stack: ExitStack, picture_s: Fraction
) -> SoundTrack | None:
    if audio is None:
        return None
    if isinstance(audio, Audio):
        return encoded_track(joined, audio)
    return copied_track(joined, Path(audio), stack, picture_s)


def _packets(pieces: Sequence[Path], target: Any, rate: Fraction, kind: bytes) -> Iterator[Any]:
    """The pictures of all pieces; each begins where the one before ended."""
    n_before = 0
    for piece in pieces:
        with open_media(piece) as container:
            stream = video_stream(container, piece)
            if stream.codec_context.extradata != kind:
                raise FootageError(f"{piece}: encoded otherwise than the pieces before it")
            n_own = 0
            for packet in packets_of(container, stream):
                if packet.pts is None or packet.dts is None or packet.size == 0:
                    continue
                shift = round(n_before / rate / packet.time_base)
                packet.pts += shift
                packet.dts += shift
                packet.stream = target
                n_own += 1
                yield packet
        n_before += n_own
