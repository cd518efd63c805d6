from dataclasses import replace

import numpy as np
import pytest

from talkin.avatar.speech import Phoneme
from talkin.errors import ConfigurationError
from talkin.evaluation import painted_frames
from talkin.evaluation.clip_scores import ClipScoreConfig, ClipScores, KnownOfClip, evaluate_clip
from talkin.evaluation.painted_frames import PaintedFrames
from talkin.evaluation.picture_scores import PictureScores
from talkin.evaluation.summary import flat_metrics, summary_table
from talkin.face3d.model import MorphableModel
from talkin.networks.talking_face import TalkingFace

from .conftest import make_clip, make_model

STILL = np.zeros(29)
FACES_ONLY = ClipScoreConfig(scores_pictures=False)


@pytest.fixture(scope="module")
def perfect(face_model: MorphableModel) -> ClipScores:
    return evaluate_clip(make_clip(face_model), make_model(face_model), face_model, STILL)


def test_a_model_that_hears_and_paints_perfectly_gets_perfect_scores(perfect: ClipScores) -> None:
    audio, renderer = perfect.systems["audio"], perfect.systems["renderer"]
    assert audio["expression_error"] == pytest.approx(0, abs=1e-6)
    assert audio["landmark_error"] == pytest.approx(0, abs=1e-4)
    assert audio["mouth_opening_correlation"] == pytest.approx(1.0)
    assert renderer["mouth_psnr"] > 55
    assert renderer["mouth_ssim"] > 0.999
    assert audio["mouth_psnr"] == pytest.approx(renderer["mouth_psnr"], abs=1.0)


def test_the_still_mouth_is_worse_than_hearing_in_every_figure(perfect: ClipScores) -> None:
    audio, still = perfect.systems["audio"], perfect.systems["still_mouth"]
    for lower_is_better in ("expression_error", "landmark_error", "mouth_opening_error"):
        assert still[lower_is_better] > audio[lower_is_better]
    assert still["mouth_psnr"] < perfect.systems["renderer"]["mouth_psnr"] - 10
    assert still["psnr"] > still["mouth_psnr"]


def test_still_mouth_errors_are_those_worked_out_directly(
    face_model: MorphableModel, perfect: ClipScores
) -> None:
    parameters = make_clip(face_model).parameters
    still = parameters.with_expression(np.zeros((40, 29))).mouth_landmarks(face_model)
    distance = np.linalg.norm(still - parameters.mouth_landmarks(face_model), axis=-1).mean()
    found = perfect.systems["still_mouth"]
    assert found["landmark_error"] == pytest.approx(distance)
    assert found["landmark_error_384"] == pytest.approx(6 * distance)
    assert found["expression_error"] == pytest.approx(np.abs(parameters.expression).mean())


def test_encoding_the_truth_again_costs_little(perfect: ClipScores) -> None:
    again = perfect.systems["truth_reencoded"]
    assert 30 < again["psnr"] < 99
    assert again["ssim"] > 0.93


def test_a_constant_mistake_is_measured_as_it_was_made(face_model: MorphableModel) -> None:
    model = make_model(face_model)
    model.mistake = 0.25  # type: ignore[assignment]
    scores = evaluate_clip(make_clip(face_model), model, face_model, STILL, FACES_ONLY)
    assert scores.systems["audio"]["expression_error"] == pytest.approx(0.25, abs=1e-6)


def test_frames_without_a_face_do_not_count(face_model: MorphableModel) -> None:
    clip = make_clip(face_model)
    valid = np.ones(40, bool)
    valid[10:13] = False
    spoiled = clip.parameters.expression.copy()
    spoiled[10:13] = 50.0
    clip = replace(clip, parameters=replace(clip.parameters, is_valid=valid, expression=spoiled))
    scores = evaluate_clip(clip, make_model(face_model), face_model, STILL)
    assert scores.n_frames == 37
    assert len(scores.time_s) == len(scores.curves["true_opening"]) == 37
    assert scores.n_pictures == 28  # 0..6, then from 13 on: 13..19, 20..26, 27..33
    assert scores.systems["audio"]["expression_error"] < 1e-5


def test_a_clip_without_a_whole_window_is_heard_but_not_painted(
    face_model: MorphableModel,
) -> None:
    clip = make_clip(face_model)
    valid = np.arange(40) % 7 != 6
    clip = replace(clip, parameters=replace(clip.parameters, is_valid=valid))
    scores = evaluate_clip(clip, make_model(face_model), face_model, STILL)
    assert (scores.n_frames, scores.n_pictures, scores.worst) == (35, 0, [])
    assert "renderer" not in scores.systems
    assert "landmark_error.audio" in flat_metrics(summary_table([scores]))


def test_the_worst_frames_come_worst_first(face_model: MorphableModel) -> None:
    clip = make_clip(face_model)
    clip.crops.pictures[17] = 255 - clip.crops.pictures[17]  # type: ignore[union-attr]
    scores = evaluate_clip(
        clip, make_model(face_model), face_model, STILL, ClipScoreConfig(worst_frames=3)
    )
    assert scores.worst[0].frame == 17
    values = [shown.mouth_psnr_db for shown in scores.worst]
    assert values == sorted(values)
    np.testing.assert_array_equal(scores.worst[0].true, clip.crops.pictures[17])  # type: ignore[union-attr]


def test_the_worst_frame_is_that_of_the_way_which_draws_the_clip_better() -> None:
    true = np.full((3, 16, 16, 3), 100, np.uint8)
    network, footage = true + np.uint8(20), true + np.uint8(4)
    network[1], footage[2] = 140, 120
    drawn = {"renderer": network, "warp": footage, "audio": network}
    pictures = PictureScores((0, 0, 16, 16), 1)
    pictures.take([PaintedFrames(np.array([5, 6, 7]), true, drawn)])
    (shown,) = pictures.worst
    assert (shown.frame, shown.judged) == (7, "warp")
    assert set(shown.by_system) == set(drawn)
    assert not any(np.shares_memory(shown.by_system[name], drawn[name]) for name in drawn)


def test_a_long_clip_scored_in_stretches_scores_as_in_one(
    face_model: MorphableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, model = make_clip(face_model), make_model(face_model)
    clip.crops.pictures[17] = 255 - clip.crops.pictures[17]  # type: ignore[union-attr]
    whole = evaluate_clip(clip, model, face_model, STILL)
    monkeypatch.setattr(painted_frames, "_FRAMES_AT_ONCE", 2 * model.config.frames)
    parts = evaluate_clip(clip, model, face_model, STILL)
    assert parts.n_pictures == whole.n_pictures == 35
    assert [shown.frame for shown in parts.worst] == [shown.frame for shown in whole.worst]
    for metric in ("psnr", "mouth_psnr", "mouth_ssim", "mouth_sharpness"):
        of_parts, of_whole = parts.systems["renderer"][metric], whole.systems["renderer"][metric]
        assert of_parts == pytest.approx(of_whole, rel=1e-6)


def test_fewer_windows_are_spread_over_the_clip(face_model: MorphableModel) -> None:
    config = ClipScoreConfig(windows_per_clip=2, worst_frames=20)
    scores = evaluate_clip(make_clip(face_model), make_model(face_model), face_model, STILL, config)
    assert scores.n_pictures == 14
    assert sorted(shown.frame for shown in scores.worst) == [*range(7), *range(14, 21)]


def test_lip_closure_and_silence_need_phonemes(
    face_model: MorphableModel, perfect: ClipScores
) -> None:
    phonemes = [
        Phoneme("_", 0.0, 0.5, False),
        Phoneme("m", 0.5, 0.7, False),
        Phoneme("a", 0.7, 1.0, False),
        Phoneme("_", 1.0, 1.6, False),
    ]
    clip, known = make_clip(face_model), KnownOfClip(phonemes)
    generous = ClipScoreConfig(scores_pictures=False, closed_mm=1000.0)
    strict = ClipScoreConfig(scores_pictures=False, closed_mm=-1000.0)
    scores = [
        evaluate_clip(clip, make_model(face_model), face_model, STILL, config, known)
        for config in (generous, strict)
    ]
    assert scores[0].systems["truth"]["bilabial_closure"] == 1.0
    assert scores[1].systems["truth"]["bilabial_closure"] == 0.0
    assert scores[0].systems["audio"]["silence_movement"] > 0
    assert "silence_movement" not in scores[0].systems["still_mouth"]  # it never moves at all
    assert "bilabial_closure" not in perfect.systems["audio"]


def test_a_turning_head_is_not_a_moving_mouth(face_model: MorphableModel) -> None:
    clip = make_clip(face_model)
    turning = clip.parameters.rotation.copy()
    turning[:, 0] = np.linspace(-0.6, 0.6, 40)
    turned = replace(clip, parameters=replace(clip.parameters, rotation=turning))
    known = KnownOfClip([Phoneme("_", 0.0, 0.6, False), Phoneme("m", 0.6, 1.6, False)])
    found = [
        evaluate_clip(c, make_model(face_model), face_model, STILL, FACES_ONLY, known).systems
        for c in (clip, turned)
    ]
    assert found[0]["truth"] == pytest.approx(found[1]["truth"])
    assert "silence_movement" not in found[1]["still_mouth"]


def test_a_clip_without_a_face_or_pictures_is_named(face_model: MorphableModel) -> None:
    clip, model = make_clip(face_model, name="nobody"), make_model(face_model)
    blind = replace(clip, parameters=replace(clip.parameters, is_valid=np.zeros(40, bool)))
    with pytest.raises(ConfigurationError, match="nobody has no valid frame"):
        evaluate_clip(blind, model, face_model, STILL)
    with pytest.raises(ConfigurationError, match="nobody was prepared without its crops"):
        evaluate_clip(replace(clip, crops=None), model, face_model, STILL)


def test_untrained_real_networks_are_scored_from_end_to_end(face_model: MorphableModel) -> None:
    clips = [make_clip(face_model, seed, 20) for seed in range(2)]
    model = make_model(face_model, TalkingFace)
    scores = [evaluate_clip(clip, model, face_model, STILL) for clip in clips]
    flat = flat_metrics(summary_table(scores))
    for key in (
        "landmark_error.audio",
        "landmark_error.still_mouth",
        "expression_error.audio",
        "mouth_opening.correlation",
        "mouth_psnr.renderer",
        "mouth_psnr.still_mouth",
        "mouth_ssim.renderer",
        "psnr.renderer",
        "ssim.renderer",
        "psnr.truth_reencoded",
    ):
        assert np.isfinite(flat[key])
        assert flat[f"{key}.n_clips"] == 2
    assert flat["mouth_psnr.renderer.n_frames"] == 28
