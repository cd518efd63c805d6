import cv2
import numpy as np
import pandas as pd
import pytest

from pipelines.detection.nodes import score_detector
from talkin.errors import ConfigurationError, FootageError
from talkin.footage.landmarks import LandmarkTrack
from talkin.forensics.detector import (
    DetectorConfig,
    EditDetector,
    roc_of,
    speakers_told_apart,
    unseen_speaker_scores,
)
from talkin.forensics.features import NAMES, features_of, mouth_square

CONFIG = DetectorConfig(n_resamples=50)


def track(centre=(60.0, 80.0), width=24.0, n=5):
    points = np.full((n, 68, 2), 40.0, np.float32)
    points[:, 48:68] = centre
    points[:, 48, 0] -= width / 2
    points[:, 54, 0] += width / 2
    found = np.ones(n, bool)
    return LandmarkTrack(
        points, "ibug68", found, found.astype("f4"), np.arange(n) / 25, 25.0, 120, 160
    )


def clip(seed, is_edited, grain=6.0, n=4):
    """Filmed grain everywhere; an edit's mouth is painted smooth."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        image = np.clip(rng.normal(120, grain, (160, 120, 3)), 0, 255).astype(np.uint8)
        if is_edited:
            image[60:100, 40:80] = cv2.GaussianBlur(image[60:100, 40:80], (0, 0), 1.0)
        yield image


def corpus(n_speakers=4, labels=(False, True)):
    square = mouth_square(track(), 120, 160)
    rows = []
    for speaker in range(n_speakers):
        for is_edited in labels:
            grain = 3.0 + 2 * speaker
            found = features_of(clip(10 * speaker + is_edited, is_edited, grain), square)
            known = {"job": f"j{speaker}", "speaker": f"s{speaker}", "is_edited": is_edited}
            rows.append(pd.DataFrame(found, columns=list(NAMES)).assign(**known))
    return pd.concat(rows)


def test_the_square_follows_the_lips_and_stays_in_the_picture():
    x, y, side = mouth_square(track(), 120, 160)
    assert side == round(1.4 * 24)
    assert (x + side / 2, y + side / 2) == pytest.approx((60, 80), abs=1)
    x, y, side = mouth_square(track(centre=(118.0, 158.0)), 120, 160)
    assert x + side <= 120
    assert y + side <= 160


def test_no_face_and_tiny_mouths_are_refused():
    lost = track()
    lost.is_found[:] = False
    with pytest.raises(FootageError, match="no face"):
        mouth_square(lost, 120, 160)
    with pytest.raises(FootageError, match="16 are needed"):
        mouth_square(track(width=6.0), 120, 160)


def test_features_do_not_change_with_the_footage_s_own_grain():
    square = mouth_square(track(), 120, 160)
    fine, coarse = (features_of(clip(1, False, grain, n=20), square).mean(0) for grain in (3, 9))
    assert np.abs(fine - coarse).max() < 0.35


def test_painted_mouths_of_unseen_speakers_are_told_from_filmed_ones():
    metrics, clips, page, fitted = score_detector(corpus(), CONFIG)
    assert metrics["auc"] == 1.0
    assert (metrics["n_clips"], metrics["n_speakers"]) == (8, 4)
    assert clips[clips["is_edited"]]["score"].min() > clips[~clips["is_edited"]]["score"].max()
    assert "1.000" in page
    assert EditDetector.from_dict(fitted).to_dict() == fitted


def test_how_few_speakers_there_are_shows_in_the_share_told_apart():
    speakers = np.repeat(["a", "b", "c"], 2)
    is_edited = np.tile([True, False], 3)
    scores = np.array([2.0, 1.0, 0.5, 0.1, 0.0, 3.0])
    apart, low, high = speakers_told_apart(scores, is_edited, speakers)
    assert (apart, low, high) == (
        2,
        pytest.approx(0.0943, abs=1e-3),
        pytest.approx(0.9916, abs=1e-3),
    )
    assert speakers_told_apart(np.abs(scores) * is_edited, is_edited, speakers)[0] == 2
    everyone = speakers_told_apart(1.0 * is_edited, is_edited, speakers)
    assert everyone == (3, pytest.approx(0.025 ** (1 / 3)), 1.0)


def test_without_a_difference_the_area_is_that_of_chance():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, len(NAMES)))
    is_edited = np.arange(4000) % 2 == 0
    speakers = np.array([f"s{i // 200}" for i in range(4000)])
    scores = unseen_speaker_scores(features, is_edited, speakers, CONFIG)
    roc = roc_of(scores, is_edited, speakers, CONFIG)
    assert 0.45 < roc.auc < 0.55
    assert roc.low < roc.auc < roc.high


def test_a_speaker_s_own_frames_never_score_themselves():
    """A feature that only names the speaker's own labels is worth nothing on others."""
    rng = np.random.default_rng(1)
    speakers = np.repeat([f"s{i}" for i in range(6)], 40)
    is_edited = np.tile(np.arange(40) % 2 == 0, 6)
    features = rng.normal(size=(240, len(NAMES)))
    for number, name in enumerate(np.unique(speakers)):
        rows = speakers == name
        features[rows, number] += 9.0 * is_edited[rows]
    scores = unseen_speaker_scores(features, is_edited, speakers, CONFIG)
    assert roc_of(scores, is_edited, speakers, CONFIG).auc < 0.75


def test_edits_of_one_speaker_are_too_few_and_a_foreign_file_is_refused():
    with pytest.raises(ConfigurationError, match="n_crossed"):
        score_detector(corpus(1), CONFIG)
    with pytest.raises(ConfigurationError, match="train it again"):
        EditDetector.from_dict({"features": ["x"]})
