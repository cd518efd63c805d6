"""Phonemes to the movement of the mouth.

A phoneme has one of twenty visemes (a diphthong two, in turn), a viseme is a recipe of action
units, and neighbouring visemes blend by dominance functions (Cohen and Massaro 1993):

    u(t) = sum_i D_i w_i(t) u_i / sum_i D_i w_i(t),   w_i(t) = exp(-(|t - c_i| / S_i)^1.6)

D is how hard a sound insists on its shape (lips must meet for p, b and m), S how far it reaches.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from talkin.avatar.speech import SILENCE, Phoneme, Speech
from talkin.face3d.gaussian_process import action_units

# A unit that is named here without a side moves both sides alike.
RECIPES: dict[str, dict[str, float]] = {
    "sil": {"lips_close": 0.9, "press": 0.1},
    "A": {"jaw_open": 0.62, "lower_down": 0.25, "upper_up": 0.1},
    "a": {"jaw_open": 0.50, "lower_down": 0.3, "upper_up": 0.15, "stretch": 0.25},
    "E": {"jaw_open": 0.34, "lower_down": 0.25, "upper_up": 0.1, "stretch": 0.3},
    "I": {"jaw_open": 0.15, "lower_down": 0.2, "upper_up": 0.12, "stretch": 0.35, "smile": 0.2},
    "@": {"jaw_open": 0.26, "lower_down": 0.15},
    "O": {"jaw_open": 0.46, "funnel": 0.5, "pucker": 0.2},
    "U": {"jaw_open": 0.18, "pucker": 0.75, "funnel": 0.3},
    "o": {"jaw_open": 0.32, "pucker": 0.5, "funnel": 0.45},
    "r": {"jaw_open": 0.18, "pucker": 0.35, "funnel": 0.35},
    "m": {"lips_close": 1.25, "press": 0.35},
    "f": {"jaw_open": 0.08, "roll_in_lower": 0.75, "lower_up": 0.35, "upper_up": 0.15},
    "s": {"jaw_open": 0.06, "lower_down": 0.28, "upper_up": 0.15, "stretch": 0.3},
    "T": {"jaw_open": 0.16, "lower_down": 0.22, "upper_up": 0.05},
    "S": {"jaw_open": 0.10, "funnel": 0.65, "pucker": 0.25},
    "t": {"jaw_open": 0.14, "lower_down": 0.2},
    "k": {"jaw_open": 0.22, "lower_down": 0.1},
    "l": {"jaw_open": 0.24, "lower_down": 0.2, "upper_up": 0.1},
    "w": {"jaw_open": 0.08, "pucker": 1.0},
    "h": {"jaw_open": 0.28, "lower_down": 0.1},
}
_DOMINANCE = {"sil": 0.7, "m": 6.0, "f": 3.5, "w": 3.5, "S": 1.6, "h": 0.4, "k": 0.6, "t": 0.7}
_STRESSED = 1.3
_FIRM_REACH_S = 0.032
_FIRM = frozenset("mfw")
_REACH_S = 0.045
_REACH_SHARE = 0.55
_CLOSURE_CENTRE_S = 0.035  # a stop is shaped before its release, which follows 55 ms after closing
_SILENCE_EDGE_S = 0.09  # lips begin to part this long before the first sound
BILABIALS = frozenset("pbm")

_VISEMES_OF: dict[str, tuple[str, ...]] = {
    "A": ("A",),
    "aa": ("a",),
    "a": ("a",),
    "a#": ("@",),
    "aI": ("a", "I"),
    "aU": ("a", "U"),
    "aI@": ("a", "I", "@"),
    "aU@": ("a", "U", "@"),
    "A@": ("A", "r"),
    "E": ("E",),
    "eI": ("E", "I"),
    "e@": ("E", "r"),
    "e": ("E",),
    "I": ("I",),
    "i": ("I",),
    "i@": ("I", "@"),
    "i@3": ("I", "r"),
    "@": ("@",),
    "@L": ("@", "l"),
    "V": ("@",),
    "3": ("r",),
    "0": ("A",),
    "O": ("O",),
    "OI": ("O", "I"),
    "O@": ("O", "r"),
    "o": ("o",),
    "oU": ("o", "U"),
    "o@": ("o", "r"),
    "U": ("U",),
    "u": ("U",),
    "U@": ("U", "r"),
    "p": ("m",),
    "b": ("m",),
    "m": ("m",),
    "f": ("f",),
    "v": ("f",),
    "T": ("T",),
    "D": ("T",),
    "s": ("s",),
    "z": ("s",),
    "S": ("S",),
    "Z": ("S",),
    "tS": ("S",),
    "dZ": ("S",),
    "t": ("t",),
    "d": ("t",),
    "n": ("t",),
    "k": ("k",),
    "g": ("k",),
    "N": ("k",),
    "x": ("k",),
    "l": ("l",),
    "r": ("r",),
    "w": ("w",),
    "j": ("I",),
    ";": ("I",),
    "h": ("h",),
    "?": ("h",),
    SILENCE: ("sil",),
}


@dataclass(frozen=True)
class _Pose:
    """One viseme in time."""

    viseme: str
    centre_s: float
    reach_s: float
    plateau_s: float
    dominance: float


def visemes_of(symbol: str) -> tuple[str, ...]:
    """Viseme or visemes of an espeak-ng mnemonic; marks such as `:` and `#` are looked through.

    A mnemonic that is not known at all counts as the neutral vowel.
    """
    trimmed = symbol
    while trimmed:
        if trimmed in _VISEMES_OF:
            return _VISEMES_OF[trimmed]
        trimmed = trimmed[:-1]
    return ("@",)


def mouth_expression(
    speech: Speech, fps: float, n_frames: int, gain: float = 1.0
) -> Float[np.ndarray, "frames expression"]:
    """Move the mouth to speech.

    Args:
        speech: What is said, with phoneme times.
        fps: Frames a second; frame k is seen at k / fps.
        n_frames: How many; after the end of the speech the mouth stays shut.
        gain: How widely this speaker articulates; closing the lips is not weakened by it.

    Returns:
        Expression coefficients (29) of the embedded face model.
    """
    return action_unit_track(speech.phonemes, fps, n_frames, gain) @ action_unit_matrix(UNITS)


UNITS = tuple(sorted({unit for recipe in RECIPES.values() for unit in recipe}))
_GAINLESS = frozenset({"lips_close", "press", "roll_in_lower", "lower_up"})


def action_unit_track(
    phonemes: list[Phoneme], fps: float, n_frames: int, gain: float = 1.0
) -> Float[np.ndarray, "frames units"]:
    """Amount of each of `UNITS` per frame, co-articulated."""
    poses = [pose for phoneme in phonemes for pose in _poses(phoneme)]
    time_s = np.arange(n_frames) / fps
    if not poses:
        return np.zeros((n_frames, len(UNITS)))
    centre, reach, plateau, dominance = (
        np.array([getattr(pose, name) for pose in poses])
        for name in ("centre_s", "reach_s", "plateau_s", "dominance")
    )
    distance = np.maximum(np.abs(time_s[:, None] - centre) - plateau, 0.0)
    logits = np.log(dominance) - (distance / reach) ** 1.6
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ np.array([_recipe(pose.viseme, gain) for pose in poses])


@cache
def action_unit_matrix(names: tuple[str, ...]) -> Float[np.ndarray, "units expression"]:
    """Coefficients of each named action unit of the embedded face model."""
    units = action_units()
    return np.array([units[name] for name in names], dtype=np.float64)


def _recipe(viseme: str, gain: float) -> list[float]:
    amounts = RECIPES[viseme]
    return [amounts.get(unit, 0.0) * (1.0 if unit in _GAINLESS else gain) for unit in UNITS]


def _poses(phoneme: Phoneme) -> list[_Pose]:
    visemes = visemes_of(phoneme.symbol)
    length = (phoneme.end_s - phoneme.start_s) / len(visemes)
    return [
        _pose(phoneme, viseme, phoneme.start_s + part * length, length)
        for part, viseme in enumerate(visemes)
    ]


def _pose(phoneme: Phoneme, viseme: str, start_s: float, length_s: float) -> _Pose:
    dominance = _DOMINANCE.get(viseme, 1.0) * (_STRESSED if phoneme.is_stressed else 1.0)
    centre = start_s + length_s / 2
    reach = max(_REACH_SHARE * length_s, _REACH_S)
    plateau = 0.0
    if viseme == "sil":
        plateau = max(length_s / 2 - _SILENCE_EDGE_S, 0.0)
        reach = min(reach, _SILENCE_EDGE_S)
    elif viseme in _FIRM:
        reach = max(min(reach, 0.06), _FIRM_REACH_S)
    if phoneme.symbol[0] in "pbtdkg" and len(visemes_of(phoneme.symbol)) == 1:
        centre = start_s + min(length_s / 2, _CLOSURE_CENTRE_S)
        reach = min(reach, 0.055)
    return _Pose(viseme, centre, reach, plateau, dominance)
