"""The mean face seen from the mouth and the lids: who belongs to which lip, and how far."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_CORNER_X = 23.6
_LENS_REACH_MM = 15.0


@dataclass(frozen=True, eq=False)
class FacialFrame:
    """What the expression fields are written in terms of; one row a vertex.

    Attributes:
        points: Mean positions, mm.
        lower: 0 on the upper lip and above, 1 on the lower lip and below, 1/2 at the corners,
            changing suddenly between the lips and slowly in the cheeks.
        line: Height of the mouth line at the vertex' x, mm.
        lip_gap: Distance of the resting lips at the vertex' x, mm.
        lid_upper, lid_lower: Height of the lids' edges at the vertex' x, mm.
        lid_depth: How much deeper the lower lid's edge lies than the upper's, mm.
    """

    points: Float[np.ndarray, "v 3"]
    lower: Float[np.ndarray, "v"]
    line: Float[np.ndarray, "v"]
    lip_gap: Float[np.ndarray, "v"]
    lid_upper: Float[np.ndarray, "v"]
    lid_lower: Float[np.ndarray, "v"]
    lid_depth: Float[np.ndarray, "v"]


def facial_frame(skin: Float[np.ndarray, "v 3"], curves: dict[str, np.ndarray]) -> FacialFrame:
    """Measure the mean skin."""
    across = np.abs(skin[:, 0])
    upper, lower = (_profile(skin, curves[f"inner_lip_{side}"]) for side in ("upper", "lower"))
    line_upper, line_lower = _height(across, upper), _height(across, lower)
    line = (line_upper + line_lower) / 2
    n_upper = len(curves["eye_r"]) // 2 + 1
    lid_upper = _profile(skin, curves["eye_r"][:n_upper])
    lid_lower = _profile(skin, np.append(curves["eye_r"][n_upper - 1 :], curves["eye_r"][0]))
    return FacialFrame(
        points=skin,
        lower=_lower_share(across, line - skin[:, 1]),
        line=line,
        lip_gap=np.maximum(line_upper - line_lower, 0.0),
        lid_upper=_height(across, lid_upper),
        lid_lower=_height(across, lid_lower),
        lid_depth=np.interp(across, lid_lower[:, 0], lid_lower[:, 2])
        - np.interp(across, lid_upper[:, 0], lid_upper[:, 2]),
    )


def smoothstep(low: float | np.ndarray, high: float | np.ndarray, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth in between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _lower_share(across: np.ndarray, below: np.ndarray) -> np.ndarray:
    width = np.interp(across, [20.0, 27.0, 34.0, 80.0], [0.4, 5.0, 13.0, 40.0])
    share = smoothstep(-width, width, below)
    # Lips that part are a lens, not a rectangle: towards the corners both sides share the motion.
    lens = np.sqrt(np.clip(1 - (across / _CORNER_X) ** 2, 0.0, 1.0))
    near_line = 1 - smoothstep(0.0, _LENS_REACH_MM, np.abs(below))
    near_mouth = 1 - smoothstep(30.0, 55.0, across)
    kept = 1 - (1 - lens) * near_line * near_mouth
    return 0.5 + (share - 0.5) * kept


def _profile(skin: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """The right half of a curve ordered by x."""
    half = skin[curve]
    half = half[half[:, 0] >= -1e-9]
    return half[np.argsort(half[:, 0])]


def _height(across: np.ndarray, profile: np.ndarray) -> np.ndarray:
    return np.interp(across, profile[:, 0], profile[:, 1])
