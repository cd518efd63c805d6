"""How well planted audio offsets are found again, and what real or prepared footage has.

    python benchmarks/training/audio_offset.py --project .

Reads a prepared project's fitted faces and MFCC (`kedro run --pipelines=preprocess`), tells the
offsets it finds, then moves each clip's sound (with `--alike`: all clips of a speaker) by a random
whole number of rows within 0.3 s and tells how far the answers are from what was planted.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from talkin.face3d.parameters import FaceParameters
from talkin.samples.sync import (
    AudioOffset,
    LipsAndSound,
    estimate_offsets,
    lips_opening,
    moved_sound,
)

_HALF_A_FRAME_S = 0.02


def main() -> None:
    """Print what is found, and what is found again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--only", default="", help="clips whose name holds this")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alike", action="store_true", help="plant one offset a speaker")
    options = parser.parse_args()
    clips = read_clips(options.project / "data")
    found = estimate_offsets(clips)
    shown = [offset for name, offset in found.items() if options.only in name]
    sure = np.array([offset.offset_s for offset in shown if offset.is_confident])
    print(
        f"{len(shown)} clips, {len(sure)} confident: median {np.median(sure) * 1000:+.0f} ms, "
        f"deviation {np.std(sure) * 1000:.0f} ms, 5 to 95 % "
        f"{np.percentile(sure, 5) * 1000:+.0f} .. {np.percentile(sure, 95) * 1000:+.0f} ms; "
        f"{sum(offset.shift_s != 0 for offset in shown)} moved"
    )
    rng = np.random.default_rng(options.seed)
    group = {name: clip.speaker if options.alike else name for name, clip in clips.items()}
    late = {one: int(rng.integers(-30, 31)) / 100 for one in sorted(set(group.values()))}
    planted = {name: late[group[name]] for name in clips}
    moved = {
        name: replace(clip, mfcc=moved_sound(clip.mfcc, -planted[name]))
        for name, clip in clips.items()
    }
    again = estimate_offsets(moved)
    asked = [n for n in again if options.only in n and again[n].is_confident]
    for against, zero in (("0", dict.fromkeys(asked, 0.0)), ("itself", offsets(found))):
        error = np.array([again[n].offset_s - planted[n] - zero[n] for n in asked])
        print(
            f"planted within 0.3 s, against {against}: {len(asked)} confident, error median "
            f"{np.median(np.abs(error)) * 1000:.0f} ms, 95 % "
            f"{np.percentile(np.abs(error), 95) * 1000:.0f} ms, within half a frame "
            f"{np.mean(np.abs(error) <= _HALF_A_FRAME_S):.0%}"
        )


def offsets(found: dict[str, AudioOffset]) -> dict[str, float]:
    """What was found before anything was planted."""
    return {name: offset.offset_s for name, offset in found.items()}


def read_clips(data: Path) -> dict[str, LipsAndSound]:
    """Lips and sound of all prepared clips."""
    index = pd.read_parquet(data / "05_model_input/training_index.parquet")
    speakers = dict(zip(index["clip"], index["speaker"], strict=True))
    clips = {}
    for path in sorted((data / "03_primary/face_parameters").glob("*.parquet")):
        sound = data / "04_feature/mfcc" / path.name
        if sound.exists():
            face = FaceParameters.load(path)
            mfcc = pd.read_parquet(sound).drop(columns="time_s").to_numpy(dtype=np.float32)
            opening = lips_opening(face.landmarks, face.interocular_px)
            whose = speakers.get(path.stem, "")
            clips[path.stem] = LipsAndSound(opening, face.time_s, face.is_valid, mfcc, whose)
    return clips


if __name__ == "__main__":
    main()
