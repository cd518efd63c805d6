"""Makes one synthesised voice sound like another person's: length, brightness, resonances, breath.

Played slower by a factor a, a voice falls in pitch and formants alike, as if its vocal tract were
a times longer; the synthesiser was asked to speak a times faster, so the rate is as before.
"""

from fractions import Fraction

import numpy as np
from jaxtyping import Float
from scipy import signal

from talkin.avatar.voices import Voice

_TILT_FROM_HZ = 500.0
_RESONANCE_QUALITY = 2.5


def lengthen_tract(samples: Float[np.ndarray, "samples"], factor: float) -> np.ndarray:
    """Stretch time, and with it lower every frequency, by `factor` (polyphase resampling)."""
    ratio = Fraction(factor).limit_denominator(200)
    if ratio == 1:
        return samples
    return signal.resample_poly(samples, ratio.numerator, ratio.denominator).astype(np.float32)


def exact_stretch(factor: float) -> float:
    """The stretch that `lengthen_tract` really makes, for carrying times along."""
    return float(Fraction(factor).limit_denominator(200))


def colour(
    samples: Float[np.ndarray, "samples"], sample_rate: int, voice: Voice
) -> Float[np.ndarray, "samples"]:
    """Apply the voice's tilt and resonances as one zero-phase filter, so that no time moves.

    Args:
        samples: Mono.
        sample_rate: Hz.
        voice: Whose spectrum to impose.

    Returns:
        As many samples, not yet scaled to a peak.
    """
    spectrum = np.fft.rfft(samples, n=_fast_length(len(samples)))
    hz = np.fft.rfftfreq(_fast_length(len(samples)), 1.0 / sample_rate)
    gain = 10.0 ** (response_db(hz, voice) / 20.0)
    return np.fft.irfft(spectrum * gain)[: len(samples)].astype(np.float32)


def response_db(hz: Float[np.ndarray, "bins"], voice: Voice) -> Float[np.ndarray, "bins"]:
    """Gain in dB that a voice's tilt and resonances give each frequency."""
    octaves = np.log2(np.maximum(hz, _TILT_FROM_HZ) / _TILT_FROM_HZ)
    gain = voice.tilt_db_per_octave * octaves
    for centre, height in zip(voice.resonance_hz, voice.resonance_db, strict=True):
        distance = np.log2(np.maximum(hz, 1.0) / centre) * _RESONANCE_QUALITY
        gain = gain + height * np.exp(-(distance**2))
    return gain


def add_breath(
    samples: Float[np.ndarray, "samples"], sample_rate: int, level: float, seed: int
) -> Float[np.ndarray, "samples"]:
    """Add noise that follows the loudness of the voice, so that silence stays silent."""
    if level == 0:
        return samples
    window = max(1, int(0.02 * sample_rate))
    power = np.convolve(samples.astype(np.float64) ** 2, np.full(window, 1 / window), mode="same")
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    return (samples + level * np.sqrt(np.maximum(power, 0.0)) * noise).astype(np.float32)


def _fast_length(n_samples: int) -> int:
    return 1 << (n_samples + 4096 - 1).bit_length()  # padding: zero-phase ringing wraps into it
