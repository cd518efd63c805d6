"""Where the parts of an average face lie: the hand-set points that the embedded model grows from.

The numbers follow general anthropometric proportions; no scan and no third-party model is in
them. Axes as in `camera`: mm, x to the right of the picture, y up, z to the camera, bridge of the
nose at y = 0. Only the half x >= 0 is written down; the other half is its mirror image.
"""

import numpy as np
from jaxtyping import Float, Int

Point = tuple[float, float, float]

LANDMARKS: dict[int, Point] = {
    16: (70, -2, -68),
    15: (70, -21, -66),
    14: (68, -40, -62),
    13: (64, -59, -56),
    12: (57, -78, -47),
    11: (47, -94, -34),
    10: (33, -107, -17),
    9: (17, -116, -3),
    8: (0, -119, 3),
    22: (12, 16, 13),
    23: (24, 21, 9.5),
    24: (37, 21.5, 2),
    25: (49, 18, -8),
    26: (58, 10, -19),
    27: (0, 0, 9.5),
    28: (0, -12, 16),
    29: (0, -24, 23.5),
    30: (0, -36, 31),
    33: (0, -47, 21),
    34: (8, -46, 18),
    35: (16, -44, 11.5),
    42: (17, -6.5, -4.5),
    43: (26, -1, 0.5),
    44: (35.5, -0.8, -0.5),
    45: (44.5, -5, -9.5),
    46: (36, -10.5, -0.5),
    47: (27, -10.8, 0),
    54: (26, -75, -1),
    53: (15, -68.3, 10.5),
    52: (6, -65, 16),
    51: (0, -66.3, 17),
    55: (16.5, -82, 9),
    56: (8, -85.5, 14),
    57: (0, -86.5, 15),
    64: (22.8, -75.5, 1),
    63: (8, -73.45, 13.8),
    62: (0, -73.7, 15),
    65: (8, -75.05, 13.4),
    66: (0, -75.3, 14.5),
}
"""iBUG number -> mean position of the right half. The lips stand 1.7 mm apart."""

SURFACE_POINTS: dict[str, tuple[Point, ...]] = {
    "forehead": (
        (0, 12, 13.5),
        (0, 30, 14.5),
        (0, 50, 11),
        (0, 70, 0),
        (0, 90, -24),
        (0, 103, -55),
        (25, 35, 11),
        (25, 56, 6),
        (24, 76, -8),
        (45, 38, -1),
        (45, 58, -8),
        (42, 78, -25),
        (62, 24, -26),
        (63, 45, -36),
        (58, 66, -46),
        (40, 90, -52),
    ),
    "temple and side": (
        (66, 6, -36),
        (71, 12, -58),
        (73, 25, -78),
        (75, -10, -90),
        (70, 50, -78),
        (72, -40, -84),
    ),
    "brow ridge and upper lid": (
        (18, 9, 5),
        (31, 12, 5),
        (45, 11, -4),
        (22, 4, -0.5),
        (31, 5.2, 1),
        (41, 3.5, -4),
        (52, 3, -16),
    ),
    "nose": (
        (7.5, -3, 4.5),
        (4, -12, 12.5),
        (9.5, -14, 5),
        (5.5, -23, 18),
        (10.5, -24, 9.5),
        (6.5, -31, 24.5),
        (12, -33, 14.5),
        (7.5, -37.5, 26.5),
        (15.5, -39, 13.5),
        (20.5, -45, 6.5),
        (0, -42, 28),
    ),
    "lower lid": ((30, -16.5, 0.5), (19, -14, 0), (41, -14, -4.5), (50, -9, -14)),
    "cheek": (
        (20, -26, 4.5),
        (32, -27, 4),
        (45, -24, -3),
        (57, -14, -19),
        (54, -29, -10),
        (61, -24, -26),
        (66, -22, -44),
        (28, -40, 5.5),
        (38, -40, 3),
        (49, -44, -6),
        (58, -47, -24),
        (64, -42, -44),
        (25, -52, 5.5),
        (31, -62, 2),
        (34, -74, -3),
        (44, -61, -8),
        (53, -64, -24),
        (43, -80, -13),
        (50, -82, -30),
    ),
    "line between the lips": (
        (0, -74.5, 15),
        (8, -74.3, 13.9),
        (15.5, -74.8, 10.6),
        (22.8, -75.5, 1),
    ),
    "lips": (
        (0, -70, 18.4),
        (8, -69.5, 16.6),
        (0, -80.8, 18.6),
        (9, -79.8, 16.4),
        (17, -77.5, 9.2),
    ),
    "philtrum": ((0, -56, 17.2), (7, -57, 16), (14, -58, 11.5)),
    "chin": (
        (0, -92.5, 10.5),
        (10, -92, 9),
        (19, -89, 5.5),
        (31, -88, -3),
        (0, -104, 14.5),
        (10, -104, 11.5),
        (0, -112.5, 11.5),
        (21, -101, 4),
        (35, -97, -10),
    ),
    "underside of the jaw": (
        (0, -121, -12),
        (0, -118, -32),
        (20, -115, -26),
        (37, -104, -45),
        (47, -94, -64),
        (0, -112, -56),
        (25, -108, -60),
    ),
}

EYE_CENTRE: Point = (30.7, -5.6, -12.5)
EYE_RADIUS_MM = 11.5

NASOLABIAL: tuple[Point, ...] = ((22, -50, 7), (27, -58, 4), (31.5, -66, 0.5), (34, -76, -4))
"""The four cheek points of `mouth39`, from the nose to the mouth corner."""

_SWAPPED = {31: 35, 32: 34, 36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46, 48: 54, 49: 53}
_SWAPPED |= {50: 52, 55: 59, 56: 58, 60: 64, 61: 63, 65: 67}
_SWAPPED |= {index: 16 - index for index in range(8)} | {
    index: 43 - index for index in range(17, 22)
}


def mirrored_landmarks() -> Int[np.ndarray, "68"]:
    """For each iBUG point the one on the other side of the face (itself on the midline)."""
    swap = np.arange(68)
    for left, right in _SWAPPED.items():
        swap[left], swap[right] = right, left
    return swap


def mean_landmarks() -> Float[np.ndarray, "68 3"]:
    """The 68 landmark positions of the mean face, mm."""
    points = np.zeros((68, 3))
    swap = mirrored_landmarks()
    for index, point in LANDMARKS.items():
        points[index] = point
        points[swap[index]] = (-point[0] if swap[index] != index else 0.0, point[1], point[2])
    return points


def mirrored(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "all 3"]:
    """The points and, for those off the midline, their mirror images."""
    away = points[points[:, 0] > 0]
    return np.concatenate([points, away * np.array([-1.0, 1.0, 1.0])])
