import numpy as np
import pytest

from talkin.samples.sync_belief import lag_beliefs, likeliest

N_LAGS = 121


def agreement(peak: int, height: float, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """A curve of correlations with a bump 5 rows wide at `peak`."""
    places = np.arange(N_LAGS)
    bump = height * np.exp(-0.5 * ((places - peak) / 5) ** 2)
    return bump + np.random.default_rng(seed).normal(0, noise, N_LAGS)


def test_beliefs_are_probabilities_however_long_the_clips() -> None:
    curves = np.stack([agreement(70, 0.9), agreement(20, 0.3, seed=1)])
    beliefs = lag_beliefs(curves, np.array([1800.0, 1.2]), ["a", "a"])
    np.testing.assert_allclose(beliefs.sum(axis=1), 1.0)
    assert np.isfinite(beliefs).all()


def test_a_long_clip_is_sure_of_a_weak_agreement_and_a_short_one_is_not() -> None:
    curve = agreement(80, 0.3)[None]
    long, short = (
        likeliest(lag_beliefs(curve, np.array([seconds]), [""])[0]) for seconds in (60.0, 2.0)
    )
    assert long[0] == pytest.approx(80, abs=1)
    assert long[1] > 0.9
    assert short[1] < 0.5


def test_a_mouth_that_closes_with_the_sound_tells_nothing() -> None:
    beliefs = lag_beliefs(-agreement(80, 0.9)[None].clip(0), np.array([60.0]), [""])
    np.testing.assert_allclose(beliefs[0, 10:-10], beliefs.max(), rtol=1e-2)


def test_messages_give_the_posterior_that_enumeration_gives() -> None:
    from talkin.samples import sync_belief as module

    curves = np.stack([agreement(10, 0.6, seed=s)[:21] for s in (1, 2)])
    seconds = np.array([3.0, 2.0])
    found = lag_beliefs(curves, seconds, ["a", "a"])
    likelihood = module._likelihood(curves, seconds)
    pair = module._AS_THE_SPEAKER * module._alike(21) + (1 - module._AS_THE_SPEAKER) / 21
    joint = np.einsum("g,ga,gb,a,b->ab", np.ones(21), pair, pair, *likelihood)
    np.testing.assert_allclose(found[0], joint.sum(1) / joint.sum(), rtol=1e-9)
    np.testing.assert_allclose(found[1], joint.sum(0) / joint.sum(), rtol=1e-9)
