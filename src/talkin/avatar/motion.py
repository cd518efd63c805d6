"""How a synthetic speaker's head moves, blinks and raises its brows while talking."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkin.avatar.visemes import action_unit_matrix
from talkin.errors import ConfigurationError

View = Literal["front", "left30", "left60", "right30", "right60", "up30", "down30"]

# (pitch, yaw) in degrees. Left and right are the picture's; positive pitch looks down.
VIEWS: dict[str, tuple[float, float]] = {
    "front": (0.0, 0.0),
    "left30": (0.0, -30.0),
    "left60": (0.0, -60.0),
    "right30": (0.0, 30.0),
    "right60": (0.0, 60.0),
    "up30": (-30.0, 0.0),
    "down30": (30.0, 0.0),
}
_ROTATION_STD_RAD = np.array([0.05, 0.14, 0.035])
_TURNED_SHARE = 0.45  # a head held aside sways less, or it would leave its view
_TRANSLATION_STD_PX = 3.0
_SCALE_STD = 0.01
_TREMOR_SHARE = 0.03
_HOLD_PROBABILITY = 0.35
_BLINK_DOWN_S, _BLINK_UP_S = 0.07, 0.14


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """Rigid motion of the head, to be added to a camera's framing.

    Attributes:
        rotation: (pitch, yaw, roll) in radians, the view included.
        translation_px: Movement in the picture (x right, y down), at a footage of 256 px; scale
            it with the picture.
        scale_factor: Factor on the camera's scale, around 1.
    """

    rotation: Float[np.ndarray, "frames 3"]
    translation_px: Float[np.ndarray, "frames 2"]
    scale_factor: Float[np.ndarray, "frames"]


def head_motion(seed: int, n: int, fps: float, view: View = "front") -> HeadMotion:
    """Make smooth head motion around a view, with moments in which the head rests.

    Args:
        seed: Another seed gives another motion.
        n: Frames.
        fps: Frames a second.
        view: Where the head faces on average.

    Raises:
        ConfigurationError: If the view is not known.
    """
    if view not in VIEWS:
        raise ConfigurationError(f"view: {view!r} is not known, use one of {', '.join(VIEWS)}")
    rng = np.random.default_rng([seed, 1])
    sway = _sway(rng, n, fps, 6)
    share = 1.0 if view == "front" else _TURNED_SHARE
    pitch, yaw = np.deg2rad(VIEWS[view])
    return HeadMotion(
        rotation=np.array([pitch, yaw, 0.0]) + sway[:, :3] * _ROTATION_STD_RAD * share,
        translation_px=sway[:, 3:5] * _TRANSLATION_STD_PX,
        scale_factor=1.0 + sway[:, 5] * _SCALE_STD,
    )


def upper_face(seed: int, n: int, fps: float) -> Float[np.ndarray, "frames expression"]:
    """Make blinks, brow raises and a slow drift of the smile.

    Args:
        seed: Another seed gives another sequence.
        n: Frames.
        fps: Frames a second.

    Returns:
        Expression coefficients (29) of the embedded face model, to be added to the mouth's.
    """
    rng = np.random.default_rng([seed, 2])
    blink = blinks(rng, n, fps)
    drift = _sway(rng, n, fps, 4)
    raised = np.clip(drift[:, 0], 0.0, 2.0)
    smile = 0.10 + 0.06 * drift[:, 1]
    units = {
        "blink": blink,
        "brow_inner_up": 0.25 * raised,
        "brow_outer": 0.22 * raised,
        "brow_down": 0.12 * np.clip(drift[:, 2], 0.0, 2.0),
        "squint": 0.08 * np.clip(drift[:, 3], 0.0, 2.0),
        "smile": smile,
    }
    return sum(
        (track[:, None] * action_unit_matrix((name,)) for name, track in units.items()),
        start=np.zeros(1),
    )


def blinks(rng: np.random.Generator, n: int, fps: float) -> Float[np.ndarray, "frames"]:
    """Lid closure per frame, 0 open to 1 shut: 70 ms down, 140 ms up, every 3 s or so."""
    time_s = np.arange(n) / fps
    closure = np.zeros(n)
    at = float(rng.gamma(4.0, 0.4))
    while at < n / fps:
        since = time_s - at
        falling = np.clip(1.0 + since / _BLINK_DOWN_S, 0.0, 1.0) * (since <= 0)
        rising = np.clip(1.0 - since / _BLINK_UP_S, 0.0, 1.0) * (since > 0)
        closure = np.maximum(closure, falling + rising)
        at += 0.3 + float(rng.gamma(4.0, 0.8))
    return closure


def _sway(
    rng: np.random.Generator, n: int, fps: float, channels: int
) -> Float[np.ndarray, "frames channels"]:
    """Unit-variance smooth curves that sometimes hold still, with a little tremor."""
    duration = n / fps
    knots_s = np.cumsum(rng.uniform(0.4, 1.3, size=int(duration / 0.4) + 6)) - 1.3
    values = rng.standard_normal((len(knots_s), channels))
    for knot in range(1, len(knots_s)):
        if rng.random() < _HOLD_PROBABILITY:
            values[knot] = values[knot - 1]
    time_s = np.arange(n) / fps
    slow = PchipInterpolator(knots_s, np.clip(values, -2.2, 2.2))(time_s)
    phases = rng.uniform(0, 2 * np.pi, channels)
    rates_hz = rng.uniform(0.7, 1.6, channels)
    tremor = np.sin(2 * np.pi * rates_hz * time_s[:, None] + phases)
    return slow + _TREMOR_SHARE * tremor
