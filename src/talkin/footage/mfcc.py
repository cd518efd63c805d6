"""Mel-frequency cepstral coefficients, a row every 10 ms, locked to the clock of the picture."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.footage.audio import Audio


class MfccConfig(BaseModel):
    """How sound becomes cepstral coefficients. The paper says only "MFCC"; these are usual."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    front_end: Literal["mfcc", "log_mel"] = Field(
        default="mfcc",
        description="What a row holds: cepstra (the paper), or loudness and the log energy of "
        "each mel band, from which cepstra are made.",
    )
    has_deltas: bool = Field(
        default=False, description="Whether each row also tells how its values change, a second."
    )
    n_mfcc: int = Field(
        default=28, ge=2, le=128, description="Cepstra a row; not read with front_end log_mel"
    )
    n_mels: int = Field(default=80, ge=8, le=256, description="Mel bands they are taken from")
    sample_rate: int = Field(default=16000, ge=4000, description="Samples per second expected")
    hop_s: float = Field(default=0.01, gt=0, description="Seconds from row to row")
    window_s: float = Field(default=0.025, gt=0, description="Seconds of sound a row sees")
    pre_emphasis: float = Field(
        default=0.97, ge=0, lt=1, description="High-pass before the spectrum; 0 for none"
    )
    floor: float = Field(
        default=1e-7, gt=0, description="Least power of a mel band: how deep silence is"
    )

    @property
    def rows_per_second(self) -> float:
        """Rows per second: 100 by default."""
        return 1 / self.hop_s

    @property
    def n_columns(self) -> int:
        """Values a row."""
        n = self.n_mfcc if self.front_end == "mfcc" else 1 + self.n_mels
        return 2 * n if self.has_deltas else n


def compute_mfcc(audio: Audio, config: MfccConfig | None = None) -> Float[np.ndarray, "rows mfcc"]:
    """Cepstral coefficients (or log mel energies); row i is centred on time i * hop_s.

    A row depends on the sound within its own window alone (no clip-wide maximum or mean enters),
    so delaying the sound by k hops moves the rows by k.

    Args:
        audio: Mono sound at the configured sample rate.
        config: Sizes; None for the defaults.

    Returns:
        1 + samples // hop rows of `config.n_columns`, float32; column 0 measures loudness. Beyond
        the ends of the sound there is silence.

    Raises:
        ConfigurationError: If the sound has another sample rate.
    """
    import librosa

    config = config or MfccConfig()
    if audio.sample_rate != config.sample_rate:
        raise ConfigurationError(
            f"mfcc.sample_rate is {config.sample_rate}, the sound has {audio.sample_rate} Hz; "
            f"read it with sample_rate={config.sample_rate}"
        )
    window = round(config.window_s * config.sample_rate)
    power = librosa.feature.melspectrogram(
        y=_emphasised(audio.samples, config.pre_emphasis),
        sr=config.sample_rate,
        n_fft=1 << (window - 1).bit_length(),
        hop_length=round(config.hop_s * config.sample_rate),
        win_length=window,
        n_mels=config.n_mels,
        center=True,
        pad_mode="constant",
    )
    # librosa's own decibels are relative to the clip's loudest moment: that ties rows together.
    loudness = np.log(np.maximum(power, config.floor))
    if config.front_end == "mfcc":
        rows = librosa.feature.mfcc(S=loudness, n_mfcc=config.n_mfcc).T
    else:
        rows = np.concatenate([loudness.mean(axis=0, keepdims=True), loudness]).T
    if config.has_deltas:
        rows = np.concatenate([rows, _deltas(rows, config.rows_per_second)], axis=1)
    return rows.astype(np.float32)


def _deltas(
    rows: Float[np.ndarray, "rows values"], rows_per_second: float
) -> Float[np.ndarray, "rows values"]:
    """Slope of each value over five rows by least squares, a second; the outermost rows repeat."""
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    slope = 2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]
    return slope / 10 * rows_per_second


def _emphasised(samples: np.ndarray, amount: float) -> np.ndarray:
    samples = np.asarray(samples, np.float32)
    if amount == 0 or len(samples) == 0:
        return samples
    return np.concatenate([samples[:1], samples[1:] - amount * samples[:-1]])
