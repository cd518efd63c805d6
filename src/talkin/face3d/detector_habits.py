"""How the embedded landmark nets misplace points, learned from drawn people.

Three parts, all linear in the points themselves, which are first brought to one size, turn and
place:

- where the points lie on the average of a shot, as a function of a few numbers that say mostly how
  the head is turned: seen from the side, above or below, the nets place points as if it were
  turned less;
- how they move as the head turns within a shot, read from points that no expression moves: a nod
  is read at two thirds of its size;
- how the points move within a clip: the nets read too little motion from drawn lips.

The third part belongs to drawn faces and holds the second. On filmed people it makes lips move half
as much again and pass through one another (measured: `docs/benchmarks.md`), so there the second
part stands in its place. Of the first the lips of filmed people only take the common shift, of the
second only what moves both lips alike: how far the mouth is open stays as the net saw it.

The first part of the shipped file was learned from 48 people of one seed and 32 of another; the
others from 80 people of seed 7001, 16 pictures from the front and 12 from one other side, brought
to the reference of the first.

`detector_habits.safetensors` is written by `python -m talkin.avatar.habits`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Complex, Float, Int
from safetensors.numpy import load_file, save_file

from talkin.files import replace_when_whole

HABITS_FILE = Path(__file__).with_name("detector_habits.safetensors")
Footage = Literal["people", "drawn"]
_N_SQUARED, _N_CROSSED = 3, 4
_FARTHEST = 3.5  # standard deviations


@dataclass(frozen=True, eq=False)
class DetectorHabits:
    """Linear maps from points to how far they are off, in units of the points' spread.

    Attributes:
        reference: The front face to which points are brought.
        centre: Mean of the points so brought, x and y of each in turn.
        turn_axes: Main axes of their spread, scaled to unit variance.
        mean_map: From (1, amounts along the axes, products of the first three) to x, then y of
            what is to be added.
        pose_axes: Main axes of how points that no expression moves move within a shot, scaled to
            unit variance; 0 at all other points.
        pose_map: From `pose_features` to what is to be added.
        motion_axes: Main axes of motion within a clip, scaled to unit variance.
        motion_map: From amounts along them to what is to be added.
        is_lip: Which points are the lips'.
    """

    reference: Float[np.ndarray, "points 2"]
    centre: Float[np.ndarray, "points2"]
    turn_axes: Float[np.ndarray, "points2 k"]
    mean_map: Float[np.ndarray, "features points2"]
    pose_axes: Float[np.ndarray, "points2 p"]
    pose_map: Float[np.ndarray, "pose_features points2"]
    motion_axes: Float[np.ndarray, "points2 m"]
    motion_map: Float[np.ndarray, "m points2"]
    is_lip: Bool[np.ndarray, "points"]

    def corrected(
        self, points: Float[np.ndarray, "frames points 2"], footage: Footage, shots: list[slice]
    ) -> Float[np.ndarray, "frames points 2"]:
        """The points where the model's would be seen.

        Args:
            points: Detected points, px; NaN where the face was not found.
            footage: `people` or `drawn`: whether what is true of drawn faces only is added.
            shots: The frames of every shot; nothing is averaged across them.
        """
        if footage == "people":
            return self.undone_for_people(points, shots)[np.arange(len(points))]
        result = points.copy()
        for shot in shots:
            found = np.flatnonzero(np.isfinite(points[shot]).all(axis=(1, 2))) + shot.start
            if len(found):
                result[found] = self._in_shot(points[found].astype(np.float64))
        return result

    def undone_for_people(
        self, points: Float[np.ndarray, "frames points 2"], shots: list[slice]
    ) -> "UndoneForPeople":
        """The same for filmed people, worked out for the frames that are asked for alone."""
        way = np.zeros((len(shots), points.shape[1]), dtype=np.complex128)
        mean = np.zeros((len(shots), len(self.centre)))
        turn, shot_of = np.ones(len(points), dtype=np.complex128), np.zeros(len(points), np.int64)
        for number, shot in enumerate(shots):
            shot_of[shot] = number
            found = np.flatnonzero(np.isfinite(points[shot]).all(axis=(1, 2))) + shot.start
            if len(found):
                brought, turn[found] = brought_to(points[found].astype(np.float64), self.reference)
                mean[number] = brought.reshape(len(found), -1).mean(0)
                way[number] = self._mean_way(mean[number][None])[0]
                way[number, self.is_lip] = way[number, self.is_lip].mean()
        return UndoneForPeople(self, points, mean, way, turn, shot_of)

    def way_of_turns(
        self, flat: Float[np.ndarray, "n points2"], mean: Float[np.ndarray, "n points2"]
    ) -> Complex[np.ndarray, "n points"]:
        """What the head's turns away from a shot's mean do to the points of filmed people.

        The lips' part is made a parabola across the mouth, so that it opens and closes nothing.
        """
        amounts = (mean - self.centre) @ self.turn_axes
        way = _as_complex(pose_features((flat - mean) @ self.pose_axes, amounts) @ self.pose_map)
        across = np.vander(self.reference[self.is_lip, 0], 3)
        way[:, self.is_lip] = way[:, self.is_lip] @ (across @ np.linalg.pinv(across)).T
        return way

    def _in_shot(self, points: np.ndarray) -> np.ndarray:
        brought, turn = brought_to(points, self.reference)
        flat = brought.reshape(len(points), -1)
        moved = (flat - flat.mean(0)) @ self.motion_axes
        way = self._mean_way(flat.mean(axis=0, keepdims=True)) + _as_complex(
            moved @ self.motion_map
        )
        return _shifted(points, way * turn[:, None])

    def _mean_way(self, mean: Float[np.ndarray, "n points2"]) -> Complex[np.ndarray, "n points"]:
        return _as_complex(self.features(mean) @ self.mean_map)

    def features(self, flat: Float[np.ndarray, "n points2"]) -> Float[np.ndarray, "n features"]:
        """What the first part is linear in."""
        return mean_features((flat - self.centre) @ self.turn_axes)

    def save(self, path: Path) -> None:
        """Write in half precision, whole or not at all."""
        with replace_when_whole(path) as part:
            # safetensors writes memory as it lies: a transposed array would come back scrambled.
            stored: dict[str, np.ndarray] = {
                name: value.astype(kind, order="C") for name, value, kind in self._stored()
            }
            save_file(stored, part)

    def _stored(self) -> Iterator[tuple[str, np.ndarray, type]]:
        for field in fields(self):
            value = getattr(self, field.name)
            yield field.name, value, np.uint8 if value.dtype == bool else np.float16


@dataclass(frozen=True, eq=False)
class UndoneForPeople:
    """Points whose habits are undone when they are asked for: a copy would be as large as they.

    Attributes:
        habits: What is undone.
        points: As they were detected, px.
        mean: Of the points of each shot, in the size and turn of the reference.
        way: What is added to all points of a shot, in the same.
        turn: Size and turn of each frame.
        shot_of: The shot of each frame.
    """

    habits: DetectorHabits
    points: Float[np.ndarray, "frames points 2"]
    mean: Float[np.ndarray, "shots points2"]
    way: Complex[np.ndarray, "shots points"]
    turn: Complex[np.ndarray, "frames"]
    shot_of: Int[np.ndarray, "frames"]

    def __getitem__(self, frames: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n points 2"]:
        """The points of some frames where the model's would be seen, px."""
        points, shot = self.points[frames].astype(np.float64), self.shot_of[frames]
        level, turn = levelled(points, self.turn[frames]), self.turn[frames][:, None]
        turned = self.habits.way_of_turns(level.reshape(len(points), -1), self.mean[shot])
        turned[~np.isfinite(turned)] = 0.0  # frames that miss some of their points
        there = _shifted(points, (self.way[shot] + turned) * turn)
        return there.astype(self.points.dtype)


def _shifted(points: np.ndarray, way: np.ndarray) -> np.ndarray:
    return points + np.stack([way.real, way.imag], axis=-1)


def mean_features(amounts: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n features"]:
    """1, the amounts, and the products of the first three."""
    amounts = np.clip(amounts, -_FARTHEST, _FARTHEST)  # points of no face must not be driven off
    first = amounts[:, :_N_SQUARED]
    rows, columns = np.triu_indices(first.shape[1])
    products = first[:, rows] * first[:, columns]
    return np.concatenate([np.ones((len(amounts), 1)), amounts, products], axis=1)


def pose_features(
    moved: Float[np.ndarray, "n p"], amounts: Float[np.ndarray, "#n k"]
) -> Float[np.ndarray, "n pose_features"]:
    """How the head has turned in the shot, and that times how it is turned on the average.

    Args:
        moved: Amounts along the pose axes.
        amounts: Amounts of the shot's mean along the turn axes.
    """
    moved = np.clip(moved, -_FARTHEST, _FARTHEST)
    usual = np.clip(amounts[:, :_N_SQUARED], -_FARTHEST, _FARTHEST)
    crossed = moved[:, None, :_N_CROSSED] * usual[:, :, None]
    return np.concatenate([moved, crossed.reshape(len(moved), -1)], axis=1)


def brought_to(
    points: Float[np.ndarray, "n points 2"], reference: Float[np.ndarray, "points 2"]
) -> tuple[Float[np.ndarray, "n points 2"], Complex[np.ndarray, "n"]]:
    """Points in the size, turn and place of a centred reference; and the size and turn they had.

    The plane is taken for complex numbers: turning and scaling is one multiplication.
    """
    centred = points - points.mean(axis=1, keepdims=True)
    plane = centred[..., 0] + 1j * centred[..., 1]
    goal = reference[:, 0] + 1j * reference[:, 1]
    turn = (plane @ goal.conj()) / (np.abs(goal) ** 2).sum()
    turn = np.where(np.abs(turn) > 0, turn, 1.0)
    return levelled(points, turn), turn


def levelled(
    points: Float[np.ndarray, "n points 2"], turn: Complex[np.ndarray, "n"]
) -> Float[np.ndarray, "n points 2"]:
    """Points about their mean, freed of the size and turn they have."""
    centred = points - points.mean(axis=1, keepdims=True)
    level = (centred[..., 0] + 1j * centred[..., 1]) / turn[:, None]
    return np.stack([level.real, level.imag], axis=-1)


@lru_cache(maxsize=1)
def shipped_habits() -> DetectorHabits:
    """What was learned for the embedded nets."""
    stored = load_file(HABITS_FILE)
    arrays = {name: value.astype(np.float64) for name, value in stored.items()}
    arrays["is_lip"] = stored["is_lip"].astype(bool)
    return DetectorHabits(**arrays)


def _as_complex(flat: Float[np.ndarray, "n points2"]) -> Complex[np.ndarray, "n points"]:
    half = flat.shape[1] // 2
    return flat[:, :half] + 1j * flat[:, half:]
