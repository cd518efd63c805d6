"""A clip on disk, as the catalog hands it out: nothing is decoded until asked for."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkin.footage.audio import Audio
    from talkin.footage.video import Frame, VideoInfo

_LARGEST_EMBEDDED = 20_000_000


@dataclass(frozen=True)
class VideoClip:
    """One video file."""

    path: Path

    @property
    def info(self) -> "VideoInfo":
        """Size, rate and length."""
        from talkin.footage.video import probe_video

        return probe_video(self.path)

    @property
    def audio(self) -> "Audio":
        """Its sound, 16 kHz mono."""
        from talkin.footage.audio import read_audio

        return read_audio(self.path)

    def frames(self, fps: float | None = None) -> Iterator["Frame"]:
        """Its pictures, streamed, at a constant rate."""
        from talkin.footage.video import iter_frames

        return iter(iter_frames(self.path, fps))

    def _repr_html_(self) -> str:
        """A player, in a notebook."""
        size = self.path.stat().st_size
        if size > _LARGEST_EMBEDDED:
            return f"<p>{self.path.name}: {size / 1e6:.0f} MB, too large to show here</p>"
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f'<video controls width="480" src="data:video/mp4;base64,{data}"></video>'
