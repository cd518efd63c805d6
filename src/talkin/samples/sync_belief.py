"""How likely each lag of a clip's sound is, when its speaker's other clips are asked as well.

One clip of a second or two says little about its offset: many lags agree about as well by chance.
But clips of one person mostly come from one recording and are late alike. So a speaker has an
offset that is not known, and each clip has it (give or take a frame) or, now and then, one of its
own. On a grid of lags the beliefs about both follow exactly, by passing messages from clips to
speaker and back (sum-product on a tree).

What a clip says of a lag is the likelihood of a correlation c over n independent moments,
(1 - c^2)^(-n/2) against none, mixed with "says nothing", so that no clip is ever quite sure.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_INDEPENDENT_PER_S = 7.5  # mouths move in syllables: about this many moments of a second are news
_SAYS_NOTHING = 0.2
_AS_THE_SPEAKER = 0.8
_ALIKE_ROWS = 2.0  # deviation of a clip's offset from its speaker's, hundredths of a second
_NEAR_ROWS = 4


def lag_beliefs(
    agreement: Float[np.ndarray, "clips lags"],
    seconds: Float[np.ndarray, "clips"],
    speakers: Sequence[str],
) -> Float[np.ndarray, "clips lags"]:
    """Probability of each lag for each clip.

    Args:
        agreement: Correlation of opening and sound at lags 10 ms apart.
        seconds: How much speech each clip's correlations were taken over.
        speakers: Whose clip it is; "" for a clip that tells nothing of others.

    Returns:
        Rows that sum to 1.
    """
    likelihood = _likelihood(agreement, seconds)
    n_lags = agreement.shape[1]
    alike = _alike(n_lags)
    stray = (1 - _AS_THE_SPEAKER) / n_lags
    to_speaker = np.log(stray * likelihood.sum(axis=1, keepdims=True)
                        + _AS_THE_SPEAKER * likelihood @ alike)  # fmt: skip
    beliefs = np.empty_like(likelihood)
    for speaker in set(speakers):
        own = np.array([name == speaker for name in speakers])
        others = to_speaker[own].sum(axis=0) - to_speaker[own] if speaker else 0 * to_speaker[own]
        told = np.exp(others - others.max(axis=1, keepdims=True))
        told /= told.sum(axis=1, keepdims=True)
        beliefs[own] = likelihood[own] * (stray + _AS_THE_SPEAKER * told @ alike)
    return beliefs / beliefs.sum(axis=1, keepdims=True)


def likeliest(belief: Float[np.ndarray, "lags"]) -> tuple[float, float]:
    """Place of the likeliest lag, in steps, and the probability of lying within a frame of it.

    The place is the mean of what is believed within a frame of the peak.
    """
    places = np.arange(len(belief))
    near = np.abs(places - int(belief.argmax())) <= _NEAR_ROWS
    certainty = float(belief[near].sum())
    return float((belief * places)[near].sum()) / certainty, certainty


def _likelihood(agreement: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    c = np.clip(agreement, 0.0, 0.99)  # a mouth that closes with sound says nothing
    n = np.asarray(seconds)[:, None] * _INDEPENDENT_PER_S
    log = -0.5 * n * np.log1p(-(c**2))
    most = log.max(axis=1, keepdims=True)  # long clips would overflow
    return (1 - _SAYS_NOTHING) * np.exp(log - most) + _SAYS_NOTHING * np.exp(-most)


def _alike(n_lags: int) -> np.ndarray:
    """How likely two lags are those of a speaker and a clip of theirs; symmetric."""
    places = np.arange(n_lags)
    apart = (places[:, None] - places) / _ALIKE_ROWS
    bell = np.exp(-0.5 * apart**2)
    return np.asarray(bell / bell[n_lags // 2].sum())
