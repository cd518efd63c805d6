from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from talkin.evaluation.breakdown import error_by, frame_table
from talkin.evaluation.charts import breakdown_figure, crossing_figure, to_svg
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.crossings import (
    HeardSource,
    back_and_forth,
    score_crossings,
    speaker_matrix,
)
from talkin.evaluation.tsne import IdentityMap
from talkin.evaluation.voice_page import voice_page
from talkin.face3d.model import MorphableModel

from .conftest import SIZE, make_clip


class Sound(NamedTuple):
    symbol: str
    start_s: float
    end_s: float


def scored(clip: str, speaker: str, error_px: np.ndarray) -> ClipScores:
    n = len(error_px)
    return ClipScores(
        clip=clip,
        speaker=speaker,
        n_frames=n,
        n_pictures=0,
        systems={"audio": {"landmark_error": 1.0, "landmark_error_384": 3.0}},
        time_s=np.arange(n) / 25,
        curves={
            "landmark_error": error_px,
            "true_opening": np.zeros(n),
            "audio_opening": np.zeros(n),
        },
    )


@pytest.fixture
def frames() -> pd.DataFrame:
    worse = np.where(np.arange(50) < 25, 1.0, 2.0)
    scores = [scored("a", "anna", np.ones(50)), scored("b", "bob", worse)]
    said = {"b": [Sound("A:", 0.0, 1.0), Sound("m", 1.0, 1.5)]}
    return frame_table(scores, {"a": "front", "b": "left30"}, said)


def test_frames_carry_their_view_sound_and_error_in_the_papers_pixels(
    frames: pd.DataFrame,
) -> None:
    of_b = frames[frames["clip"] == "b"]
    assert of_b["phoneme"].tolist() == ["A"] * 25 + ["m"] * 13 + [""] * 12
    assert set(frames.loc[frames["clip"] == "a", "phoneme"]) == {""}
    assert of_b["landmark_error_384"].tolist() == [3.0] * 25 + [6.0] * 25


def test_the_groups_with_most_error_come_first_and_seconds_in_order(frames: pd.DataFrame) -> None:
    views = error_by(frames, "view")
    assert views["group"].tolist() == ["left30", "front"]
    assert views["value"].tolist() == [4.5, 3.0]
    assert error_by(frames, "phoneme")["group"].tolist() == ["m", "A"]
    seconds = error_by(frames, "second")
    assert seconds["group"].tolist() == ["0", "1"]
    assert (seconds["low"] <= seconds["value"]).all()
    assert (seconds["value"] <= seconds["high"]).all()
    assert seconds["n_clips"].tolist() == [2, 2]
    assert error_by(frames, "phoneme", at_least=20)["group"].tolist() == ["A"]


def test_hearing_exactly_what_was_said_is_perfect_on_every_face(
    face_model: MorphableModel,
) -> None:
    clips = [
        make_clip(face_model, seed, 20 + 9 * seed, speaker)
        for seed, speaker in ((0, "anna"), (1, "bob"))
    ]
    targets = {clip.clip: (clip.speaker, clip.parameters) for clip in clips}
    spoken = [clip.parameters.expression for clip in clips]
    right = [
        HeardSource(clip.clip, clip.speaker, said, said)
        for clip, said in zip(clips, spoken, strict=True)
    ]
    wrong = [HeardSource(s.clip, s.speaker, s.expression + 0.5, s.true_expression) for s in right]
    still = np.zeros(29)
    perfect = score_crossings(right, targets, face_model, still, SIZE)
    assert len(perfect) == 4
    assert perfect["landmark_error_384"].max() == pytest.approx(0, abs=1e-5)
    assert perfect["mouth_opening_correlation"].min() == pytest.approx(1)
    assert (perfect["still_error_384"] > 1).all()
    worse = score_crossings(wrong, targets, face_model, still, SIZE)
    assert (worse["landmark_error_384"] > 0.5).all()
    assert worse["expression_error"].tolist() == pytest.approx([0.5] * 4)
    matrix = speaker_matrix(worse)
    assert matrix.shape == (2, 2)
    assert "<svg" in to_svg(crossing_figure(matrix))


def test_a_short_target_plays_back_and_forth() -> None:
    assert back_and_forth(8, 4).tolist() == [0, 1, 2, 3, 2, 1, 0, 1]
    assert back_and_forth(3, 1).tolist() == [0, 0, 0]
    assert back_and_forth(2, 9).tolist() == [0, 1]


def test_the_breakdown_is_drawn(frames: pd.DataFrame) -> None:
    tables = {name: error_by(frames, name) for name in ("view", "phoneme", "second")}
    assert "left30" in to_svg(breakdown_figure(tables))


def test_the_map_of_voices_is_one_page_that_needs_no_network() -> None:
    rows = [
        (f"{who}{i}", who, i / 10, stage, float(i), float(i))
        for who in ("anna", "<b>")
        for i in range(3)
        for stage in ("before", "after")
    ]
    points = pd.DataFrame(rows, columns=["clip", "speaker", "time_s", "stage", "x", "y"])
    page = voice_page(IdentityMap(points, {"before": 0.951, "after": float("nan")}, 0.5))
    assert "probe right 95.1 %" in page
    assert "probe not asked" in page
    assert 'src="http' not in page
    assert "<html>" in page
