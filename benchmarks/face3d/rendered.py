"""Synthetic people as the embedded detector sees them, and their truth; kept between runs.

Rendering is what takes time, so landmarks and truth are kept in `$TALKIN_CACHE/benchmarks` (else
`~/.cache/talkin/benchmarks`) under a key of the corpus and of all code that draws or detects.
"""

import hashlib
import tempfile
from pathlib import Path

import talkin
from talkin.avatar.corpus import CorpusConfig, plan_corpus, render_clip
from talkin.avatar.plan import ClipPlan
from talkin.face3d.loading import cache_folder
from talkin.face3d.parameters import FaceParameters
from talkin.footage.detection import load_detector
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.tracking import track_landmarks

Truth = tuple[LandmarkTrack, FaceParameters]
SIZE_PX = 320
_SEED = 77  # other people than those from whom the detector's habits are learned
_SOURCES = ("avatar/*.py", "footage/mediapipe.py", "footage/tracking.py", "face3d/*fields.py")
_SOURCES += ("face3d/anatomy.py", "face3d/surface.py", "face3d/topology.py", "face3d/identity*.py")


def rendered_clips(view: str, n_speakers: int = 4, clips: int = 1) -> list[Truth]:
    """Detected landmarks and truth of `clips` sentences of each speaker, seen from one side."""
    config = CorpusConfig(
        seed=_SEED, n_speakers=n_speakers, n_unseen_speakers=0, train_clips=clips,
        validation_clips=0, test_clips=0, sentences_per_clip=1, views=(view,), size_px=SIZE_PX,
    )  # fmt: skip
    folder = cache_folder() / "benchmarks" / f"rendered-{_key(config)}"
    return [_seen(plan, config, folder) for plan in plan_corpus(config)]


def _seen(plan: ClipPlan, config: CorpusConfig, folder: Path) -> Truth:
    kept, true = folder / f"{plan.clip}.parquet", folder / f"{plan.clip}.truth.parquet"
    if not (kept.exists() and true.exists()):
        with tempfile.TemporaryDirectory() as name:
            render_clip(plan, config, Path(name))
            truth = FaceParameters.load(Path(name) / "truth" / f"{plan.clip}.parquet")
            track = track_landmarks(Path(name) / f"{plan.clip}.mp4", load_detector())
        folder.mkdir(parents=True, exist_ok=True)
        truth.save(true, source="renderer")
        track.save(kept)
    return LandmarkTrack.load(kept), FaceParameters.load(true)


def _key(config: CorpusConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    room = Path(talkin.__file__).parent
    for pattern in _SOURCES:
        for path in sorted(room.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
