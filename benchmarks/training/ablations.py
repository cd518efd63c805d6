"""What each part of the audio side is worth: a row a variant, with the spread over seeds.

    python benchmarks/training/ablations.py --project . --env demo --seeds 0 1 2
    python benchmarks/training/ablations.py --spoken 3 --variants as_configured landmarks_2d
    python benchmarks/training/ablations.py --sound '{front_end: log_mel, has_deltas: true}'

Only the speaker classifier and the audio networks are trained; pictures are not read. The corpus is
a prepared project's, or with `--spoken SEED` one of sound and exact faces made on the spot
(spoken_corpus.py), which has turned views and other accents. A variant is a change of the
parameters under `training`, nothing else. `split` trains a model a speaker (Table 3). Scores are of
the test split: E_ldmk over that of a mouth held still, Pearson's r of the mouth opening, E_exp, and
the share of p, b and m on which the lips meet; for the training's speakers, for others, on turned
views alone (the training's speakers) and in other accents (others). Probes: see probes.py.
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
from probes import probed
from spoken_corpus import HeardClip, planned, spoken_clips

from pipelines.training.corpus import prepared_clip
from pipelines.training.kept_speech import spoken_once
from talkin.avatar.spoken import SpokenConfig
from talkin.evaluation.articulation import bilabial_closure
from talkin.evaluation.clip_scores import ClipScoreConfig
from talkin.evaluation.heard_faces import hear_clip
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.face3d.model import MorphableModel
from talkin.footage.mfcc import MfccConfig, compute_mfcc
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.alignment import CropConfig
from talkin.samples.dataset import PreparedClip, TalkingDataset
from talkin.samples.sync import moved_sound
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import TrainingConfig
from talkin.training.validation import hearing_errors
from talkin.training.whole import new_talking_face, train_talking_face

VARIANTS: dict[str, dict[str, Any]] = {
    "as_configured": {},
    "no_identity_removal": {"model": {"identity_removal": {"is_used": False}}},
    "frozen_judge": {"train": {"audio": {"judge": "frozen"}}},
    "one_small_judge": {
        "model": {"identity_removal": {"correction_channels": 0}},
        "train": {"audio": {"judge": "refreshed"}, "losses": {"speaker_confusion": 2.0}},
    },
    "equation_1_alone": {"model": {"identity_removal": {"correction_channels": 0}}},
    "confusion_4": {"train": {"losses": {"speaker_confusion": 4.0}}},
    "confusion_16": {"train": {"losses": {"speaker_confusion": 16.0}}},
    "voice_as_given": {"model": {"window": {"voice": "as_given"}}},
    "landmarks_2d": {"model": {"predict": "landmarks"}},
    "no_mouth_shape": {"train": {"losses": {"mouth_shape": 0.0}}},
    "no_expression": {"train": {"losses": {"expression": 0.0}}},
    "no_speaker_confusion": {"train": {"losses": {"speaker_confusion": 0.0}}},
    "split": {},
}
GROUPS = ("known", "unseen", "turned", "accent")
SHUT_MM = ClipScoreConfig().closed_mm
COLUMNS = (
    "ldmk_known", "ldmk_unseen", "ldmk_turned", "ldmk_accent", "r_known", "r_unseen", "r_accent",
    "exp_known", "exp_unseen", "closed_known", "closed_unseen", "closed_accent", "probe",
    "conv_probe",
)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="demo")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--settings", type=Path, help="YAML laid over the parameters")
    parser.add_argument("--spoken", type=int, help="seed of a corpus of sound and exact faces")
    parser.add_argument("--sound", type=yaml.safe_load, help="preprocess.mfcc to hear anew, YAML")
    parser.add_argument("--steps", type=int, help="of the audio stage")
    parser.add_argument(
        "--speech-first",
        type=Path,
        metavar="FOLDER",
        help="learn from synthetic speech first, as training.spoken says; it is kept there",
    )
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
        if options.sound:
            self.parameters = merged(self.parameters, {"preprocess": {"mfcc": options.sound}})
        self.mfcc = MfccConfig(**self.parameters["preprocess"]["mfcc"])
        if options.spoken is None:
            catalog = DataCatalog.from_config(loader["catalog"])
            self.clips = self._prepared(catalog, hears_anew=bool(options.sound))
        else:
            crop = CropConfig(**self.parameters["preprocess"]["crop"])
            self.clips = spoken_clips(planned(options.spoken), crop, self.mfcc)
        self.speech = self._speech(options.speech_first) if options.speech_first else None
        self.face_model = load_face_model(
            FaceModelConfig.model_validate(self.parameters["preprocess"]["face_model"])
        )

    def _prepared(self, catalog: DataCatalog, hears_anew: bool) -> list[HeardClip]:
        index, faces, cepstra, crops = (
            catalog.load(name) for name in ("training_index", "face_parameters", "mfcc", "crops")
        )
        sounds = catalog.load("audio") if hears_anew else {}
        clips = []
        for row in index.to_dict("records"):
            clip = replace(prepared_clip(row, faces, cepstra, crops), crops=None)
            if hears_anew:
                mfcc = compute_mfcc(sounds[clip.clip], self.mfcc)
                clip = replace(clip, mfcc=moved_sound(mfcc, row["audio_shift_s"]))
            clips.append(HeardClip(row["split"], row["view"], clip))
        return clips

    def _speech(self, folder: Path) -> list[PreparedClip]:
        spoken = SpokenConfig.model_validate(self.parameters["training"]["spoken"])
        crop = CropConfig(**self.parameters["preprocess"]["crop"])
        return spoken_once(spoken.corpus, crop, self.mfcc, folder)

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
        chosen = [
            clip.prepared
            for clip in self.clips
            if clip.split == split and clip.prepared.speaker in speakers
        ]
        return TalkingDataset(
            chosen, self.face_model, shape.dataset, sorted(self.speakers("train"))
        )

    def speakers(self, split: str) -> set[str]:
        """Who speaks in a split."""
        return {clip.prepared.speaker for clip in self.clips if clip.split == split}

    def group(self, name: str, known: set[str], unseen: set[str]) -> list[HeardClip]:
        """Held-out clips of one kind."""
        speakers = known if name in ("known", "turned") else unseen
        return [
            clip
            for clip in self.clips
            if clip.split == ("accent" if name == "accent" else "test")
            and clip.prepared.speaker in speakers
            and (name != "turned" or clip.view != "front")
        ]


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
        train_talking_face(
            model,
            train,
            corpus.training(variant, seed),
            Path(folder),
            spoken=TalkingDataset(corpus.speech, corpus.face_model, shape.dataset)
            if corpus.speech
            else None,
        )
    found = {name: float("nan") for name in COLUMNS}
    for group in GROUPS:
        if clips := corpus.group(group, known, unseen):
            found |= group_score(corpus, model, clips, group)
    if len(heard) > 1:
        test = corpus.dataset("test", shape, known)
        return {**found, **probed(model, train.clips, test.clips)}
    return {**found, "chance": float("nan")}


def group_score(
    corpus: Corpus, model: TalkingFace, clips: list[HeardClip], group: str
) -> dict[str, float]:
    """Scores of a model on some clips, those of `COLUMNS` that the clips can tell."""
    heard = [clip.prepared for clip in clips]
    data = TalkingDataset(heard, corpus.face_model, model.config.dataset)
    errors = hearing_errors(model, AudioCorpus.of(data), 10**6)
    found = {
        f"ldmk_{group}": errors["landmark_error_ratio"],
        f"r_{group}": errors["mouth_opening_correlation"],
        f"exp_{group}": errors.get("expression_error", float("nan")),
        f"closed_{group}": closure_of(model, corpus.face_model, clips),
    }
    return {name: value for name, value in found.items() if name in COLUMNS}


def closure_of(model: TalkingFace, face_model: MorphableModel, clips: list[HeardClip]) -> float:
    """Share of p, b and m on which the lips meet; NaN where nobody knows the sounds."""
    still = model.output_scale.mean.numpy()
    shares = []
    for clip in clips:
        if clip.spoken is None or model.config.predict != "expression":
            return float("nan")
        faces = hear_clip(clip.prepared, model, face_model, still)
        gap_mm = faces.lip_gap_mm["audio"]
        shares.append(bilabial_closure(gap_mm, faces.time_s, clip.spoken.phonemes, SHUT_MM))
    return float(np.nanmean(shares))


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
