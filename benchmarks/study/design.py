"""The paper's design exported whole: 84 edits and 84 recordings; does anything but pictures tell?

    python benchmarks/study/design.py --model data/06_models/talking_face --work study_check

Renders four synthetic speakers seen from the seven cameras, three short clips each, lets the model
make each of them say another one's sentence, exports the study and looks at the files as a rater
with a debugger would: sizes, durations, rates, containers, dates, order. For every number it prints
how well it tells edits from recordings: the area under the ROC curve, 0.5 for not at all, beside
the range that random labels reach in 95 % of 2,000 draws. Clips that are there already are kept.
"""

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
from scipy.stats import rankdata

from talkin.avatar.corpus import render_clip
from talkin.avatar.plan import ClipPlan, CorpusConfig, plan_corpus
from talkin.editing.edit_clip import edit_clip
from talkin.footage.detection import DetectionConfig, load_detector
from talkin.networks.talking_face import TalkingFace
from talkin.study.config import DesignConfig
from talkin.study.export import ExportedStudy, export_study
from talkin.study.records import CHECK, OWN, REAL, read_key
from talkin.study.selection import ClipSource

N_DRAWS = 2000


def main() -> None:
    """Make the clips, export the study, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--work", type=Path, required=True, help="folder for clips and study")
    parser.add_argument("--size-px", type=int, default=160)
    options = parser.parse_args()
    corpus = CorpusConfig(
        seed=5,
        n_speakers=4,
        train_clips=0,
        validation_clips=0,
        test_clips=3,
        sentences_per_clip=1,
        grammar="grid",
        size_px=options.size_px,
    )
    sources = make_sources(corpus, options.work, TalkingFace.load(options.model))
    began, cpu = time.perf_counter(), time.process_time()
    place = options.work / f"study-{int(time.time())}"
    study = export_study(sources, place, place.with_suffix(".key.json"), design=DesignConfig())
    took = f"{time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of processor"
    print(f"{len(study.manifest.clips)} clips exported in {took}; missing: {study.choice.missing}")
    print_leaks(study)


def make_sources(corpus: CorpusConfig, work: Path, model: TalkingFace) -> list[ClipSource]:
    """Recordings, and of each an edit that speaks the next speaker's sentence."""
    plans = plan_corpus(corpus)
    detector = load_detector(DetectionConfig())
    found = []
    for number, plan in enumerate(plans):
        recording = work / "recordings" / f"{plan.clip}.mp4"
        if not recording.exists():
            recording.parent.mkdir(parents=True, exist_ok=True)
            render_clip(plan, corpus, recording.parent)
        found.append(source(recording, REAL, plan))
        print(f"\rrecording {number + 1} of {len(plans)}", end="", flush=True)
    per_speaker = len(plans) // corpus.n_speakers
    for number, plan in enumerate(plans):
        edit = work / "edits" / f"{plan.clip}.mp4"
        if not edit.exists():
            edit.parent.mkdir(parents=True, exist_ok=True)
            heard = found[(number + per_speaker) % len(plans)].path
            edit_clip(found[number].path, heard, edit, model, model.face_model, detector)
        found.append(source(edit, OWN, plan))
        print(f"\redit {number + 1} of {len(plans)}      ", end="", flush=True)
    print()
    return found


def source(path: Path, system: str, plan: ClipPlan) -> ClipSource:
    """A clip that the study may show."""
    return ClipSource(path, system, plan.speaker, plan.view, plan.clip)


def print_leaks(study: ExportedStudy) -> None:
    """What files tell of the kind of their clip."""
    kinds = {e.id: e.system for e in read_key(study.key_path, study.manifest).entries}
    shown = [clip.id for clip in study.manifest.clips if kinds[clip.id] != CHECK]
    is_edit = np.array([kinds[clip] == OWN for clip in shown])
    print(f"{is_edit.sum()} edits, {(~is_edit).sum()} recordings")
    files = [look_at(study.folder / "clips" / f"{clip}.mp4") for clip in shown]
    same = {name for name in files[0] if len({str(one[name]) for one in files}) == 1}
    print("the same for all:", ", ".join(sorted(same)))
    numbers = [name for name in files[0] if name not in same]
    columns = {name: np.array([float(str(one[name])) for one in files]) for name in numbers}
    columns["place in the order of names"] = np.arange(len(shown), dtype=float)
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(is_edit) for _ in range(N_DRAWS)]
    for name, values in columns.items():
        by_chance = np.quantile([area(values, labels) for labels in drawn], [0.025, 0.975])
        chance = f"{by_chance[0]:.2f} to {by_chance[1]:.2f}"
        print(f"{name:32} {area(values, is_edit):.2f}  (by chance {chance})")


def area(values: np.ndarray, is_edit: np.ndarray) -> float:
    """Area under the ROC curve of a number as a detector of edits."""
    n_edits, n_others = is_edit.sum(), (~is_edit).sum()
    ranks = rankdata(values)[is_edit].sum() - n_edits * (n_edits + 1) / 2
    return float(ranks / (n_edits * n_others))


def look_at(path: Path) -> Mapping[str, object]:
    """Everything of a file but its pictures and sound."""
    with av.open(str(path)) as media:
        picture, sound = media.streams.video[0], media.streams.audio[0]
        packets = [packet for packet in media.demux() if packet.size]
        of_picture = [packet for packet in packets if packet.stream.type == "video"]
        sizes = np.array([packet.size for packet in of_picture])
        return {
            "bytes of the file": path.stat().st_size,
            "date": path.stat().st_mtime_ns,
            "rights": path.stat().st_mode,
            "container": (media.format.name, sorted(media.metadata.items())),
            "picture format": (
                *(picture.codec_context.name, picture.profile, picture.width, picture.height),
                *(picture.average_rate, picture.time_base, picture.start_time),
                sorted(picture.metadata.items()),
            ),
            "sound format": (
                *(sound.codec_context.name, sound.rate, sound.layout.name, sound.time_base),
                *(sound.start_time, sorted(sound.metadata.items())),
            ),
            "codec parameters": bytes(picture.codec_context.extradata or b""),
            "frames": len(of_picture),
            "sound packets": len(packets) - len(of_picture),
            "sound less picture, ms": round(
                1000
                * float(sound.duration * sound.time_base - picture.duration * picture.time_base)
            ),
            "bytes of pictures": int(sizes.sum()),
            "bytes of pictures a frame": float(sizes.mean()),
            "intra frames": sum(packet.is_keyframe for packet in of_picture),
        }


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
