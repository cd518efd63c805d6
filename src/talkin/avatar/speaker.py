"""Who speaks: everything about one synthetic person and the place they are filmed in.

Speakers are drawn from a seed, but not independently: skin, hair and light walk through shuffled
lists, so that even six speakers are clearly six people.
"""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from talkin.avatar.voices import Voice, voice_bank

HairStyle = Literal["crop", "parted", "back", "curly", "bob", "long", "bald"]
Rgb = tuple[float, float, float]

_SKIN: tuple[Rgb, ...] = (  # sRGB, from pale to dark
    (0.93, 0.79, 0.72),
    (0.87, 0.69, 0.59),
    (0.80, 0.60, 0.47),
    (0.70, 0.50, 0.37),
    (0.55, 0.37, 0.26),
    (0.43, 0.28, 0.20),
)
_HAIR: tuple[Rgb, ...] = (
    (0.10, 0.08, 0.07),
    (0.24, 0.16, 0.11),
    (0.36, 0.24, 0.15),
    (0.52, 0.33, 0.18),
    (0.72, 0.56, 0.34),
    (0.56, 0.27, 0.14),
    (0.58, 0.56, 0.54),
)
_EYES: tuple[Rgb, ...] = (
    (0.30, 0.19, 0.11),
    (0.22, 0.13, 0.08),
    (0.38, 0.47, 0.55),
    (0.36, 0.42, 0.27),
    (0.45, 0.33, 0.18),
)
_SHIRTS: tuple[Rgb, ...] = (
    (0.20, 0.27, 0.40),
    (0.55, 0.16, 0.18),
    (0.86, 0.85, 0.82),
    (0.20, 0.36, 0.30),
    (0.25, 0.25, 0.27),
    (0.70, 0.58, 0.36),
    (0.45, 0.33, 0.50),
    (0.42, 0.58, 0.70),
)
_WOMEN: tuple[HairStyle, ...] = ("long", "bob", "back", "curly", "parted")
_MEN: tuple[HairStyle, ...] = ("crop", "parted", "curly", "back", "bald")


class Speaker(BaseModel):
    """One synthetic person. Colours are sRGB in 0..1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="speaker label of the manifest")
    seed: int = Field(description="drives geometry, skin detail, hair strands, background")
    voice: Voice = Field(description="how they sound")
    gain: float = Field(description="how widely they articulate")
    geometry_scale: float = Field(
        default=0.85, description="standard deviation of the geometry drawn"
    )
    skin: Rgb = Field(description="skin tone")
    lips: Rgb = Field(description="lip tone")
    redness: float = Field(description="how flushed cheeks, nose and ears are")
    freckles: float = Field(description="share of freckled skin")
    stubble: float = Field(description="0 = shaven, 1 = dark beard shadow")
    age: float = Field(description="0 = smooth, 1 = clearly lined")
    hair: Rgb = Field(description="hair colour")
    hair_style: HairStyle = Field(description="cut")
    brow_weight: float = Field(description="thickness of the brows against the average")
    eyes: Rgb = Field(description="iris colour")
    shirt: Rgb = Field(description="clothes")
    collar_drop_mm: float = Field(description="depth of the neckline")
    neck_radius_mm: float = Field(description="half the neck's width")
    ear_size: float = Field(description="against the average")
    light: int = Field(description="drives the light's direction and colour")
    wall: Rgb = Field(description="colour of what is behind")

    def draw_geometry(self, n_geometry: int) -> np.ndarray:
        """The person's geometry coefficients (n_geometry,), float32, in standard deviations."""
        rng = np.random.default_rng([self.seed, 1])
        drawn = np.clip(rng.standard_normal(n_geometry), -2.2, 2.2)
        return (self.geometry_scale * drawn).astype(np.float32)


def draw_speakers(seed: int, n: int) -> list[Speaker]:
    """Draw `n` speakers; the first ones do not depend on `n`.

    Args:
        seed: Another seed gives other people.
        n: How many.
    """
    voices = voice_bank(n, seed)
    return [_speaker(seed, index, voices[index]) for index in range(n)]


def _turn(seed: int, what: int, index: int, length: int) -> int:
    """Entry `index` of endless shuffled decks of `length` cards: near neighbours differ."""
    deck = np.random.default_rng([seed, what, index // length]).permutation(length)
    return int(deck[index % length])


def _near(rng: np.random.Generator, colour: Rgb, spread: float) -> Rgb:
    r, g, b = (np.array(colour) * rng.uniform(1 - spread, 1 + spread)).clip(0.02, 0.97)
    return (round(float(r), 4), round(float(g), 4), round(float(b), 4))


def _wall(rng: np.random.Generator) -> Rgb:
    """A muted colour of any hue."""
    grey, tint = rng.uniform(0.3, 0.75), rng.uniform(-1, 1, 3)
    r, g, b = (grey * (1 + 0.22 * tint)).clip(0.1, 0.9)
    return (round(float(r), 4), round(float(g), 4), round(float(b), 4))


def _lip_tone(rng: np.random.Generator, skin: Rgb, is_woman: bool) -> Rgb:
    rosy = np.array([0.74, 0.36, 0.36]) if is_woman else np.array([0.70, 0.42, 0.39])
    depth = 0.45 + 0.62 * float(np.mean(skin))
    share = rng.uniform(0.45, 0.75) if is_woman else rng.uniform(0.25, 0.4)
    mixed = (1 - share) * np.array(skin) * (0.88, 0.74, 0.74) + share * rosy * depth
    r, g, b = mixed.clip(0.05, 0.95)
    return (round(float(r), 4), round(float(g), 4), round(float(b), 4))


def _speaker(seed: int, index: int, voice: Voice) -> Speaker:
    rng = np.random.default_rng([seed, 77, index])
    is_woman = voice.name.endswith("f")
    skin_index = _turn(seed, 2, index, len(_SKIN))
    skin = _near(rng, _SKIN[skin_index], 0.04)
    fair_only = len(_HAIR) if skin_index < 3 else 2
    styles = _WOMEN if is_woman else _MEN
    eyes = _EYES[_turn(seed, 4, index, len(_EYES) if skin_index < 3 else 2)]
    age = float(rng.beta(1.3, 3.2)) * (0.7 if is_woman else 1.0)
    return Speaker(
        name=f"s{index + 1:02d}",
        seed=int(rng.integers(2**31)),
        voice=voice,
        gain=round(float(rng.uniform(0.85, 1.2)), 3),
        skin=skin,
        lips=_lip_tone(rng, skin, is_woman),
        redness=round(float(rng.uniform(0.3, 1.0)), 3),
        freckles=round(float(rng.choice([0.0, 0.0, 0.6]) * (skin_index < 3)), 3),
        stubble=0.0 if is_woman else round(float(rng.choice([0.15, 0.4, 0.9])), 3),
        age=round(age, 3),
        hair=_near(rng, _HAIR[_turn(seed, 3, index, fair_only)], 0.1),
        hair_style=styles[_turn(seed, 5 + is_woman, index // 2, len(styles))],
        brow_weight=round(float(rng.uniform(0.7, 0.95) if is_woman else rng.uniform(0.95, 1.3)), 3),
        eyes=_near(rng, eyes, 0.1),
        shirt=_near(rng, _SHIRTS[_turn(seed, 7, index, len(_SHIRTS))], 0.08),
        collar_drop_mm=round(float(rng.uniform(15, 45) if is_woman else rng.uniform(5, 22)), 1),
        neck_radius_mm=round(float(rng.uniform(43, 47) if is_woman else rng.uniform(49, 55)), 1),
        ear_size=round(float(rng.uniform(0.92, 1.08)), 3),
        light=int(rng.integers(2**31)),
        wall=_wall(rng),
    )
