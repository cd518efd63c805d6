import numpy as np
import pandas as pd
import pytest

from talkin.evaluation.crossed_pictures import (
    COLUMNS,
    CrossedPicturesConfig,
    PaintedTarget,
    score_crossed_pictures,
    speaker_means,
)
from talkin.evaluation.crossings import HeardSource, own_and_others
from talkin.evaluation.report_groups import picture_words
from talkin.face3d.model import MorphableModel
from talkin.samples.dataset import PreparedClip

from .conftest import BOX, grey_of, make_clip, make_model

CLIPS = ((0, "anna", 40), (1, "anna", 31), (2, "bob", 25))


def painted_target(clip: PreparedClip, face_model: MorphableModel) -> PaintedTarget:
    """The truth of these clips: their own picture with the grey that stands for the opening."""
    assert clip.crops is not None
    crops = clip.crops.window(len(clip.crops) - 1, len(clip.crops))

    def true_crops(expression: np.ndarray, frames: np.ndarray) -> np.ndarray:
        face = clip.parameters.select(frames).with_expression(expression)
        pictures = crops[frames].copy()
        x0, y0, x1, y1 = BOX
        grey = grey_of(face.mouth_landmarks(face_model))
        pictures[:, y0:y1, x0:x1] = np.rint(grey)[:, None, None, None].astype(np.uint8)
        return pictures

    return PaintedTarget(clip, true_crops)


def scored(face_model: MorphableModel, mistake: float, n_windows: int = 1) -> pd.DataFrame:
    clips = [make_clip(face_model, seed, n, who) for seed, who, n in CLIPS]
    said = [clip.parameters.expression for clip in clips]
    sources = [
        HeardSource(clip.clip, clip.speaker, e + mistake, e)
        for clip, e in zip(clips, said, strict=True)
    ]
    targets = [painted_target(clip, face_model) for clip in clips]
    config = CrossedPicturesConfig(windows_per_pair=n_windows)
    return score_crossed_pictures(sources, targets, make_model(face_model), np.zeros(29), config)


def test_a_mouth_heard_and_painted_exactly_is_perfect_on_every_face(
    face_model: MorphableModel,
) -> None:
    found = scored(face_model, 0.0)
    assert len(found) == len(CLIPS) ** 2
    assert set(found["n_frames"]) == {7}
    assert (found["mouth_psnr.audio"] > 55).all()  # greys are rounded once
    assert found["mouth_psnr.renderer"].tolist() == found["mouth_psnr.audio"].tolist()
    assert found["mouth_psnr.still_mouth"].mean() < found["mouth_psnr.audio"].mean() - 5


def test_a_mouth_heard_wrongly_loses_pictures_but_not_the_renderer(
    face_model: MorphableModel,
) -> None:
    right, wrong = scored(face_model, 0.0), scored(face_model, 1.5)
    assert (wrong["mouth_psnr.audio"] < right["mouth_psnr.audio"]).all()
    assert wrong["mouth_psnr.renderer"].tolist() == right["mouth_psnr.renderer"].tolist()
    assert (wrong["psnr.audio"] > wrong["mouth_psnr.audio"]).all()  # the background is no feat


def test_windows_can_be_more_or_none(face_model: MorphableModel) -> None:
    assert set(scored(face_model, 0.0, 2)["n_frames"]) == {14}
    assert scored(face_model, 0.0, 0).empty


def test_own_faces_are_told_from_others(face_model: MorphableModel) -> None:
    found = scored(face_model, 0.0)
    means = own_and_others(found)
    own = found[found["source_speaker"] == found["target_speaker"]]
    assert len(own) == 5  # anna's two clips on both, bob's on his
    assert means["own_face"]["psnr.audio"] == pytest.approx(own["psnr.audio"].mean())
    assert speaker_means(found, "mouth_psnr.audio").shape == (2, 2)
    assert "own face: " in picture_words(means)
    assert set(means["own_face"]) == set(COLUMNS) - set(COLUMNS[:4]) - {"n_frames"}
    assert own_and_others(own)["other_face"] == {}
    assert picture_words(own_and_others(own)).count("painted from the sound") == 1


def test_filmed_clips_that_no_truth_can_be_painted_for_have_no_figures() -> None:
    nothing = pd.DataFrame([], columns=list(COLUMNS))
    assert own_and_others(nothing) == {"own_face": {}, "other_face": {}}
