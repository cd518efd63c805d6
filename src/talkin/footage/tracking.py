"""One person's landmarks through a clip, whoever else is in the picture.

Per frame: look where the face was last; where that fails, or the shot changed, search the picture
and take the face that belongs to the same person.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.footage.appearance import Appearance, appearance_of
from talkin.footage.cuts import CutFinder
from talkin.footage.detection import (
    ClipLandmarks,
    FaceDetector,
    FaceRegion,
    Landmarks,
    LandmarkSource,
)
from talkin.footage.landmarks import POINTS_OF_SCHEME, LandmarkTrack
from talkin.footage.overlap import ahead
from talkin.footage.track_notes import TrackNotes
from talkin.footage.video import Frame, iter_frames, probe_video

__all__ = ["LandmarkTrack", "TrackingConfig", "track_landmarks"]

Image = UInt8[np.ndarray, "height width 3"]
_ROWS_AHEAD = 500
_FRAMES_AHEAD = 3  # decoded while the nets look at the one before
# In one shot the light stays: a face that has jumped must look alike by this much.
_SAME_SHOT_LIKENESS = 0.8
_DARK, _BRIGHT = 25.0, 235.0  # mean grey level of a face beyond which its points are guesses


class TrackingConfig(BaseModel):
    """Whose face to follow, and how hard to look for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    which: Literal["largest", "left", "right"] | int = Field(
        default="largest",
        description="The face to follow, chosen where one is first seen: largest, left, right, or "
        "a number counting from the left, beginning with 1",
    )
    min_face_px: float = Field(
        default=16.0, ge=1, description="Faces lower than this count as not found"
    )
    recheck_s: float = Field(
        default=1.0, gt=0, description="Seconds after which the picture is searched all the same"
    )
    search_s: float = Field(
        default=0.4,
        gt=0,
        description="While no face is found: seconds between thorough searches for small and "
        "faint faces (the quick search runs on every frame)",
    )
    min_likeness: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="After a cut: least likeness in colours to the person followed before",
    )


def track_landmarks(
    path: Path,
    detector: LandmarkSource,
    config: TrackingConfig | None = None,
    fps: float | Fraction | None = None,
    progress: Callable[[int], None] | None = None,
) -> LandmarkTrack:
    """Follow one person's face through a clip.

    Memory does not grow with the clip but for the points themselves (4 kB a frame).

    Args:
        path: The video file.
        detector: What `detection.load_detector` gave.
        config: Whose face; None for the largest.
        fps: Frames per second of the rows; None for the file's own mean rate.
        progress: Called with the number of frames done.

    Returns:
        A row a frame. Frames without the face hold NaN, and the notes say which and why.

    Raises:
        FootageError: If the file cannot be read.
    """
    config = config or TrackingConfig()
    if isinstance(detector, ClipLandmarks):
        return detector.track(path, config, fps, progress)
    info = probe_video(path)
    rate = fps or info.fps
    follower = _Follower(detector, config, float(rate))
    rows = _Rows(POINTS_OF_SCHEME[detector.scheme])
    times: list[float] = []
    with closing(ahead(iter_frames(path, rate), _FRAMES_AHEAD)) as frames:
        for frame in frames:
            rows.append(follower.step(len(times), frame))
            times.append(frame.time_s)
            if progress is not None:
                progress(len(times))
    return LandmarkTrack(
        **rows.arrays(),
        scheme=detector.scheme,
        time_s=np.array(times),
        fps=float(rate),
        width=info.width,
        height=info.height,
        notes=follower.notes.lines(),
        cuts=tuple(follower.cuts),
    )


class _Rows:
    """What was found so far, in arrays that grow in their place: a list would take it all twice."""

    def __init__(self, count: int) -> None:
        self._points = np.empty((0, count, 2), np.float32)
        self._score: list[float] = []
        self._is_found: list[bool] = []

    def append(self, row: Landmarks | None) -> None:
        number = len(self._score)
        if number == len(self._points):
            self._points.resize((number + _ROWS_AHEAD, *self._points.shape[1:]), refcheck=False)
        self._points[number] = np.nan if row is None else row.points
        self._score.append(0.0 if row is None else row.score)
        self._is_found.append(row is not None)

    def arrays(self) -> dict[str, np.ndarray]:
        """One array of each kind; nothing may be appended after."""
        self._points.resize((len(self._score), *self._points.shape[1:]), refcheck=False)
        return {
            "points": self._points,
            "is_found": np.array(self._is_found, dtype=bool),
            "score": np.array(self._score, np.float32),
        }


@dataclass(frozen=True, eq=False)
class _Candidate:
    landmarks: Landmarks
    appearance: Appearance


class _Follower:
    """The state that follows one person from frame to frame."""

    def __init__(self, detector: FaceDetector, config: TrackingConfig, fps: float) -> None:
        self.notes = TrackNotes()
        self.cuts: list[int] = []
        self._detector, self._config = detector, config
        self._recheck = max(1, round(config.recheck_s * fps))
        self._search = max(1, round(config.search_s * fps))
        self._cut_finder = CutFinder()
        self._region: FaceRegion | None = None  # where the face was last, in this shot
        self._person: Appearance | None = None
        self._lost_for = 0
        self._since_check = 0

    def step(self, number: int, frame: Frame) -> Landmarks | None:
        if frame.is_lost:
            self.notes.mark(number, "could not be decoded, a neighbour is shown")
        if self._cut_finder.is_cut(frame.image):
            self.cuts.append(number)
            self.notes.say(f"cut at {frame.time_s:.1f} s (frame {number})")
            self._region, self._lost_for = None, 0
        landmarks = self._follow(frame.image, number) or self._find(frame.image, number)
        if landmarks is None:
            self._lost_for += 1
            self._since_check = 0
            return None
        self._region, self._lost_for = landmarks.region, 0
        self._remark_on_light(frame.image, landmarks, number)
        return landmarks

    def _follow(self, image: Image, number: int) -> Landmarks | None:
        """The face where it was in the frame before; None where it is not to be trusted there."""
        if self._region is None or self._lost_for:
            return None
        landmarks = self._detector.place_points(image, self._region)
        if landmarks.score < self._detector.min_score or not self._is_plausible(image, landmarks):
            return None
        self._since_check += 1
        if self._since_check >= self._recheck:
            self._since_check = 0
            if self._has_drifted(image, landmarks.region):
                return None
        if not self._is_large_enough(landmarks, number):
            return None
        return landmarks

    def _has_drifted(self, image: Image, region: FaceRegion) -> bool:
        """Whether the search finds faces, but none where this one is followed."""
        faces = self._detector.find_faces(image)
        self._count_faces(len(faces))
        return bool(faces) and all(face.overlap(region) < 0.2 for face in faces)

    def _find(self, image: Image, number: int) -> Landmarks | None:
        thorough = self._lost_for % self._search == 0
        candidates = self._candidates(image, thorough)
        chosen = self._choose(candidates, number)
        if chosen is None:
            return None
        if not self._is_large_enough(chosen.landmarks, number):
            return None
        if self._person is None:
            self._person = chosen.appearance
        return chosen.landmarks

    def _candidates(self, image: Image, thorough: bool) -> list[_Candidate]:
        candidates: list[_Candidate] = []
        for region in self._detector.find_faces(image, thorough):
            # The second look begins from the points of the first: a search is only rough.
            rough = self._detector.place_points(image, region)
            fine = self._detector.place_points(image, rough.region)
            is_face = fine.score >= self._detector.min_score and self._is_plausible(image, fine)
            is_new = all(fine.region.overlap(c.landmarks.region) < 0.5 for c in candidates)
            if is_face and is_new:
                candidates.append(_Candidate(fine, appearance_of(image, fine.points)))
        return candidates

    def _choose(self, candidates: list[_Candidate], number: int) -> _Candidate | None:
        self._count_faces(len(candidates))
        if not candidates:
            self.notes.mark(number, "no face found")
            return None
        if self._person is None:
            return self._by_rule(candidates, number)
        if self._region is not None:
            return self._by_place(candidates, self._region, number)
        return self._by_likeness(candidates, number, self._config.min_likeness)

    def _by_rule(self, candidates: list[_Candidate], number: int) -> _Candidate | None:
        which = self._config.which
        ordered = sorted(candidates, key=lambda candidate: candidate.landmarks.region.x)
        if which == "largest":
            return max(ordered, key=lambda candidate: candidate.landmarks.region.size)
        position = {"left": 1, "right": len(ordered)}.get(str(which), which)
        if not 1 <= int(position) <= len(ordered):
            self.notes.mark(number, f"only {len(ordered)} faces, number {which} was wanted")
            return None
        return ordered[int(position) - 1]

    def _by_place(
        self, candidates: list[_Candidate], last: FaceRegion, number: int
    ) -> _Candidate | None:
        """Within a shot nobody jumps: the nearest face, if the person can have got there."""

        def distance(candidate: _Candidate) -> float:
            region = candidate.landmarks.region
            return float(np.hypot(region.x - last.x, region.y - last.y))

        nearest = min(candidates, key=distance)
        if distance(nearest) <= last.size * (0.5 + 0.1 * self._lost_for):
            return nearest
        return self._by_likeness(candidates, number, _SAME_SHOT_LIKENESS)

    def _by_likeness(
        self, candidates: list[_Candidate], number: int, least: float
    ) -> _Candidate | None:
        def likeness(candidate: _Candidate) -> float:
            return candidate.appearance.likeness(self._person) if self._person else 1.0

        best = max(candidates, key=likeness)
        if likeness(best) < least:
            self.notes.mark(number, "only another person's face found")
            return None
        return best

    def _is_plausible(self, image: Image, landmarks: Landmarks) -> bool:
        height, width = image.shape[:2]
        region = landmarks.region
        is_inside = 0 <= region.x <= width and 0 <= region.y <= height
        return bool(is_inside and np.isfinite(landmarks.points).all())

    def _is_large_enough(self, landmarks: Landmarks, number: int) -> bool:
        height = float(np.ptp(landmarks.points[:, 1]))
        if height >= self._config.min_face_px:
            return True
        self.notes.mark(
            number,
            f"face only {height:.0f} px high: too small "
            f"(tracking.min_face_px is {self._config.min_face_px:g})",
        )
        return False

    def _count_faces(self, count: int) -> None:
        if count > 1:
            which = self._config.which
            chosen = {"largest": "the largest", "left": "the left one", "right": "the right one"}
            whom = chosen.get(str(which), f"number {which} from the left")
            self.notes.say(f"{count} faces: {whom} is followed")

    def _remark_on_light(self, image: Image, landmarks: Landmarks, number: int) -> None:
        (x0, y0), (x1, y1) = landmarks.points.min(axis=0), landmarks.points.max(axis=0)
        face = image[max(0, int(y0)) : int(y1) + 1 : 4, max(0, int(x0)) : int(x1) + 1 : 4]
        if face.size == 0:
            return
        level = float(face.mean())
        if level < _DARK:
            self.notes.mark(number, "the face is very dark, its points may be off")
        elif level > _BRIGHT:
            self.notes.mark(number, "the face is overexposed, its points may be off")
