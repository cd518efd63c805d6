"""Which samples a step sees: a function of the seed and the step alone.

So training can stop and go on at any step exactly.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int


def sample_order(n_items: int, batch_size: int, seed: int, step: int) -> Int[np.ndarray, "batch"]:
    """Which samples step `step` sees: epochs without repetition, in an order given by the seed.

    Args:
        n_items: Samples to draw from.
        batch_size: Samples of a step.
        seed: The run's seed.
        step: Counted from 0. Nothing else is remembered between steps.
    """
    drawn = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs, places = np.divmod(drawn, n_items)
    orders = {
        int(epoch): np.random.default_rng([seed, int(epoch)]).permutation(n_items)
        for epoch in np.unique(epochs)
    }
    return np.array(
        [orders[int(epoch)][place] for epoch, place in zip(epochs, places, strict=True)]
    )


def spread_order(n_items: int, n_wanted: int) -> Iterator[int]:
    """At most `n_wanted` sample numbers, evenly spread: a validation set that never changes."""
    wanted = min(n_items, n_wanted)
    yield from (np.arange(wanted) * n_items // max(1, wanted)).tolist()
