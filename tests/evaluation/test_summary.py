import json

import numpy as np
import pytest

from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.summary import SummaryConfig, clip_table, flat_metrics, summary_table


def _scores(
    clip: str, speaker: str, n_frames: int, error: float, psnr: float | None = None
) -> ClipScores:
    systems = {
        "audio": {"landmark_error": error, "mouth_opening_correlation": 0.8},
        "still_mouth": {"landmark_error": 2.0 * error},
    }
    if psnr is not None:
        systems["renderer"] = {"mouth_psnr": psnr}
    return ClipScores(
        clip=clip,
        speaker=speaker,
        n_frames=n_frames,
        n_pictures=n_frames // 10,
        systems=systems,
        time_s=np.arange(n_frames) / 25,
        curves={},
    )


CLIPS = [
    _scores("a1", "anna", 100, 1.0, 30.0),
    _scores("a2", "anna", 300, 2.0, 20.0),
    _scores("b1", "bob", 100, 6.0),
]


def test_a_figure_is_the_mean_over_frames_not_over_clips() -> None:
    flat = flat_metrics(summary_table(CLIPS))
    assert flat["landmark_error.audio"] == pytest.approx((100 + 600 + 600) / 500)
    assert flat["landmark_error.audio.n_clips"] == 3
    assert flat["landmark_error.audio.n_frames"] == 500


def test_pictures_count_their_own_frames_and_clips_without_them_do_not_count() -> None:
    flat = flat_metrics(summary_table(CLIPS))
    assert flat["mouth_psnr.renderer"] == pytest.approx((30 * 10 + 20 * 30) / 40)
    assert flat["mouth_psnr.renderer.n_clips"] == 2
    assert flat["mouth_psnr.renderer.n_frames"] == 40


def test_known_and_unseen_speakers_are_told_apart() -> None:
    flat = flat_metrics(summary_table(CLIPS, known_speakers=["anna"]))
    assert flat["landmark_error.audio.known_speakers"] == pytest.approx(700 / 400)
    assert flat["landmark_error.audio.unseen_speakers"] == pytest.approx(6.0)
    assert flat["landmark_error.audio.unseen_speakers.n_clips"] == 1
    assert "mouth_psnr.renderer.unseen_speakers" not in flat
    assert flat["landmark_error.audio_over_still_mouth.unseen_speakers"] == pytest.approx(0.5)


def test_a_group_without_clips_has_no_figures() -> None:
    flat = flat_metrics(summary_table(CLIPS, known_speakers=["anna", "bob"]))
    assert not [key for key in flat if "unseen" in key]
    assert flat_metrics(summary_table([])) == {}


def test_the_keys_of_the_opening_and_its_ratio_are_as_documented() -> None:
    flat = flat_metrics(summary_table(CLIPS))
    assert flat["mouth_opening.correlation"] == pytest.approx(0.8)
    assert flat["landmark_error.audio_over_still_mouth"] == pytest.approx(0.5)
    assert json.loads(json.dumps(flat)) == flat


def test_the_interval_holds_the_mean_and_shrinks_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    few = [_scores(f"c{i}", "x", 100, float(v)) for i, v in enumerate(rng.normal(5, 1, 8))]
    many = [_scores(f"c{i}", "x", 100, float(v)) for i, v in enumerate(rng.normal(5, 1, 200))]

    def width(scores: list[ClipScores]) -> float:
        flat = flat_metrics(summary_table(scores))
        low, high = flat["landmark_error.audio.low"], flat["landmark_error.audio.high"]
        assert low < flat["landmark_error.audio"] < high
        return high - low

    assert width(many) < 0.5 * width(few)
    assert width(many) == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.25)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    config = SummaryConfig(n_resamples=200, confidence=0.9)
    held = 0
    for _ in range(100):
        clips = [_scores(f"c{i}", "x", 50, float(v)) for i, v in enumerate(rng.normal(0, 1, 40))]
        row = summary_table(clips, config=config).query("metric == 'landmark_error'").iloc[0]
        held += row["low"] <= 0 <= row["high"]
    assert 78 <= held <= 99


def test_one_clip_gives_an_interval_of_no_width() -> None:
    flat = flat_metrics(summary_table(CLIPS[:1]))
    assert flat["landmark_error.audio.low"] == flat["landmark_error.audio.high"] == 1.0


def test_the_clip_table_tells_where_a_figure_comes_from() -> None:
    table = clip_table(CLIPS)
    assert list(table["clip"]) == ["a1", "a2", "b1"]
    assert table.loc[1, "landmark_error.audio"] == 2.0
    assert np.isnan(table.loc[2, "mouth_psnr.renderer"])
