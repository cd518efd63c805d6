"""One geometry a speaker: from which clips it is found, and whom another clip makes go again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.clips import ParallelConfig
from pipelines.datasets.clip_files import ClipFilesDataset
from pipelines.datasets.records import StepRecordsDataset
from pipelines.preprocess.geometry import GeometryConfig, clips_of_speakers, find_geometry
from pipelines.preprocess.nodes import fit_faces
from pipelines.preprocess.tables import list_rejects
from pipelines.step_records import StepRecord
from talkin.face3d.camera import project
from talkin.face3d.fitting import FitConfig
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468, LandmarkTrack

ALONE = ParallelConfig(n_jobs=1, progress=False)
ROWS = [
    ("a1", "ada", "train"), ("a2", "ada", "train"), ("a3", "ada", "test"),
    ("b1", "bob", "test"), ("b2", "bob", "test"),
]  # fmt: skip


def footage(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["clip", "speaker", "split"]).assign(problem="")


def tracked(rows: list[tuple[str, str, str]]) -> dict[str, StepRecord]:
    return {clip: StepRecord(clip, "landmarks", f"of {clip}", "done") for clip, _, _ in rows}


def planted(clip: str, speaker: str) -> LandmarkTrack:
    model = load_face_model()
    random = np.random.default_rng(sum(clip.encode()))
    geometry = np.random.default_rng(sum(speaker.encode())).normal(size=model.n_geometry)
    expression = random.normal(size=(12, model.n_expression))
    points = model.points(model.landmarks68, geometry, expression)
    picture = project(points, np.zeros((12, 3)), np.full((12, 2), 200.0), np.full(12, 2.0))
    return LandmarkTrack(
        picture.astype(np.float32), "ibug68", np.ones(12, bool), np.ones(12, np.float32),
        np.arange(12) / 25, 25.0, 400, 400,
    )  # fmt: skip


class FaceStages:
    """The two nodes over a folder of landmarks."""

    def __init__(self, root: Path) -> None:  # noqa: D107
        places = {n: {"path": str(root / n), "kind": k} for n, k in (
            ("landmarks", "landmarks"), ("geometry", "json"), ("faces", "face_parameters"),
        )}  # fmt: skip
        self.data = {name: ClipFilesDataset(**place) for name, place in places.items()}
        self.records = {
            name: StepRecordsDataset(path=str(root / f"{name}_records"), results={name: place})
            for name, place in places.items()
        }

    def run(self, rows: list[tuple[str, str, str]], of: Any = "speaker") -> set[str]:
        """Fit everything; returns the clips that were fitted anew."""
        tracks = self.data["landmarks"]
        tracks.save({c: planted(c, s) for c, s, _ in rows if c not in tracks.load()})
        model, fit, done = FaceModelConfig(), FitConfig(), tracked(rows)
        shared, landmarks = GeometryConfig(of=of), tracks.load()
        self._keep("geometry", find_geometry(
            footage(rows), done, landmarks, self._before("geometry"), shared, model, fit, ALONE
        ))  # fmt: skip
        found = self.data["geometry"].load()
        return self._keep("faces", fit_faces(
            footage(rows), done, landmarks, found, self._before("faces"), model, fit, ALONE
        ))  # fmt: skip

    def _before(self, step: str) -> dict[str, StepRecord]:
        records = self.records[step]
        return records.load() if records.exists() else {}

    def _keep(self, step: str, chunks: Any) -> set[str]:
        made = set()
        for results, records in chunks:
            self.data[step].save(results)
            self.records[step].save(records)
            made |= {clip for clip, result in results.items() if result is not None}
        return made


def test_a_speaker_without_a_geometry_is_among_the_rejects_and_their_clips_are_fitted(
    tmp_path: Path,
) -> None:
    stages = FaceStages(tmp_path)
    tracks = stages.data["landmarks"]
    other = planted("a2", "ada")
    points = np.full((12, 468, 2), 200.0, np.float32)
    points[:, IBUG68_IN_MEDIAPIPE468] = other.points
    tracks.save({"a2": replace(other, points=points, scheme="mediapipe468")})
    assert stages.run(ROWS) == {"a1", "a2", "a3", "b1", "b2"}
    found = stages.records["geometry"].load()
    assert (found["ada"].state, found["bob"].state) == ("rejected", "done")
    rejects = list_rejects(footage(ROWS), found).to_dict("records")
    assert [(row["clip"], row["stage"]) for row in rejects] == [("speaker ada", "geometry")]
    assert "geometry of its own" in rejects[0]["reason"]
    assert "different layouts" in rejects[0]["reason"]


def test_test_clips_shape_no_geometry_where_there_are_others() -> None:
    chosen = clips_of_speakers(footage(ROWS), tracked(ROWS), GeometryConfig())
    assert {s: set(clips) for s, clips in chosen.items()} == {
        "ada": {"a1", "a2"}, "bob": {"b1", "b2"},
    }  # fmt: skip


def test_another_clip_seldom_changes_the_choice_among_many() -> None:
    many = [(f"clip{number:03d}", "ada", "train") for number in range(200)]
    config = GeometryConfig(max_clips=20)
    whole = clips_of_speakers(footage(many), tracked(many), config)["ada"]
    without = [
        clips_of_speakers(footage(kept), tracked(kept), config)["ada"]
        for kept in (many[:number] + many[number + 1 :] for number in range(200))
    ]
    assert len(whole) == 20
    assert sum(choice != whole for choice in without) == 20


def test_all_clips_of_a_speaker_have_one_geometry_and_a_new_one_moves_only_its_speaker(
    tmp_path: Path,
) -> None:
    stages = FaceStages(tmp_path)
    assert stages.run(ROWS) == {"a1", "a2", "a3", "b1", "b2"}
    faces = stages.data["faces"].load()
    for ours in (("a1", "a2", "a3"), ("b1", "b2")):
        shapes = {faces[clip].geometry.tobytes() for clip in ours}
        assert len(shapes) == 1
    assert not np.allclose(faces["a1"].geometry, faces["b1"].geometry)
    assert stages.run(ROWS) == set()
    assert stages.run([*ROWS, ("a5", "ada", "test")]) == {"a5"}
    assert stages.run([*ROWS, ("a4", "ada", "train")]) == {"a1", "a2", "a3", "a4"}


def test_clips_may_keep_a_geometry_of_their_own(tmp_path: Path) -> None:
    stages = FaceStages(tmp_path)
    stages.run(ROWS)
    assert stages.run(ROWS, of="clip") == {"a1", "a2", "a3", "b1", "b2"}
    faces = stages.data["faces"].load()
    assert not np.array_equal(faces["a1"].geometry, faces["a2"].geometry)
    assert list(stages.data["geometry"].load()) == []


@pytest.mark.parametrize("of", ["speaker", "clip"])
def test_two_runs_leave_the_same_bytes(tmp_path: Path, of: str) -> None:
    for name in ("one", "two"):
        FaceStages(tmp_path / name).run(ROWS[:2], of=of)
    first, second = (sorted((tmp_path / name).rglob("*.*")) for name in ("one", "two"))
    assert [p.read_bytes() for p in first if p.is_file()] == [
        p.read_bytes() for p in second if p.is_file()
    ]
