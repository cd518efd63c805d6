"""The first pass over a video: where its face is in each frame, and what it does."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from talkin.editing.report import StageClock
from talkin.editing.shots import cuts_of
from talkin.editing.unfinished import FollowedFace, UnfinishedEdit
from talkin.errors import NoFaceError
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.model import MorphableModel
from talkin.footage.detection import LandmarkSource
from talkin.footage.tracking import LandmarkTrack, TrackingConfig, track_landmarks
from talkin.footage.video import VideoInfo

Progress = Callable[[str, int, int], None]


class FaceFollower:
    """Follows the faces of one edit, and keeps what it found."""

    def __init__(
        self,
        model: MorphableModel,
        detector: LandmarkSource,
        clock: StageClock,
        tell: Progress,
        work: UnfinishedEdit,
    ) -> None:
        """Take what every video of the edit shares."""
        self._model, self._detector = model, detector
        self._clock, self._tell, self._work = clock, tell, work

    def follow(
        self,
        info: VideoInfo,
        name: str,
        tracking: TrackingConfig,
        fit: FitConfig,
        track: LandmarkTrack | None = None,
        geometry: Float[np.ndarray, "g"] | None = None,
    ) -> FollowedFace:
        """Track and fit the face of a video, unless that was done before.

        Args:
            info: The video.
            name: What it is in this edit, such as "footage"; what is found is kept under it.
            tracking: Whose face.
            fit: How to fit.
            track: The face's landmarks at the video's own rate, where they are known already.
            geometry: The person's, where other clips told it; else this video alone has to.

        Raises:
            NoFaceError: If no frame shows a face.
        """
        known = self._work.face(name)
        if known is not None:
            return known
        if track is None:
            track = self._detected(info, name, tracking)
        if not track.is_found.any():
            raise NoFaceError(_why_no_face(info, track))
        cuts = cuts_of(track)
        with self._clock.stage("fit"):
            parameters = fit_clip(
                track, self._model, fit, cuts=cuts, geometry=geometry, clip=str(info.path)
            )
        if not parameters.is_valid.any():
            raise NoFaceError(
                f"{info.path}: the face could not be fitted in any of its {len(parameters)} frames"
            )
        face = FollowedFace(parameters, cuts, list(track.notes))
        del track, parameters  # 4 kB a frame of dense points are needed no more
        return self._work.keep_face(name, face)

    def _detected(self, info: VideoInfo, name: str, tracking: TrackingConfig) -> LandmarkTrack:
        with self._clock.stage("track"):
            return track_landmarks(
                info.path,
                self._detector,
                tracking,
                info.fps,
                lambda done: self._tell(
                    f"following the face of the {name}", done, max(done, info.n_frames)
                ),
            )


def _why_no_face(info: VideoInfo, track: LandmarkTrack) -> str:
    reasons = "; ".join(track.notes[:3]) or "no face found"
    return (
        f"{info.path}: the face was not found in any of its {len(track)} frames ({reasons}); use "
        "footage that shows it larger, lit and unhidden"
    )
