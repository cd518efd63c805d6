"""How the embedded landmark nets misplace points, learned from drawn people.

Two parts, both linear in the points themselves, which are first brought to one size, turn and
place:

- where the points lie on the average of a shot, as a function of a few numbers that say mostly how
  the head is turned: seen from the side, above or below, the nets place points as if it were
  turned less;
- how the points move within a clip: the nets read too little motion from drawn lips.

The second part belongs to drawn faces. On filmed people it makes lips move half as much again and
pass through one another (measured: `docs/benchmarks.md`), so it is left out there, and of the first
part the lips only take the common shift.

The first part of the shipped file was learned from 48 people of one seed and 32 of another; the
second from 80 people of seed 7001, 16 pictures from the front and 12 from one other side, brought
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
_N_SQUARED = 3
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
        motion_axes: Main axes of motion within a clip, scaled to unit variance.
        motion_map: From amounts along them to what is to be added.
        is_lip: Which points are the lips'.
    """

    reference: Float[np.ndarray, "points 2"]
    centre: Float[np.ndarray, "points2"]
    turn_axes: Float[np.ndarray, "points2 k"]
    mean_map: Float[np.ndarray, "features points2"]
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
        turn, shot_of = np.ones(len(points), dtype=np.complex128), np.zeros(len(points), np.int64)
        for number, shot in enumerate(shots):
            shot_of[shot] = number
            found = np.flatnonzero(np.isfinite(points[shot]).all(axis=(1, 2))) + shot.start
            if len(found):
                brought, turn[found] = brought_to(points[found].astype(np.float64), self.reference)
                way[number] = self._mean_way(brought.reshape(len(found), -1))[0]
                way[number, self.is_lip] = way[number, self.is_lip].mean()
        return UndoneForPeople(points, way, turn, shot_of)

    def _in_shot(self, points: np.ndarray) -> np.ndarray:
        brought, turn = brought_to(points, self.reference)
        flat = brought.reshape(len(points), -1)
        moved = (flat - flat.mean(0)) @ self.motion_axes
        way = self._mean_way(flat) + _as_complex(moved @ self.motion_map)
        return _shifted(points, way * turn[:, None])

    def _mean_way(self, flat: Float[np.ndarray, "n points2"]) -> Complex[np.ndarray, "1 points"]:
        return _as_complex(self.features(flat.mean(axis=0, keepdims=True)) @ self.mean_map)

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
        points: As they were detected, px.
        way: Of each shot, in the size and turn of the reference.
        turn: Size and turn of each frame.
        shot_of: The shot of each frame.
    """

    points: Float[np.ndarray, "frames points 2"]
    way: Complex[np.ndarray, "shots points"]
    turn: Complex[np.ndarray, "frames"]
    shot_of: Int[np.ndarray, "frames"]

    def __getitem__(self, frames: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n points 2"]:
        """The points of some frames where the model's would be seen, px."""
        way = self.way[self.shot_of[frames]] * self.turn[frames][:, None]
        there = _shifted(self.points[frames].astype(np.float64), way)
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
    level = plane / turn[:, None]
    return np.stack([level.real, level.imag], axis=-1), turn


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
