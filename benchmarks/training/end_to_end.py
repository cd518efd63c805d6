"""Whether pictures teach the audio networks: the joint stage with and without their gradients.

    python benchmarks/training/end_to_end.py --project . --env demo --steps 600 --seeds 0 1 2

Begins with the model that a prepared and trained project has after audio and renderer stage, and
goes on for as many steps in each way:

joint      the joint stage of the configuration, but always guided by what is heard (as the paper)
no_reach   the same, but the audio networks learn from Eq. 2 and 3 alone
apart      the audio networks likewise, the renderer from true landmarks

Scores are of the test split. E_ldmk is over that of a mouth held still; `painted` is the distance
of the lips' 20 points that the embedded nets find in the pictures painted from sound to those that
they find in the true ones, px of a 384 px crop. Nothing of it was learnt from these clips.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from pipelines.training.corpus import dataset_of_split, prepared_clip
from pipelines.variants.plan import laid_over
from talkin.evaluation import metrics, picture_metrics
from talkin.evaluation.heard_faces import hear_clip
from talkin.evaluation.held_out_windows import HeldOutWindows
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.footage.detection import FaceRegion, load_detector
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468
from talkin.networks.talking_face import TalkingFace
from talkin.training.config import TrainingConfig
from talkin.training.events import TrainingEvent
from talkin.training.joint import train_jointly

WAYS: dict[str, dict[str, Any]] = {
    "joint": {"picture_gradients_reach_audio": True, "true_landmarks": 0.0},
    "no_reach": {"picture_gradients_reach_audio": False, "true_landmarks": 0.0},
    "apart": {"picture_gradients_reach_audio": False, "true_landmarks": 1.0},
}
COLUMNS = ("ldmk_known", "ldmk_unseen", "r_known", "exp_known", "psnr_known", "painted_known")
_ENLARGED = 3


def main() -> None:
    """Print a row a way and a seed, then the differences from `no_reach`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="demo")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--settings", type=yaml.safe_load, default={}, help="over training.train")
    parser.add_argument("--windows", type=int, default=6, help="painted a clip")
    options = parser.parse_args()
    torch.set_num_threads(1)
    project = Project(options.project, options.env, options.settings)
    print(f"{'way':18} " + " ".join(f"{name:>13}" for name in COLUMNS) + "   cpu_s", flush=True)
    told("before", project.scores(project.start(), options.windows), 0.0)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in options.ways}
    for seed in options.seeds:
        for way in options.ways:
            began = time.process_time()
            model = project.trained(WAYS[way], options.steps, seed)
            spent = time.process_time() - began
            found[way].append(project.scores(model, options.windows))
            told(f"{way} {seed}", found[way][-1], spent)
    for way in [one for one in found if one != "no_reach" and "no_reach" in found]:
        pairs = zip(found[way], found["no_reach"], strict=True)
        rows = [{name: a[name] - b[name] for name in COLUMNS} for a, b in pairs]
        told(f"{way} less no_reach", {c: float(np.mean([r[c] for r in rows])) for c in COLUMNS}, 0)
        if len(rows) > 1:
            spread = {c: float(np.std([r[c] for r in rows], ddof=1)) for c in COLUMNS}
            told("  deviation", spread, 0)


def told(name: str, row: dict[str, float], spent_s: float) -> None:
    """Print a row."""
    print(f"{name:18} " + " ".join(f"{row[c]:13.4f}" for c in COLUMNS) + f" {spent_s:7.0f}")


@dataclass(frozen=True, eq=False)
class Held:
    """A test clip, its windows, and where the nets see the lips in its true pictures."""

    clip: Any
    is_known: bool
    windows: HeldOutWindows
    true: np.ndarray
    seen_lips: np.ndarray


class Project:
    """Clips, settings and networks of a trained project."""

    def __init__(self, folder: Path, env: str, settings: dict[str, Any]) -> None:
        """Read everything."""
        os.chdir(folder)  # the catalog's paths are relative
        loader = OmegaConfigLoader("conf", base_env="base", default_run_env=env)
        loader.merge_strategy["parameters"] = "soft"
        parameters = dict(loader["parameters"])
        self.catalog = DataCatalog.from_config(loader["catalog"])
        self.settings = laid_over(parameters["training"]["train"], settings)
        self.face_model = load_face_model(
            FaceModelConfig.model_validate(parameters["preprocess"]["face_model"])
        )
        self.judge = self.catalog.load("speaker_classifier")
        names = ("training_index", "face_parameters", "mfcc", "crops")
        self.index, *self.sources = (self.catalog.load(name) for name in names)
        shape = self.start().config
        sources = (self.index, *self.sources, self.face_model, shape)
        self.train = dataset_of_split("train", *sources)
        self.detector = load_detector()
        self.held: list[Held] = []

    def start(self) -> TalkingFace:
        """The model after audio and renderer stage, read anew."""
        return self.catalog.load("talking_face_after_renderer")

    def trained(self, way: dict[str, Any], steps: int, seed: int) -> TalkingFace:
        """The model after the joint stage, run in one of the ways."""
        never = {"validate_every": 10**6, "checkpoint_every": 10**6, "report_every": 200}
        changes = {"seed": seed, "threads": 1, "joint": {**way, "steps": steps}, **never}
        config = TrainingConfig.model_validate(laid_over(self.settings, changes))
        model = self.start()
        with tempfile.TemporaryDirectory() as scratch:
            train_jointly(
                model, self.train, config, Path(scratch), shown, classifier=self.judge.classifier
            )
        return model.eval()

    def scores(self, model: TalkingFace, n_windows: int) -> dict[str, float]:
        """Means over test clips."""
        self.held = self.held or list(self._held_out(model, n_windows))
        rows = [self._clip_scores(model, held) for held in self.held]
        return {
            name: float(np.nanmean([row.get(name, np.nan) for row in rows])) for name in COLUMNS
        }

    def _clip_scores(self, model: TalkingFace, held: Held) -> dict[str, float]:
        faces = hear_clip(held.clip, model, self.face_model, model.output_scale.mean.numpy())
        still = metrics.landmark_error(faces.still, faces.true)
        ratio = metrics.landmark_error(faces.audio, faces.true) / still
        if not held.is_known:
            return {"ldmk_unseen": ratio}
        row_of = np.full(len(held.clip.parameters), -1)
        row_of[faces.frames] = np.arange(len(faces.frames))
        painted = held.windows.rendered(model, faces.audio, row_of)
        mouths = [picture_metrics.region(of, model.config.mask_box) for of in (painted, held.true)]
        apart = np.linalg.norm(self._lips(painted) - held.seen_lips, axis=-1)
        openings = [metrics.mouth_opening(of) for of in (faces.audio, faces.true)]
        return {
            "ldmk_known": ratio,
            "r_known": metrics.correlation(*openings),
            "exp_known": metrics.expression_error(faces.audio_expression, faces.true_expression),
            "psnr_known": picture_metrics.psnr(*mouths),
            "painted_known": metrics.at_paper_size(float(apart.mean()), model.config.crop.size_px),
        }

    def _held_out(self, model: TalkingFace, n_windows: int) -> Any:
        rows = self.index[self.index["split"] == "test"].to_dict("records")
        for row in rows:
            clip = prepared_clip(row, *self.sources)
            windows = HeldOutWindows.of(clip, model.config.frames, n_windows)
            true = windows.true_frames(is_last_only=False)
            is_known = row["speaker"] in self.train.speakers
            yield Held(clip, is_known, windows, true, self._lips(true) if is_known else true)

    def _lips(self, pictures: np.ndarray) -> np.ndarray:
        """Lip points that the nets place, looking at the same part of every picture; crop px."""
        size = pictures.shape[1] * _ENLARGED
        region = FaceRegion(size / 2, size / 2, 1.1 * size, 0.0, 1.0)
        found = []
        for picture in pictures:
            large = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
            points = self.detector.place_points(large, region).points
            found.append(points[IBUG68_IN_MEDIAPIPE468][48:] / _ENLARGED)
        return np.stack(found)


def shown(event: TrainingEvent) -> None:
    """Tell of progress on one line."""
    print(f"  {event.stage} {event.step}/{event.n_steps} {event.steps_per_s:.1f}/s", end="\r")


if __name__ == "__main__":
    main()
