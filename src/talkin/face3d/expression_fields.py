"""Action units of the embedded model as displacement fields, 1.0 being the full action.

Each field is a few smooth bumps at anatomical points times the masks of `mouth_frame`. Fields of
one side of the face are written for the picture's right; mirroring gives the left.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from talkin.face3d.mouth_frame import FacialFrame, smoothstep

Field = Float[np.ndarray, "v 3"]

_JAW_HINGE = (-20.0, -75.0)  # y, z

STANDARD_DEVIATIONS: dict[str, float] = {
    "jaw_open": 0.55,
    "jaw_side": 0.25,
    "jaw_forward": 0.25,
    "pucker": 0.4,
    "funnel": 0.35,
    "lips_close": 0.6,
    "lower_up": 0.35,
    "upper_down": 0.3,
    "press": 0.35,
    "roll_in_upper": 0.35,
    "roll_in_lower": 0.4,
    "roll_out_upper": 0.25,
    "roll_out_lower": 0.25,
    "chin_raise": 0.3,
    "cheek_puff": 0.25,
    "mouth_side": 0.2,
    "brow_inner_up": 0.35,
    "brow_squeeze": 0.25,
    "smile": 0.35,
    "stretch": 0.3,
    "frown": 0.25,
    "dimple": 0.25,
    "upper_up": 0.3,
    "lower_down": 0.3,
    "sneer": 0.3,
    "cheek_up": 0.3,
    "brow_outer": 0.35,
    "brow_down": 0.3,
    "blink": 0.45,
    "wide": 0.25,
    "squint": 0.3,
}
"""How much of each action a talking face shows; sided actions are listed once for both sides."""

_SIDES_ALIKE = {"blink": 0.97}
_SIDES_ALIKE_ELSEWHERE = 0.85


def action_fields(
    frame: FacialFrame, mirror: Int[np.ndarray, "v"]
) -> tuple[list[str], Float[np.ndarray, "v 3 actions"]]:
    """All fields with their names; sided ones end in `_l` and `_r` (of the picture)."""
    names: list[str] = []
    fields: list[Field] = []
    flip = np.array([-1.0, 1.0, 1.0])
    for name, compute in _CENTRAL.items():
        names.append(name)
        fields.append(compute(frame))
    for name, compute in _SIDED.items():
        right = compute(frame)
        names += [f"{name}_l", f"{name}_r"]
        fields += [right[mirror] * flip, right]
    return names, np.stack(fields, axis=2)


def action_covariance(names: list[str]) -> Float[np.ndarray, "actions actions"]:
    """Covariance of the actions: independent, but the two sides of a face mostly act together."""
    deviations = np.array([STANDARD_DEVIATIONS[_stem(name)] for name in names])
    alike = np.eye(len(names))
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j and _stem(name) == _stem(other):
                alike[i, j] = _SIDES_ALIKE.get(_stem(name), _SIDES_ALIKE_ELSEWHERE)
    return alike * deviations[:, None] * deviations[None, :]


def jaw_actions(points: Field, share: Float[np.ndarray, "v"]) -> dict[str, Field]:
    """Motions of the lower jaw for anything that hangs on it by `share`."""
    hinge_y, hinge_z = _JAW_HINGE
    front = smoothstep(hinge_z, hinge_z + 30, points[:, 2]) * share
    x = points[:, 0]
    drop = -np.maximum(points[:, 2] - hinge_z, 0.0) * 0.20 * share
    back = (points[:, 1] - hinge_y) * 0.10 * front
    return {
        "jaw_open": np.stack([0 * x, drop, back], axis=1),
        "jaw_side": np.stack([7.0 * front, 0 * x, 0 * x], axis=1),
        "jaw_forward": np.stack([0 * x, 0 * x, 5.0 * front], axis=1),
    }


def _stem(name: str) -> str:
    return name.removesuffix("_l").removesuffix("_r")


def _bump(
    frame: FacialFrame, centre: tuple[float, float, float], reach: tuple[float, float]
) -> np.ndarray:
    """Gaussian round a point: reach in mm across and along the face's height (depth: the mean)."""
    scaled = (frame.points - np.array(centre)) / np.array([*reach, sum(reach) / 2])
    return np.exp(-0.5 * (scaled**2).sum(1))


def _moved(weight: np.ndarray, x: float | np.ndarray, y: float | np.ndarray, z: float) -> Field:
    return np.stack(np.broadcast_arrays(weight * x, weight * y, weight * z), axis=1)


def _mouth(frame: FacialFrame, reach: tuple[float, float] = (22.0, 12.0)) -> np.ndarray:
    """1 over the lips, falling off around them; reach in mm beyond the lips' own size."""
    across = np.maximum(np.abs(frame.points[:, 0]) - 18.0, 0.0) / reach[0] * 1.6
    away = frame.line - frame.points[:, 1]
    along = np.maximum(np.abs(away) - 8.0, 0.0) / reach[1] * 1.6
    return np.exp(-0.5 * (across**2 + along**2)) * smoothstep(-45.0, -15.0, frame.points[:, 2])


def _jaw(name: str) -> Callable[[FacialFrame], Field]:
    def field(frame: FacialFrame) -> Field:
        moved = jaw_actions(frame.points, frame.lower)[name]
        if name == "jaw_open":  # the cheeks draw the corners in
            moved = moved + _moved(_mouth(frame), -0.07 * frame.points[:, 0], 0.0, -0.3)
        return moved

    return field


def _pucker(frame: FacialFrame) -> Field:
    weight = _mouth(frame)
    x, above = frame.points[:, 0], frame.points[:, 1] - frame.line
    forward = 6.0 * np.exp(-0.5 * (above / 9.0) ** 2) + 1.0
    return np.stack([-0.40 * x * weight, -0.06 * above * weight, forward * weight], axis=1)


def _funnel(frame: FacialFrame) -> Field:
    weight = _mouth(frame)
    x = frame.points[:, 0]
    parting = np.where(frame.lower < 0.5, 3.4, -4.2) * np.abs(2 * frame.lower - 1)
    return np.stack([-0.24 * x * weight, parting * weight, 4.5 * weight], axis=1)


def _lips_close(frame: FacialFrame) -> Field:
    """Bring the resting lips together; the rest of each lip follows less and less."""
    away = np.abs(frame.points[:, 1] - frame.line)
    weight = np.exp(-0.5 * (np.maximum(away - 1.0, 0.0) / 6.0) ** 2) * _mouth(frame)
    side = np.where(frame.points[:, 1] > frame.line, -1.0, 1.0)
    gap = np.where(np.abs(frame.points[:, 0]) < 24.0, frame.lip_gap, 0.0)
    return _moved(weight, 0.0, 0.52 * side * gap, 0.4)


def _lower_up(frame: FacialFrame) -> Field:
    return _moved(frame.lower * _bump(frame, (0, -80, 14), (17, 9)), 0.0, 5.0, 0.6)


def _upper_down(frame: FacialFrame) -> Field:
    return _moved((1 - frame.lower) * _bump(frame, (0, -69, 15), (17, 7)), 0.0, -4.0, 0.3)


def _press(frame: FacialFrame) -> Field:
    above = frame.points[:, 1] - frame.line
    weight = _mouth(frame, (14.0, 7.0))
    return _moved(weight, 0.02 * frame.points[:, 0], -0.28 * above, -1.8)


def _roll(side: str, direction: float) -> Callable[[FacialFrame], Field]:
    """Turn one lip about its outer edge: in over the teeth (+1) or out (-1)."""

    def field(frame: FacialFrame) -> Field:
        above = frame.points[:, 1] - frame.line
        own = 1 - frame.lower if side == "upper" else frame.lower
        weight = own * np.abs(2 * frame.lower - 1) * _mouth(frame, (12.0, 5.0))
        towards = -1.0 if side == "upper" else 1.0
        red = np.exp(-0.5 * (above / 7.0) ** 2)
        return _moved(weight, 0.0, direction * towards * 2.4, 0.0) + _moved(
            weight * red, 0.0, 0.0, -4.2 * direction
        )

    return field


def _chin_raise(frame: FacialFrame) -> Field:
    chin = _bump(frame, (0, -103, 14), (17, 12))
    lip = frame.lower * _bump(frame, (0, -82, 15), (17, 8))
    return _moved(chin, 0.0, 4.5, 1.2) + _moved(lip, 0.0, 2.6, 1.2)


def _cheek_puff(frame: FacialFrame) -> Field:
    sides = _bump(frame, (42, -64, -8), (15, 15)) + _bump(frame, (-42, -64, -8), (15, 15))
    lips = _bump(frame, (0, -68, 14), (18, 10))
    return _moved(sides, 5.0 * np.sign(frame.points[:, 0]), 0.0, 5.0) + _moved(lips, 0.0, 0.0, 1.5)


def _mouth_side(frame: FacialFrame) -> Field:
    return _moved(_mouth(frame), 5.0, 0.0, 0.0)


def _brow_inner_up(frame: FacialFrame) -> Field:
    weight = _bump(frame, (12, 19, 12), (13, 12)) + _bump(frame, (-12, 19, 12), (13, 12))
    return _moved(weight * _above_lids(frame), 0.0, 5.0, 0.4)


def _brow_squeeze(frame: FacialFrame) -> Field:
    right, left = (_bump(frame, (s * 14, 16, 12), (9, 10)) for s in (1, -1))
    return (_moved(right, -3.2, -1.5, 0.8) + _moved(left, 3.2, -1.5, 0.8)) * _above_lids(frame)[
        :, None
    ]


def _above_lids(frame: FacialFrame) -> np.ndarray:
    return smoothstep(1.0, 9.0, frame.points[:, 1])


def _smile(frame: FacialFrame) -> Field:
    corner = _bump(frame, (27, -74, -2), (13, 11))
    cheek = _bump(frame, (40, -48, 0), (15, 14))
    lip = _bump(frame, (14, -74, 9), (10, 9))
    return (
        _moved(corner, 6.5, 6.5, -4.5) + _moved(cheek, 1.5, 3.5, 2.0) + _moved(lip, 1.5, 0.5, -1.5)
    )


def _stretch(frame: FacialFrame) -> Field:
    corner = _bump(frame, (27, -76, -2), (14, 11))
    return _moved(corner, 7.5, -1.5, -5.0) + _moved(
        _bump(frame, (14, -76, 9), (10, 9)), 1.5, 0.0, -1.2
    )


def _frown(frame: FacialFrame) -> Field:
    return _moved(_bump(frame, (27, -76, -2), (12, 12)), 0.5, -6.5, -1.0)


def _dimple(frame: FacialFrame) -> Field:
    return _moved(_bump(frame, (28, -74, -3), (10, 9)), 3.5, 1.0, -5.0)


def _upper_up(frame: FacialFrame) -> Field:
    weight = (1 - frame.lower) * _bump(frame, (11, -68, 14), (10, 9))
    fold = _bump(frame, (22, -54, 6), (8, 9))
    return _moved(weight, 0.3, 5.0, 0.8) + _moved(fold, 0.3, 1.8, 0.8)


def _lower_down(frame: FacialFrame) -> Field:
    return _moved(frame.lower * _bump(frame, (11, -81, 14), (10, 10)), 0.8, -6.0, -0.5)


def _sneer(frame: FacialFrame) -> Field:
    return _moved(_bump(frame, (16, -41, 12), (8, 9)), 1.0, 3.6, 0.8) + _moved(
        (1 - frame.lower) * _bump(frame, (14, -64, 12), (9, 9)), 0.0, 2.5, 0.6
    )


def _cheek_up(frame: FacialFrame) -> Field:
    return _moved(_bump(frame, (39, -27, 0), (15, 11)), 0.3, 4.5, 1.8)


def _brow_outer(frame: FacialFrame) -> Field:
    weight = _bump(frame, (45, 20, -5), (15, 12)) * _above_lids(frame)
    return _moved(weight, 0.0, 6.5, 0.0)


def _brow_down(frame: FacialFrame) -> Field:
    weight = _bump(frame, (24, 19, 9), (16, 10)) * smoothstep(0.0, 10.0, frame.points[:, 1])
    return _moved(weight, -1.5, -5.0, 1.0)


def _lid_fall(frame: FacialFrame, reach: float) -> np.ndarray:
    """1 on the right upper lid's edge, falling to 0 `reach` mm above it; 0 elsewhere."""
    middle = (frame.lid_upper + frame.lid_lower) / 2
    own = (frame.points[:, 1] >= middle) & (frame.points[:, 0] > 0)
    return np.where(own, 1 - smoothstep(0.0, reach, frame.points[:, 1] - frame.lid_upper), 0.0)


def _lid_rise(frame: FacialFrame, reach: float) -> np.ndarray:
    middle = (frame.lid_upper + frame.lid_lower) / 2
    own = (frame.points[:, 1] < middle) & (frame.points[:, 0] > 0)
    return np.where(own, 1 - smoothstep(0.0, reach, frame.lid_lower - frame.points[:, 1]), 0.0)


def _lid_gap(frame: FacialFrame) -> np.ndarray:
    return np.maximum(frame.lid_upper - frame.lid_lower, 0.0)


def _blink(frame: FacialFrame) -> Field:
    """The upper lid does nine tenths of the way and bulges over the globe."""
    fall, rise, gap = _lid_fall(frame, 11.0), _lid_rise(frame, 7.0), _lid_gap(frame)
    open_share = gap / gap.max()
    depth = fall * (0.9 * frame.lid_depth * (gap > 0) + 1.0 * open_share)
    height = (0.10 * rise - 0.91 * fall) * gap
    return np.stack([0 * gap, height, depth + 0.4 * rise * open_share], axis=1)


def _wide(frame: FacialFrame) -> Field:
    gap = _lid_gap(frame)
    return _moved(_lid_fall(frame, 9.0) * gap / gap.max(), 0.0, 2.4, -0.3)


def _squint(frame: FacialFrame) -> Field:
    gap = _lid_gap(frame) / _lid_gap(frame).max()
    return _moved(_lid_rise(frame, 11.0) * gap, 0.0, 2.8, 0.5) + _moved(
        _lid_fall(frame, 9.0) * gap, 0.0, -1.2, 0.3
    )


_CENTRAL: dict[str, Callable[[FacialFrame], Field]] = {
    "jaw_open": _jaw("jaw_open"),
    "jaw_side": _jaw("jaw_side"),
    "jaw_forward": _jaw("jaw_forward"),
    "pucker": _pucker,
    "funnel": _funnel,
    "lips_close": _lips_close,
    "lower_up": _lower_up,
    "upper_down": _upper_down,
    "press": _press,
    "roll_in_upper": _roll("upper", 1.0),
    "roll_in_lower": _roll("lower", 1.0),
    "roll_out_upper": _roll("upper", -1.0),
    "roll_out_lower": _roll("lower", -1.0),
    "chin_raise": _chin_raise,
    "cheek_puff": _cheek_puff,
    "mouth_side": _mouth_side,
    "brow_inner_up": _brow_inner_up,
    "brow_squeeze": _brow_squeeze,
}

_SIDED: dict[str, Callable[[FacialFrame], Field]] = {
    "smile": _smile,
    "stretch": _stretch,
    "frown": _frown,
    "dimple": _dimple,
    "upper_up": _upper_up,
    "lower_down": _lower_down,
    "sneer": _sneer,
    "cheek_up": _cheek_up,
    "brow_outer": _brow_outer,
    "brow_down": _brow_down,
    "blink": _blink,
    "wide": _wide,
    "squint": _squint,
}
