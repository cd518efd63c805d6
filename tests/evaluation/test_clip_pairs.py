from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from talkin.cli import main
from talkin.errors import FootageError
from talkin.evaluation.clip_folders import MatchedClips, match_clips, score_clips, unequal_lengths
from talkin.evaluation.clip_pairs import PairConfig, score_pair
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.pair_tables import pair_conditions, write_scores
from talkin.evaluation.summary import SummaryConfig
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.tracking import TrackingConfig
from talkin.footage.video import VideoWriter
from talkin.samples.alignment import CropConfig

from .conftest import make_clip

SIZE, FPS = 128, 25.0
CONFIG = PairConfig(crop=CropConfig(size_px=96))


def face_of(face_model: MorphableModel, seed: int, n: int = 24) -> FaceParameters:
    """A face that talks in the middle of a picture of `SIZE` px."""
    parameters = make_clip(face_model, seed, n).parameters
    grown = np.tile(np.array([[SIZE / 64, 0, 0], [0, SIZE / 64, 0.0]]), (n, 1, 1))
    return parameters.in_crop(grown)


class KnownLandmarks:
    """Gives each file the landmarks that were planted for it."""

    def __init__(self, model: MorphableModel, faces: dict[str, FaceParameters]) -> None:
        """Name the face of each file."""
        self._points = {
            name: face.project(model, model.landmarks68) for name, face in faces.items()
        }

    def track(
        self,
        path: Path,
        config: TrackingConfig,
        fps: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> LandmarkTrack:
        points = self._points[path.name].astype(np.float32)
        n = len(points)
        return LandmarkTrack(
            points=points,
            scheme="ibug68",
            is_found=np.ones(n, bool),
            score=np.ones(n, np.float32),
            time_s=np.arange(n) / FPS,
            fps=FPS,
            width=SIZE,
            height=SIZE,
        )


def write_clip(path: Path, seed: int = 0, noise: int = 0, size: int = SIZE, n: int = 24) -> Path:
    rng = np.random.default_rng(seed)
    picture = np.kron(rng.integers(40, 220, (8, 8, 1)), np.ones((size // 8, size // 8, 3)))
    sound = Audio(rng.normal(0, 0.1, int(n / FPS * 16000)).astype(np.float32), 16000)
    with VideoWriter(path, size, size, FPS, sound) as writer:
        for _ in range(n):
            noisy = picture + rng.normal(0, noise, picture.shape)
            writer.write(np.clip(noisy, 0, 255).astype(np.uint8))
    return path


@pytest.fixture(scope="module")
def scored(
    tmp_path_factory: pytest.TempPathFactory, face_model: MorphableModel
) -> dict[str, ClipScores]:
    folder = tmp_path_factory.mktemp("pairs")
    real = write_clip(folder / "real.mp4")
    faces = {
        "real.mp4": face_of(face_model, 1),
        "noisy.mp4": face_of(face_model, 1),
        "other.mp4": face_of(face_model, 2),
    }
    write_clip(folder / "noisy.mp4", noise=25)
    write_clip(folder / "other.mp4")
    detector = KnownLandmarks(face_model, faces)
    return {
        name: score_pair(name, real, folder / name, detector, face_model, CONFIG) for name in faces
    }


def test_a_clip_scored_against_itself_is_perfect(scored: dict[str, ClipScores]) -> None:
    fake = scored["real.mp4"].systems["fake"]
    assert fake["landmark_error_384"] == pytest.approx(0, abs=1e-6)
    assert fake["expression_error"] == pytest.approx(0, abs=1e-6)
    assert fake["lip_distance_384"] == pytest.approx(0, abs=1e-6)
    assert fake["mouth_opening_correlation"] == pytest.approx(1)
    assert fake["psnr"] == fake["mouth_psnr"] == 100
    assert fake["ssim"] == pytest.approx(1)


def test_noise_costs_pictures_and_another_mouth_costs_landmarks(
    scored: dict[str, ClipScores],
) -> None:
    noisy, other = (scored[name].systems["fake"] for name in ("noisy.mp4", "other.mp4"))
    assert noisy["psnr"] < 35
    assert noisy["ssim"] < 0.95
    assert noisy["mouth_flicker"] > scored["noisy.mp4"].systems["real"]["mouth_flicker"] + 1
    assert noisy["landmark_error_384"] == pytest.approx(0, abs=1e-6)
    assert other["landmark_error_384"] > 1
    assert other["mouth_opening_correlation"] < 0.9
    assert other["psnr"] > 40


def test_a_smaller_copy_is_brought_to_the_real_size_and_another_shape_is_refused(
    tmp_path: Path, face_model: MorphableModel
) -> None:
    real = write_clip(tmp_path / "real.mp4")
    write_clip(tmp_path / "small.mp4", size=SIZE // 2)
    face = face_of(face_model, 1)
    half = np.tile(np.array([[0.5, 0, 0], [0, 0.5, 0.0]]), (len(face), 1, 1))
    faces = {"real.mp4": face, "small.mp4": face.in_crop(half), "wide.mp4": face}
    detector = KnownLandmarks(face_model, faces)
    found = score_pair("s", real, tmp_path / "small.mp4", detector, face_model, CONFIG)
    assert found.systems["fake"]["landmark_error_384"] < 0.05
    with VideoWriter(tmp_path / "wide.mp4", 2 * SIZE, SIZE, FPS) as writer:
        writer.write(np.zeros((SIZE, 2 * SIZE, 3), np.uint8))
    with pytest.raises(FootageError, match="another shape of picture"):
        score_pair("w", real, tmp_path / "wide.mp4", detector, face_model, CONFIG)


def test_clips_are_matched_by_name_and_the_others_are_named(tmp_path: Path) -> None:
    for name in ("real/a.mp4", "real/sub/b.mov", "real/c.mp4", "fake/a.avi", "fake/sub/b.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    matched = match_clips(tmp_path / "real", tmp_path / "fake")
    assert list(matched.pairs) == ["a", "sub/b"]
    assert list(matched.rejects) == ["c"]
    with pytest.raises(FootageError, match="has the name of one"):
        match_clips(tmp_path / "real/sub", tmp_path / "fake")
    with pytest.raises(FootageError, match="no such folder"):
        match_clips(tmp_path / "nowhere", tmp_path / "fake")


def test_a_pair_that_does_not_last_equally_long_is_named(tmp_path: Path) -> None:
    def clip(name: str, n: int, fps: float) -> Path:
        with VideoWriter(tmp_path / name, 32, 32, fps) as writer:
            for _ in range(n):
                writer.write(np.full((32, 32, 3), 90, np.uint8))
        return tmp_path / name

    real = clip("real.mp4", 50, 25)
    pairs = {"short": (real, clip("a.mp4", 20, 25)), "faster": (real, clip("b.mp4", 60, 30))}
    lines = unequal_lengths(MatchedClips(pairs), list(pairs))
    assert lines == ["short lasts 0.80 s, the real clip 2.00 s: scored on what both show"]


def test_a_broken_clip_is_set_aside_and_the_others_are_written(
    tmp_path: Path, scored: dict[str, ClipScores]
) -> None:
    for side in ("real", "fake"):
        (tmp_path / side).mkdir()
        for name in ("good", "broken"):
            (tmp_path / side / f"{name}.mp4").touch()

    def score(name: str, real: Path, fake: Path) -> ClipScores:
        if name == "broken":
            raise FootageError(f"{fake}: no picture can be decoded")
        return scored["noisy.mp4"]

    scores, rejects = score_clips(match_clips(tmp_path / "real", tmp_path / "fake"), score)
    assert len(scores) == 1
    assert rejects.to_dict("records")[0]["clip"] == "broken"
    config = SummaryConfig(seed=7)
    conditions = pair_conditions(CONFIG, config, "planted landmarks")
    text = write_scores(tmp_path / "out", scores, rejects, conditions, config)
    assert "seed 7" in text
    assert "real, encoded again" in text
    assert "PSNR of the whole" in text
    assert "no picture" in (tmp_path / "out/rejects.csv").read_text()
    assert len(pd.read_parquet(tmp_path / "out/clips.parquet")) == 1


def test_the_report_command_says_where_it_lies_or_how_to_get_one(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    missing = CliRunner().invoke(main, ["report", str(page)])
    assert missing.exit_code == 1
    assert "kedro run --pipeline=evaluation" in missing.output
    page.write_text("<html></html>")
    assert str(page) in CliRunner().invoke(main, ["report", str(page)]).output
