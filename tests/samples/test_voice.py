import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from talkin.samples.voice import in_common_voice
from talkin.samples.windows import WindowConfig, audio_windows


def words(seed: int = 0, n: int = 400) -> np.ndarray:
    """Loud and quiet stretches; what is said moves all other coefficients where it is loud."""
    rng = np.random.default_rng(seed)
    is_loud = (np.arange(n) // 50) % 2
    mfcc = rng.normal(0, 1, (n, 5)) * is_loud[:, None]
    mfcc[:, 0] = 10 * is_loud + rng.normal(0, 0.2, n)
    return mfcc


@given(seed=st.integers(0, 20))
def test_another_voice_that_says_the_same_sounds_the_same(seed: int) -> None:
    said = words()
    rng = np.random.default_rng(seed)
    offset, scale = rng.normal(0, 5, 5), rng.uniform(0.3, 3, 5)
    np.testing.assert_allclose(
        in_common_voice(said * scale + offset), in_common_voice(said), atol=1e-4
    )


def test_loud_moments_have_mean_nought_and_deviation_one() -> None:
    said = words()
    loud = said[:, 0] > 5
    heard = in_common_voice(said)
    np.testing.assert_allclose(heard[loud, 1:].mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(heard[loud, 1:].std(axis=0), 1, atol=0.05)


def test_silence_tells_nothing_of_who_is_silent() -> None:
    said = words()
    said[:, 1:] += 7.0  # a constant of the voice, in silence as well
    quiet = said[:, 0] < 5
    assert np.abs(in_common_voice(said)[quiet, 1:]).max() < 0.1


def test_clips_without_loud_moments_or_rows_give_finite_silence() -> None:
    for n in (0, 1, 50):
        heard = in_common_voice(np.full((n, 4), 3.0))
        assert heard.shape == (n, 4)
        assert (heard[:, 0] == -1).all()
        assert (heard[:, 1:] == 0).all()


def test_windows_are_cut_from_the_common_voice_where_asked() -> None:
    said = words()
    config = WindowConfig(voice="common")
    cut = audio_windows(said, [2.0], config)
    np.testing.assert_array_equal(cut, audio_windows(in_common_voice(said), [2.0], WindowConfig()))
    assert config.as_given == WindowConfig()
