import numpy as np
import pytest

from talkin.errors import ConfigurationError
from talkin.evaluation.tsne import (
    IdentityMapConfig,
    draw_identity_map,
    map_identities,
    probe_accuracy,
    window_features,
)
from talkin.face3d.model import MorphableModel

from .conftest import make_clip, make_model


def _planted(separation: float) -> tuple[np.ndarray, list[str], list[str]]:
    rng = np.random.default_rng(0)
    speakers = [f"s{i % 4}" for i in range(240)]
    clips = [f"s{i % 4}-{i // 4 % 5}" for i in range(240)]
    features = rng.normal(size=(240, 12))
    features[np.arange(240), np.arange(240) % 4] += separation
    return features, speakers, clips


def test_a_probe_names_speakers_that_differ_and_guesses_those_that_do_not() -> None:
    assert probe_accuracy(*_planted(8.0)) > 0.95
    assert probe_accuracy(*_planted(0.0)) < 0.4


def test_a_probe_cannot_profit_from_knowing_the_clip() -> None:
    rng = np.random.default_rng(1)
    clips = [f"c{i // 20}" for i in range(200)]
    speakers = [f"s{i // 20 % 2}" for i in range(200)]
    of_clip = rng.normal(size=(10, 12)) * 10
    features = np.repeat(of_clip, 20, axis=0) + rng.normal(size=(200, 12)) * 0.1
    assert probe_accuracy(features, speakers, clips) < 0.85


def test_without_two_speakers_of_two_clips_there_is_nothing_to_ask() -> None:
    features = np.random.default_rng(0).normal(size=(40, 5))
    assert np.isnan(probe_accuracy(features, ["a"] * 40, ["c1", "c2"] * 20))
    one_clip_each = ["a"] * 20 + ["b"] * 20
    assert np.isnan(probe_accuracy(features, one_clip_each, one_clip_each))


def test_features_forget_the_order_of_rows() -> None:
    windows = np.random.default_rng(0).normal(size=(3, 10, 4))
    np.testing.assert_allclose(window_features(windows), window_features(windows[:, ::-1]))
    assert window_features(windows).shape == (3, 8)


def test_the_map_has_every_window_before_and_after_and_can_be_drawn(
    face_model: MorphableModel,
) -> None:
    clips = [
        make_clip(face_model, seed, 20, speaker=speaker, name=f"{speaker}{seed}")
        for seed, speaker in enumerate(["anna", "bob", "anna", "bob"])
    ]
    config = IdentityMapConfig(windows_per_speaker=15)
    identity_map = map_identities(clips, make_model(face_model), config)
    points = identity_map.points
    assert points.groupby(["stage", "speaker"]).size().tolist() == [15, 15, 15, 15]
    assert np.isfinite(points[["x", "y"]]).all().all()
    assert identity_map.chance == 0.5
    # The reading model removes nothing, so the probe finds the same before and after.
    assert identity_map.probe_accuracy["before"] == identity_map.probe_accuracy["after"]
    assert draw_identity_map(identity_map).startswith(b"\x89PNG")


def test_too_little_sound_is_an_error_that_says_so(face_model: MorphableModel) -> None:
    with pytest.raises(ConfigurationError, match="too few"):
        map_identities([make_clip(face_model, 0, 5)], make_model(face_model))
