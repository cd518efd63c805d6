r"""How well real voices are heard that nobody trained on: a row a way of learning and a kind.

    python benchmarks/training/real_voices.py --project . --env laptop --person spk30 \
        --kinds grid=spk3 'web=spk[012].$' 'news=spk[89]|spk101' \
        --without 'spk09|spk16' --together 'spk93|spk101'

`--project` holds prepared footage of several people (`kedro run --pipelines=preprocess`); its own
splits are not read. With `--person` the footage to learn from is that person's alone, everybody
else is a stranger whose voice comes later; without, all people but a quarter of them, each quarter
in turn. Held out besides is every sixth clip of whoever has six: a known voice, another sentence.
Only the audio stage is trained. Of each kind: r, Pearson's correlation of the mouth opening within
a clip, weighted by frames; ldmk, E_ldmk over that of a mouth held still at the mean of all footage,
so that all rows share one; exp, E_exp. `loudness` learns nothing: r of the sound's own loudness.
"""

import argparse
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from ablations import Corpus, merged
from scipy.ndimage import gaussian_filter1d

from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import PreparedClip, TalkingDataset
from talkin.samples.sync import lips_opening
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import TrainingConfig
from talkin.training.validation import hearing_errors
from talkin.training.whole import new_talking_face, train_talking_face

_PLAIN = {"train": {"audio": {"voice_std": 0.0, "channel_std": 0.2}}}
WAYS: dict[str, tuple[bool, bool, dict[str, Any]]] = {  # speech first, footage, changes
    "loudness": (False, False, {}),
    "synthetic": (True, False, {}),
    "filmed_plain": (False, True, _PLAIN),
    "filmed": (False, True, {}),
    "synthetic_filmed": (True, True, {}),
    "synthetic_filmed_plain": (True, True, _PLAIN),
}
_FOLDS, _EVERY = 4, 6
Scores = dict[str, float]


@dataclass(frozen=True)
class Round:
    """What is learned from, and what is asked afterwards: clips by the name of their kind."""

    train: list[PreparedClip]
    asked: dict[str, list[PreparedClip]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="laptop")
    parser.add_argument("--person", help="the only one whose footage is learned from")
    parser.add_argument("--kinds", nargs="+", default=["all=."], help="NAME=REGEX of speakers")
    parser.add_argument("--without", help="REGEX of speakers left out")
    parser.add_argument("--together", help="REGEX of speakers who may be the same people")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sound", type=yaml.safe_load, help="preprocess.mfcc to hear anew, YAML")
    parser.add_argument("--speech", type=Path, default=Path("kept_speech"), help="kept there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.speech_first = options.speech.resolve()
    options.settings = options.spoken = options.steps = None
    corpus = Corpus(options)
    clips = [
        clip.prepared
        for clip in corpus.clips
        if not (options.without and re.match(options.without, clip.prepared.speaker))
    ]
    for way in options.ways:
        seeds = options.seeds if any(WAYS[way][:2]) else [0]
        found = [score(corpus, list(rounds(clips, options)), way, seed) for seed in seeds]
        print(f"{way} ({len(seeds)} seeds)")
        for kind in found[0]:
            cells = "  ".join(shown(found, kind, key) for key in found[0][kind])
            print(f"    {kind:16}{cells}", flush=True)


def shown(found: Sequence[dict[str, Scores]], kind: str, key: str) -> str:
    """Mean and deviation over seeds."""
    values = [one[kind][key] for one in found]
    spread = f" +-{np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{key} {np.mean(values):.3f}{spread}"


def rounds(clips: list[PreparedClip], options: argparse.Namespace) -> Iterator[Round]:
    """One round for a person, or one for each quarter of the people."""
    kinds = dict(one.split("=", 1) for one in options.kinds)
    held = held_out(clips)
    fold = folds(clips, kinds, options.together)
    for number in range(1 if options.person else _FOLDS):

        def is_known(clip: PreparedClip, number: int = number) -> bool:
            return clip.speaker == options.person if options.person else (
                fold[clip.speaker] != number)  # fmt: skip

        asked: dict[str, list[PreparedClip]] = defaultdict(list)
        for clip in clips:
            for kind, pattern in kinds.items():
                if re.match(pattern, clip.speaker) and not is_known(clip):
                    asked[f"{kind}, unseen"].append(clip)
                elif re.match(pattern, clip.speaker) and clip.clip in held:
                    asked[f"{kind}, known"].append(clip)
        yield Round([c for c in clips if is_known(c) and c.clip not in held], asked)


def held_out(clips: list[PreparedClip]) -> set[str]:
    """Every sixth clip of people who have six."""
    of: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        of[clip.speaker].append(clip.clip)
    return {one for names in of.values() if len(names) >= _EVERY for one in names[2::_EVERY]}


def folds(clips: list[PreparedClip], kinds: dict[str, str], together: str | None) -> dict[str, int]:
    """A quarter for each speaker, so that every kind has about as many frames in each."""
    same = {c.speaker: "same" if together and re.match(together, c.speaker) else c.speaker
            for c in clips}  # fmt: skip
    kind = {c.speaker: next((k for k, p in kinds.items() if re.match(p, c.speaker)), "")
            for c in clips}  # fmt: skip
    size: Counter[str] = Counter()
    for clip in clips:
        size[same[clip.speaker]] += len(clip.parameters)
    whose = {same[speaker]: kind[speaker] for speaker in sorted(same)}
    load: Counter[tuple[str, int]] = Counter()
    fold = {}
    for person in sorted(size, key=lambda name: (-size[name], name)):
        fold[person] = min(range(_FOLDS), key=lambda f: (load[whose[person], f], f))
        load[whose[person], fold[person]] += size[person]
    return {speaker: fold[person] for speaker, person in same.items()}


def score(corpus: Corpus, chosen: list[Round], way: str, seed: int) -> dict[str, Scores]:
    """Scores of each kind, over all rounds weighted by frames."""
    rows: dict[str, list[tuple[int, Scores]]] = defaultdict(list)
    everybody = {c.clip: c for one in chosen for cs in [one.train, *one.asked.values()] for c in cs}
    mean = np.concatenate([c.parameters.expression for c in everybody.values()]).mean(axis=0)
    model = None
    for one in chosen:
        if any(WAYS[way][:2]) and (model is None or WAYS[way][1]):
            model = trained(corpus, one.train, way, seed)
        for kind, clips in one.asked.items():
            found = {"r": loudness_r(clips)} if model is None else asked(corpus, model, clips, mean)
            rows[kind].append((sum(len(c.parameters) for c in clips), found))
    return {
        kind: {
            key: float(np.average([s[key] for _, s in row], weights=[n for n, _ in row]))
            for key in row[0][1]
        }
        for kind, row in sorted(rows.items())
    }


def trained(corpus: Corpus, filmed: list[PreparedClip], way: str, seed: int) -> TalkingFace:
    """The audio networks, trained one way."""
    has_speech, has_footage, change = WAYS[way]
    given = merged(corpus.parameters["training"], change)
    known = {name: corpus.parameters["preprocess"][name] for name in ("crop", "mfcc")}
    shape = TalkingFaceConfig.model_validate({**given["model"], **known})
    audio = given["train"]["audio"]
    if not has_footage:
        audio = {**audio, "steps": audio["spoken_steps"], "spoken_steps": 0}
    quiet = {"validate_every": 10**6, "report_every": 10**6, "threads": 1, "device": "cpu"}
    config = TrainingConfig.model_validate(
        {**given["train"], **quiet, "audio": audio, "seed": seed, "stages": ["audio"]}
    )
    speech = TalkingDataset(corpus.speech or [], corpus.face_model, shape.dataset)
    data = TalkingDataset(filmed, corpus.face_model, shape.dataset) if has_footage else speech
    model = new_talking_face(shape, data, seed)
    with tempfile.TemporaryDirectory() as folder:
        first = speech if has_speech and has_footage else None
        train_talking_face(model, data, config, Path(folder), spoken=first)
    return model


def asked(
    corpus: Corpus, model: TalkingFace, clips: list[PreparedClip], mean: np.ndarray
) -> Scores:
    """Scores of some clips, pooled."""
    data = AudioCorpus.of(TalkingDataset(clips, corpus.face_model, model.config.dataset))
    errors = hearing_errors(model, data, 10**6)
    batch = data.frames(torch.arange(len(data)))
    still = torch.from_numpy(mean.astype(np.float32)).expand_as(batch.expression).unsqueeze(1)
    resting = model.mouth_landmarks(still, batch.geometry, batch.pose.unsqueeze(1)).squeeze(1)
    true = model.mouth_landmarks(
        batch.expression.unsqueeze(1), batch.geometry, batch.pose.unsqueeze(1)
    ).squeeze(1)
    return {
        "r": errors["mouth_opening_correlation"],
        "ldmk": errors["landmark_error_px"] / (resting - true).norm(dim=-1).mean().item(),
        "exp": errors["expression_error"],
    }


def loudness_r(clips: list[PreparedClip]) -> float:
    """Correlation of the mouth opening with loudness, smoothed by 20 ms."""
    found = []
    for clip in clips:
        face = clip.parameters
        opening = lips_opening(face.landmarks, face.interocular_px)
        rows = np.round(face.time_s * 100).astype(int).clip(0, len(clip.mfcc) - 1)
        loud = gaussian_filter1d(clip.mfcc[:, 0].astype(float), 2)[rows]
        ok = face.is_valid & np.isfinite(opening)
        found.append((np.corrcoef(loud[ok], opening[ok])[0, 1], int(ok.sum())))
    return float(np.average([r for r, _ in found], weights=[n for _, n in found]))


if __name__ == "__main__":
    main()
