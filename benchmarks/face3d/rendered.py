"""Synthetic people as the embedded detector sees them, and their truth; kept between runs.

Rendering is what takes time, so landmarks and truth are kept in `$TALKIN_CACHE/benchmarks` (else
`~/.cache/talkin/benchmarks`) under a key of the corpus and of all code that draws or detects.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import talkin
from talkin.avatar.corpus import CorpusConfig, plan_corpus, render_clip
from talkin.avatar.motion import View
from talkin.avatar.plan import ClipPlan
from talkin.face3d.loading import cache_folder
from talkin.face3d.parameters import FaceParameters
from talkin.footage.detection import load_detector
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.tracking import track_landmarks

SIZE_PX = 320
FRESH_SEED = 3201  # people from whom no habit was learned and on whom nothing was chosen
_BILABIALS = frozenset("pbm")
_SOURCES = ("avatar/*.py", "footage/mediapipe.py", "footage/tracking.py", "face3d/*fields.py")
_SOURCES += ("face3d/anatomy.py", "face3d/surface.py", "face3d/topology.py", "face3d/identity*.py")


@dataclass(frozen=True, eq=False)
class Seen:
    """One rendered clip as the nets see it.

    Attributes:
        speaker: Who speaks.
        view: Where the camera stands.
        track: Detected landmarks.
        truth: The renderer's own parameters.
        is_bilabial: Frames in which p, b or m is said.
    """

    speaker: str
    view: str
    track: LandmarkTrack
    truth: FaceParameters
    is_bilabial: np.ndarray


def rendered_clips(
    views: tuple[View, ...], n_speakers: int = 8, clips: int = 2, seed: int = FRESH_SEED
) -> list[Seen]:
    """Detected landmarks and truth of `clips` sentences of each speaker from each side."""
    config = CorpusConfig(
        seed=seed, n_speakers=n_speakers, n_unseen_speakers=0, train_clips=clips,
        validation_clips=0, test_clips=0, sentences_per_clip=1, views=views, size_px=SIZE_PX,
    )  # fmt: skip
    folder = cache_folder() / "benchmarks" / f"rendered-{_key(config)}"
    return [_seen(plan, config, folder) for plan in plan_corpus(config)]


def _seen(plan: ClipPlan, config: CorpusConfig, folder: Path) -> Seen:
    kept, true = folder / f"{plan.clip}.parquet", folder / f"{plan.clip}.truth.parquet"
    said = folder / f"{plan.clip}.phonemes.parquet"
    if not (kept.exists() and true.exists() and said.exists()):
        with tempfile.TemporaryDirectory() as name:
            render_clip(plan, config, Path(name))
            truth = FaceParameters.load(Path(name) / "truth" / f"{plan.clip}.parquet")
            track = track_landmarks(Path(name) / f"{plan.clip}.mp4", load_detector())
            phonemes = pd.read_parquet(Path(name) / "truth" / f"{plan.clip}.phonemes.parquet")
        folder.mkdir(parents=True, exist_ok=True)
        phonemes.to_parquet(said)
        truth.save(true, source="renderer")
        track.save(kept)
    truth = FaceParameters.load(true)
    closed = _bilabial(pd.read_parquet(said), truth.time_s)
    return Seen(plan.speaker, plan.view, LandmarkTrack.load(kept), truth, closed)


def _bilabial(phonemes: pd.DataFrame, time_s: np.ndarray) -> np.ndarray:
    is_said = np.zeros(len(time_s), bool)
    for row in phonemes.itertuples():
        if row.symbol in _BILABIALS:
            is_said |= (time_s >= row.start_s) & (time_s < row.end_s)
    return is_said


def _key(config: CorpusConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    room = Path(talkin.__file__).parent
    for pattern in _SOURCES:
        for path in sorted(room.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
