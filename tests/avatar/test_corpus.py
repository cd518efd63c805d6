"""Rendered clips: the same to the bit, and true to the parameters written beside them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from talkin.avatar.corpus import (
    plan_corpus,
    render_clip,
    render_with_expression,
    scene_of,
    truth_of_clip,
    write_manifest,
)
from talkin.avatar.performance import perform, upper_part, with_mouth_of
from talkin.avatar.person import build_person, face_model
from talkin.avatar.plan import speakers_of, tiny_corpus
from talkin.avatar.scene import Scene
from talkin.avatar.speech import load_phonemes
from talkin.errors import ConfigurationError
from talkin.face3d.camera import project
from talkin.face3d.gaussian_process import action_units, face_anatomy
from talkin.face3d.parameters import FaceParameters
from talkin.footage.video import iter_frames, probe_video

CONFIG = tiny_corpus()
PLANS = plan_corpus(CONFIG)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    row = render_clip(PLANS[0], CONFIG, folder)
    write_manifest([row], folder)
    return folder


def test_frames_are_equal_to_the_bit_when_everything_is_built_anew() -> None:
    performance = perform(PLANS[0], CONFIG)
    pictures = []
    for _ in range(2):
        build_person.cache_clear()
        scene = Scene(build_person(speakers_of(CONFIG)[0]), "front", CONFIG.size_px, 1.0)
        pictures.append(scene.draw(performance.expression[9], performance.poses[9], (4, 9)))
    assert np.array_equal(*pictures)
    other_noise = scene.draw(performance.expression[9], performance.poses[9], (4, 10))
    assert not np.array_equal(pictures[0], other_noise)


def test_a_clip_has_a_truth_row_and_a_phoneme_time_for_all_of_it(corpus: Path) -> None:
    plan = PLANS[0]
    video = probe_video(corpus / f"{plan.clip}.mp4")
    truth = FaceParameters.load(corpus / "truth" / f"{plan.clip}.parquet")
    phonemes = load_phonemes(corpus / "truth" / f"{plan.clip}.phonemes.parquet")
    assert (video.width, video.height) == (CONFIG.size_px, CONFIG.size_px)
    assert video.n_frames == len(truth)
    assert video.has_audio
    assert phonemes[-1].end_s == pytest.approx(len(truth) / CONFIG.fps, abs=0.5 / CONFIG.fps + 1e-6)


def test_the_written_landmarks_are_the_projected_model(corpus: Path) -> None:
    truth = FaceParameters.load(corpus / "truth" / f"{PLANS[0].clip}.parquet")
    model = face_model()
    np.testing.assert_allclose(truth.landmarks, truth.project(model, model.landmarks68), atol=2e-3)


def test_true_landmarks_lie_on_the_vertices_that_the_picture_shows() -> None:
    scene = scene_of(CONFIG, 0, "front")
    performance = perform(PLANS[0], CONFIG)
    pose, expression = performance.poses[5], performance.expression[5]
    scene.draw(expression, pose, (0, 5))
    model, person = face_model(), scene.person
    points = project(
        model.vertices(person.geometry, expression),
        pose.rotation, pose.translation, np.asarray(pose.scale),
    )  # fmt: skip
    for vertex in (30, 33, 51, 57, 8, 27):  # nose, lips, chin: nothing hides them from the front
        x, y = np.rint(2 * points[vertex] + 0.5).astype(int)
        shown = scene.shown_triangles()[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
        assert (np.linalg.norm(points[shown] - points[vertex], axis=-1) < 3).any()
        assert vertex in shown


def test_opening_the_jaw_shows_what_is_inside_the_mouth() -> None:
    scene, units = scene_of(CONFIG, 0, "front"), action_units()
    pose = perform(PLANS[0], CONFIG).poses[0]
    anatomy = face_anatomy()
    inside = anatomy.vertices_of("teeth_upper", "teeth_lower", "tongue", "mouth_bag")
    shares = []
    for amount in (0.0, 0.9):
        face = amount * units["jaw_open"] + (1 - amount) * units["lips_close"]
        scene.draw(face.astype(np.float32), pose, (0, 0))
        shares.append(np.isin(scene.shown_triangles()[..., 0], inside).sum())
    assert shares[1] > 40
    assert shares[0] <= 0.1 * shares[1]


def test_the_truth_of_an_edit_with_its_own_expression_is_the_clip_itself(corpus: Path) -> None:
    plan = PLANS[0]
    truth = truth_of_clip(plan, CONFIG)
    path = corpus / "again.mp4"
    again = render_with_expression(plan, CONFIG, truth.expression, path, None)
    np.testing.assert_allclose(again.landmarks, truth.landmarks, atol=1e-2)
    first = next(iter(iter_frames(corpus / f"{plan.clip}.mp4"))).image.astype(int)
    second = next(iter(iter_frames(path))).image.astype(int)
    assert np.abs(first - second).mean() < 1.0


def test_an_edit_keeps_the_pose_and_blinks_of_the_frames_it_shows(tmp_path: Path) -> None:
    plan, units = PLANS[0], action_units()
    target = truth_of_clip(plan, CONFIG)
    frames = np.array([7, 8, 8, 9])
    mouth = np.tile(0.5 * units["jaw_open"], (4, 1))
    edit = render_with_expression(plan, CONFIG, mouth, tmp_path / "e.mp4", None, frames)
    np.testing.assert_array_equal(edit.rotation, target.rotation[frames])
    np.testing.assert_allclose(
        upper_part(edit.expression), upper_part(target.expression[frames]), atol=0.05
    )


def test_a_frame_that_the_target_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="frames"):
        render_with_expression(
            PLANS[0], CONFIG, np.zeros((1, 29)), tmp_path / "e.mp4", None, np.array([10_000])
        )


def test_a_blink_belongs_to_the_upper_face_and_an_open_jaw_does_not() -> None:
    units = action_units()
    model = face_model()
    lid = face_anatomy().curves["eye_l"]
    lips = model.landmarks68[48:]

    def moved(vertices: np.ndarray, expression: np.ndarray) -> float:
        return float(np.abs(model.expression_basis[vertices] @ expression).max())

    mixed = with_mouth_of(units["blink"][None], units["jaw_open"][None])[0]
    assert moved(lid, mixed - units["blink"]) < 0.25 * moved(lid, units["blink"])
    assert moved(lips, mixed - units["jaw_open"]) < 0.1 * moved(lips, units["jaw_open"])


def test_the_manifest_reads_back_as_it_was_written(corpus: Path) -> None:
    with (corpus / "manifest.csv").open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    plan = PLANS[0]
    assert list(rows[0]) == ["clip", "path", "speaker", "split", "view", "consent", "sentence"]
    assert rows[0]["clip"] == plan.clip
    assert rows[0]["sentence"] == plan.sentence
    assert rows[0]["consent"] == "synthetic"
    assert (corpus / rows[0]["path"]).is_file()
