"""Landmarks computed elsewhere: a `LandmarkTrack` Parquet file a clip."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from talkin.errors import FootageError
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.media import as_frame_rate
from talkin.footage.video import probe_video

if TYPE_CHECKING:
    from talkin.footage.tracking import TrackingConfig


class SavedLandmarks:
    """Reads one file, or of a folder `<clip>.parquet`: the video file's name without its suffix."""

    def __init__(self, place: Path) -> None:
        """Take the Parquet file of a `LandmarkTrack`, whichever clip it is of, or a folder."""
        self.place = Path(place)

    def track(
        self,
        path: Path,
        config: "TrackingConfig",
        fps: float | Fraction | None,
        progress: Callable[[int], None] | None,
    ) -> LandmarkTrack:
        """Landmarks of one clip, resampled to `fps`.

        Raises:
            FootageError: If there is no such file, or it belongs to pictures of another size.
        """
        file = self.place
        if file.is_dir():
            file /= f"{Path(path).stem}.parquet"
        if not file.is_file():
            raise FootageError(f"{file}: no landmarks for {path} there")
        track = LandmarkTrack.load(file)
        info = probe_video(path)
        if (track.width, track.height) != (info.width, info.height):
            raise FootageError(
                f"{file}: landmarks for pictures of {track.width} x {track.height} px, "
                f"but {path} is {info.width} x {info.height} px"
            )
        rate = as_frame_rate(fps or info.fps)
        resampled = resample_track(track, rate, max(1, round(info.duration_s * rate)))
        if progress is not None:
            progress(len(resampled))
        return resampled


def resample_track(track: LandmarkTrack, fps: float | Fraction, n_frames: int) -> LandmarkTrack:
    """The track at another frame rate: points interpolated linearly in time.

    A row is found where the face was found on both sides of it. Rows more than one frame beyond
    the track's end are not found.
    """
    time_s = np.arange(n_frames) / float(fps)
    if len(track) == n_frames and np.allclose(time_s, track.time_s, atol=1e-3 / float(fps)):
        return track
    if len(track) == 0:
        raise FootageError("a landmarks file without a frame cannot be used")
    after = np.clip(np.searchsorted(track.time_s, time_s), 0, len(track) - 1)
    before = np.maximum(after - 1, 0)
    span = track.time_s[after] - track.time_s[before]
    along = np.where(span > 0, (time_s - track.time_s[before]) / np.where(span > 0, span, 1), 1.0)
    along = np.clip(along, 0, 1)
    is_near = time_s <= track.time_s[-1] + 1 / track.fps
    is_found = is_near & _both(track.is_found[before], track.is_found[after], along)
    mixed = _mixed(track.points[before], track.points[after], along[:, None, None])
    score = _mixed(track.score[before], track.score[after], along)
    return replace(
        track,
        points=np.where(is_found[:, None, None], mixed, np.nan).astype(np.float32),
        is_found=is_found,
        score=np.where(is_found, score, 0).astype(np.float32),
        time_s=time_s,
        fps=float(fps),
        cuts=tuple(int(np.searchsorted(time_s, track.time_s[cut] - 1e-6)) for cut in track.cuts),
    )


def _both(before: np.ndarray, after: np.ndarray, along: np.ndarray) -> np.ndarray:
    return (before | (along >= 1)) & (after | (along <= 0))


def _mixed(before: np.ndarray, after: np.ndarray, along: np.ndarray) -> np.ndarray:
    # A neighbour of weight 0 must not pass its NaN on.
    return np.where(
        along <= 0, before, np.where(along >= 1, after, before + along * (after - before))
    )
