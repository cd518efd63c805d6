"""Cepstra without the voice's own average: the same word of two speakers side by side.

Most of what tells speakers apart in cepstra are each voice's mean and deviation (and each room's
and microphone's). Taken over the loud part of a clip and divided out, what is left moves with the
words. Silence would leave each voice's mean behind as a constant, so coefficients fade to 0 with
the loudness. The network of Eq. 1 takes away what this cannot.
"""

import numpy as np
from jaxtyping import Float

_QUIET, _LOUD = 0.03, 0.95  # quantiles of a clip's loudness
_FADE = 8.0  # slope of the fade; at the clip's quietest a coefficient is at 2 %
_LEAST_STD = 1e-3
_LEAST_RANGE = 1e-3  # a clip whose loudness never changes says nothing of what is speech


def in_common_voice(
    mfcc: Float[np.ndarray, "rows coefficients"],
) -> Float[np.ndarray, "rows coefficients"]:
    """A whole clip's cepstra, normalised by the clip's own loud moments.

    Args:
        mfcc: Of one speaker; coefficient 0 measures loudness. A second or two of speech is the
            least from which a mean says anything.

    Returns:
        Coefficient 0 from -1 (the clip's quiet) to 1 (its loud), the others at mean 0 and
        deviation 1 where it is loud, fading to 0 where it is quiet.
    """
    values = np.asarray(mfcc, dtype=np.float64)
    loudness = values[:, 0]
    quiet, loud = np.quantile(loudness, [_QUIET, _LOUD]) if len(values) else (0.0, 0.0)
    if loud - quiet < _LEAST_RANGE:
        constant = np.zeros_like(values)
        constant[:, 0] = -1.0
        return constant.astype(np.float32)
    level = (loudness - quiet) / (loud - quiet)
    heard = values[level > 0.5]
    normalised = (values - heard.mean(axis=0)) / np.maximum(heard.std(axis=0), _LEAST_STD)
    normalised *= _sigmoid(_FADE * (level - 0.5))[:, None]
    normalised[:, 0] = 2 * level - 1
    return normalised.astype(np.float32)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -50, 50)))
