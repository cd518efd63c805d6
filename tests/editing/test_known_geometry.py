import numpy as np
import pytest

from talkin.editing import edit_clip as editing
from talkin.errors import FaceModelError


@pytest.fixture
def planned(scene, monkeypatch):
    """The geometries of the faces for which edits were planned."""
    seen = []
    plan_edit = editing.plan_edit

    def watched(parameters, *rest):
        seen.append(parameters.geometry)
        return plan_edit(parameters, *rest)

    monkeypatch.setattr(editing, "plan_edit", watched)
    return seen


def test_an_edit_is_planned_with_the_geometry_that_is_known(scene, planned):
    video, speech = scene.video(lambda t: [scene.disc()]), scene.speech()
    known = np.array([0.5, -1.0, 0.25])
    scene.edit(video, speech, geometry=known)
    scene.edit(video, speech)
    assert np.allclose(planned[0], known)
    assert not np.allclose(planned[1], known)


def test_what_was_done_with_another_geometry_is_not_gone_on_with(scene, planned, tmp_path):
    video, speech, kept = scene.video(lambda t: [scene.disc()]), scene.speech(), tmp_path / "kept"

    def stopped(stage, done, total):
        if stage == "speaking":
            raise KeyboardInterrupt

    first, second = np.zeros(3), np.array([0.5, -1.0, 0.25])
    with pytest.raises(KeyboardInterrupt):
        scene.edit(video, speech, geometry=first, unfinished=kept, progress=stopped)
    assert (kept / "footage.parquet").exists()
    scene.edit(video, speech, geometry=second, unfinished=kept)
    assert np.allclose(planned[1], second)


def test_a_geometry_of_another_size_is_refused_by_the_name_of_the_clip(scene):
    video, speech = scene.video(lambda t: [scene.disc()]), scene.speech()
    with pytest.raises(FaceModelError, match=r"target.mp4: .* numbers of a geometry"):
        scene.edit(video, speech, geometry=np.zeros(5))
