"""Synthetic voices: espeak-ng variants made further apart by a vocal tract of their own."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

# Variants that speak intelligibly and sound unlike each other: pairs are neighbours in the list.
_FEMALE = ("f2", "Annie", "f5", "linda", "f1", "steph", "f3", "belinda", "f4", "Alicia", "anika")
_MALE = ("m3", "klatt2", "m7", "Andy", "m1", "klatt4", "adam", "m8", "Gene", "m5", "klatt", "paul")


class Voice(BaseModel):
    """One speaker's voice.

    A real voice differs from another by more than an espeak-ng variant does, so length of the
    vocal tract, spectral tilt and two resonances are changed afterwards.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="names the speaker's voice")
    variant: str = Field(default="m3", description="espeak-ng variant")
    language: str = Field(default="en-us", description="espeak-ng voice that the variant modifies")
    rate: int = Field(default=160, ge=80, le=400, description="words a minute, as heard")
    pitch: int = Field(
        default=50, ge=0, le=99, description="espeak-ng pitch, as set before the warp"
    )
    pitch_range: int = Field(default=50, ge=0, le=99, description="0 is monotone")
    tract_length: float = Field(
        default=1.0,
        ge=0.8,
        le=1.25,
        description="vocal tract against espeak-ng's: above 1 is lower",
    )
    tilt_db_per_octave: float = Field(
        default=0.0, ge=-6, le=6, description="brightness above 500 Hz"
    )
    resonance_hz: tuple[float, float] = Field(
        default=(1200.0, 3200.0), description="two peaks that belong to this speaker"
    )
    resonance_db: tuple[float, float] = Field((0.0, 0.0), description="height of the peaks")
    breath: float = Field(
        default=0.0, ge=0, le=0.2, description="level of breath noise against the voice"
    )


def voice_bank(n: int = 40, seed: int = 0) -> list[Voice]:
    """Make `n` different voices, female and male in turn; the first ones never depend on `n`.

    Args:
        n: How many.
        seed: Another seed gives other rates, pitches and vocal tracts.
    """
    return [_voice(index, np.random.default_rng([seed, index])) for index in range(n)]


def _voice(index: int, rng: np.random.Generator) -> Voice:
    kind: Literal["f", "m"] = "f" if index % 2 == 0 else "m"
    variants = _FEMALE if kind == "f" else _MALE
    variant = variants[(index // 2) % len(variants)]
    tract = rng.uniform(0.88, 1.0) if kind == "f" else rng.uniform(0.98, 1.15)
    return Voice(
        name=f"v{index:02d}{kind}",
        variant=variant,
        rate=int(rng.integers(138, 182)),
        pitch=int(rng.integers(35, 70)),
        pitch_range=int(rng.integers(35, 75)),
        tract_length=round(float(tract), 3),
        tilt_db_per_octave=round(float(rng.uniform(-3.0, 3.0)), 2),
        resonance_hz=(round(float(rng.uniform(700, 1800))), round(float(rng.uniform(2200, 5000)))),
        resonance_db=(round(float(rng.uniform(-7, 7)), 1), round(float(rng.uniform(-7, 7)), 1)),
        breath=round(float(rng.uniform(0.0, 0.03)), 3),
    )
