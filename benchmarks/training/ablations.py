"""What each part of the audio side is worth, on a prepared corpus: a row a variant, with spread.

    python benchmarks/training/ablations.py --project . --env demo --seeds 0 1 2
    python benchmarks/training/ablations.py --variants as_configured no_identity_removal
    python benchmarks/training/ablations.py --sound '{front_end: log_mel, has_deltas: true}'

Only the speaker classifier and the audio networks are trained; pictures are not read. A variant is
a change of the parameters under `training`, nothing else. `split` trains a model a speaker
(Table 3). Scores are of the test split: E_ldmk over that of a mouth held still, Pearson's r of the
mouth opening, each for the training's speakers and for others; and a linear probe, trained on x' of
the training clips, that names the speakers of test clips (in percent, chance beside it).
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.training.corpus import prepared_clip
from talkin.evaluation.tsne import window_features
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.footage.mfcc import MfccConfig, compute_mfcc
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import PreparedClip, TalkingDataset
from talkin.samples.windows import audio_windows
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import TrainingConfig
from talkin.training.validation import hearing_errors
from talkin.training.whole import new_talking_face, train_talking_face

VARIANTS: dict[str, dict[str, Any]] = {
    "as_configured": {},
    "no_identity_removal": {"model": {"identity_removal": {"is_used": False}}},
    "frozen_judge": {"train": {"audio": {"judge": "frozen"}}},
    "voice_as_given": {"model": {"window": {"voice": "as_given"}}},
    "landmarks_2d": {"model": {"predict": "landmarks"}},
    "no_mouth_shape": {"train": {"losses": {"mouth_shape": 0.0}}},
    "no_expression": {"train": {"losses": {"expression": 0.0}}},
    "no_speaker_confusion": {"train": {"losses": {"speaker_confusion": 0.0}}},
    "split": {},
}
COLUMNS = ("ldmk_known", "ldmk_unseen", "r_known", "r_unseen", "exp_known", "exp_unseen", "probe")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="demo")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--settings", type=Path, help="YAML laid over the parameters")
    parser.add_argument("--sound", type=yaml.safe_load, help="preprocess.mfcc to hear anew, YAML")
    parser.add_argument("--steps", type=int, help="of the audio stage")
    options = parser.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus(options)
    print(f"{'variant':22} " + " ".join(f"{name:>13}" for name in COLUMNS) + "   chance cpu_s")
    for variant in options.variants:
        began = time.process_time()
        rows = [score(corpus, variant, seed) for seed in options.seeds]
        spent = (time.process_time() - began) / len(rows)
        cells = [shown([row[name] for row in rows]) for name in COLUMNS]
        chance = f"{rows[0]['chance']:8.1f}"
        print(f"{variant:22} " + " ".join(cells) + f" {chance} {spent:5.0f}", flush=True)


class Corpus:
    """Clips and parameters of a prepared project."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Read everything but the pictures."""
        settings = options.settings.resolve() if options.settings else None
        os.chdir(options.project)  # the catalog's paths are relative
        loader = OmegaConfigLoader("conf", base_env="base", default_run_env=options.env)
        loader.merge_strategy["parameters"] = "soft"
        self.parameters = dict(loader["parameters"])
        if settings:
            self.parameters = merged(self.parameters, yaml.safe_load(settings.read_text()))
        if options.steps:
            self.parameters = merged(
                self.parameters, {"training": {"train": {"audio": {"steps": options.steps}}}}
            )
        catalog = DataCatalog.from_config(loader["catalog"])
        index, faces, mfcc, crops = (
            catalog.load(name) for name in ("training_index", "face_parameters", "mfcc", "crops")
        )
        if options.sound:
            self.parameters = merged(self.parameters, {"preprocess": {"mfcc": options.sound}})
        heard_anew = MfccConfig(**self.parameters["preprocess"]["mfcc"]) if options.sound else None
        sounds = catalog.load("audio") if options.sound else {}
        self.clips: list[tuple[str, PreparedClip]] = []
        for row in index.to_dict("records"):
            clip = replace(prepared_clip(row, faces, mfcc, crops), crops=None)
            if heard_anew is not None:
                clip = replace(clip, mfcc=compute_mfcc(sounds[clip.clip], heard_anew))
            self.clips.append((row["split"], clip))
        self.face_model = load_face_model(
            FaceModelConfig.model_validate(self.parameters["preprocess"]["face_model"])
        )

    def shape(self, variant: str) -> TalkingFaceConfig:
        """The model's configuration in a variant."""
        preprocess = self.parameters["preprocess"]
        given = merged(self.parameters["training"], VARIANTS[variant])["model"]
        known = {"crop": preprocess["crop"], "mfcc": preprocess["mfcc"]}
        return TalkingFaceConfig.model_validate({**given, **known})

    def training(self, variant: str, seed: int) -> TrainingConfig:
        """How a variant is trained."""
        given = merged(self.parameters["training"], VARIANTS[variant])["train"]
        changes = {
            "seed": seed,
            "threads": 1,
            "device": "cpu",
            "stages": ["speaker_classifier", "audio"],
            "validate_every": 10**6,
            "report_every": 10**6,
        }
        return TrainingConfig.model_validate({**given, **changes})

    def dataset(self, split: str, shape: TalkingFaceConfig, speakers: set[str]) -> TalkingDataset:
        """The clips of a split and some speakers."""
        chosen = [clip for of, clip in self.clips if of == split and clip.speaker in speakers]
        return TalkingDataset(
            chosen, self.face_model, shape.dataset, sorted(self.speakers("train"))
        )

    def speakers(self, split: str) -> set[str]:
        """Who speaks in a split."""
        return {clip.speaker for of, clip in self.clips if of == split}


def score(corpus: Corpus, variant: str, seed: int) -> dict[str, float]:
    """Train a variant, or a model a speaker, and score it."""
    known = corpus.speakers("train")
    unseen = corpus.speakers("test") - known
    if variant != "split":
        return trained_score(corpus, variant, seed, known, known, unseen)
    each = [trained_score(corpus, variant, seed, {one}, {one}, set()) for one in sorted(known)]
    return {name: float(np.mean([row[name] for row in each])) for name in each[0]}


def trained_score(
    corpus: Corpus, variant: str, seed: int, heard: set[str], known: set[str], unseen: set[str]
) -> dict[str, float]:
    """Scores of a model that learnt from the speakers `heard`."""
    shape = corpus.shape(variant)
    train = corpus.dataset("train", shape, heard)
    if len(heard) == 1:
        train = TalkingDataset(train.clips, corpus.face_model, train.config, sorted(heard))
    model = new_talking_face(shape, train, seed)
    with tempfile.TemporaryDirectory() as folder:
        train_talking_face(model, train, corpus.training(variant, seed), Path(folder))
    found = {name: float("nan") for name in COLUMNS}
    for group, speakers in (("known", known), ("unseen", unseen)):
        if speakers:
            test = corpus.dataset("test", shape, speakers)
            errors = hearing_errors(model, AudioCorpus.of(test), 10**6)
            found[f"ldmk_{group}"] = errors["landmark_error_ratio"]
            found[f"r_{group}"] = errors["mouth_opening_correlation"]
            found[f"exp_{group}"] = errors.get("expression_error", float("nan"))
    if len(heard) > 1:
        test = corpus.dataset("test", shape, known)
        return {**found, **probed(model, train.clips, test.clips)}
    return {**found, "chance": float("nan")}


def probed(
    model: TalkingFace, train: tuple[PreparedClip, ...], test: tuple[PreparedClip, ...]
) -> dict[str, float]:
    """How often a linear probe on x' of the training clips names the speaker of test clips."""
    (x, speakers), (held_out, truth) = described(model, train), described(model, test)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.3))
    right = probe.fit(x, speakers).predict(held_out) == truth
    chance = max(np.mean(truth == one) for one in set(truth))
    return {"probe": 100 * float(right.mean()), "chance": 100 * float(chance)}


@torch.no_grad()
def described(model: TalkingFace, clips: tuple[PreparedClip, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of x' over windows, and who speaks in each."""
    features, speakers = [], []
    for clip in clips:
        times = clip.parameters.time_s[clip.parameters.is_valid][::2]
        windows = audio_windows(clip.mfcc, times, model.config.window)
        heard = model.without_identity(torch.from_numpy(windows.astype(np.float32))).numpy()
        features.append(window_features(heard))
        speakers.append(np.repeat(clip.speaker, len(times)))
    return np.concatenate(features), np.concatenate(speakers)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with changes laid over them."""
    result = dict(one)
    for key, value in other.items():
        is_deeper = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if is_deeper else value
    return result


def shown(values: list[float]) -> str:
    """Mean and deviation over seeds."""
    digits = 1 if np.nanmax([0, *values]) > 2 else 3
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return f"{np.mean(values):6.{digits}f}±{spread:6.{digits}f}"


if __name__ == "__main__":
    main()
