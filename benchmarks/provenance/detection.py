"""How the detector of edits does on pictures that were encoded again or made smaller since.

    kedro run --pipelines=editing,detection --env=demo --params=editing.plan.n_crossed=16
    python benchmarks/provenance/detection.py [--project FOLDER]

Takes what `detection` measured (one pair a job: the edit, and its footage encoded alike), fits the
detector as it does, never to the speaker that it scores, and scores both clips of each pair after
each change. The area under the ROC is over clips; "found" and "false alarms" are at log odds 0,
which is where the detector stands after the change, without being fitted to changed pictures.
"""

import argparse
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.forensics.detector import DetectorConfig, EditDetector
from talkin.forensics.features import NAMES, features_of, mouth_square

_CHANGES = {
    "none": (1.0, None),
    "H.264 crf 23": (1.0, 23.0),
    "H.264 crf 28": (1.0, 28.0),
    "H.264 crf 33": (1.0, 33.0),
    "scaled to 0.75, crf 23": (0.75, 23.0),
}


def main() -> None:
    """Print a row a change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path())
    data = parser.parse_args().project / "data"
    config = DetectorConfig()
    frames = pd.read_parquet(data / "07_model_output/detection_frames.parquet")
    jobs = pd.read_parquet(data / "07_model_output/edits.parquet").set_index("job")
    manifest = pd.read_csv(data / "01_raw/footage/manifest.csv").set_index("clip")
    print("| change | edits found | false alarms | area under the ROC |\n| --- | --- | --- | --- |")
    for name, (scale, crf) in _CHANGES.items():
        scores, truth = [], []
        for job, of_job in frames.groupby("job"):
            detector = _fitted_without(frames, of_job["speaker"].iloc[0], config)
            target = jobs.loc[job, "target"]
            pair = (
                (True, data / f"07_model_output/edits/{job}.mp4"),
                (False, data / "01_raw/footage" / manifest.loc[target, "path"]),
            )
            track = LandmarkTrack.load(data / f"02_intermediate/landmarks/{target}.parquet")
            for is_edited, path in pair:
                features = _changed_features(path, track, is_edited, scale, crf, config)
                scores.append(detector.score(features).mean())
                truth.append(is_edited)
        _print_row(name, np.array(scores), np.array(truth))


def _fitted_without(frames: pd.DataFrame, speaker: str, config: DetectorConfig) -> EditDetector:
    rest = frames[frames["speaker"] != speaker]
    return EditDetector.fitted(
        rest[list(NAMES)].to_numpy(float), rest["is_edited"].to_numpy(bool), config
    )


def _changed_features(
    path: Path,
    track: LandmarkTrack,
    is_edited: bool,
    scale: float,
    crf: float | None,
    config: DetectorConfig,
) -> np.ndarray:
    info = probe_video(path)
    width, height = (2 * round(scale * side / 2) for side in (info.width, info.height))
    square = mouth_square(track, info.width, info.height)
    square = tuple(round(value * width / info.width) for value in square)
    with tempfile.TemporaryDirectory() as folder:
        if not is_edited:  # encoded twice like the edit
            path = _written(path, Path(folder) / "again.mp4", None, 17.0, config)
        if crf is not None:
            path = _written(path, Path(folder) / "changed.mp4", (width, height), crf, config)
        images = (frame.image for frame in islice(iter_frames(path), config.frames_per_clip))
        return features_of(images, square)


def _written(
    source: Path, goal: Path, size: tuple[int, int] | None, crf: float, config: DetectorConfig
) -> Path:
    info = probe_video(source)
    size = size or (info.width, info.height)
    with VideoWriter(goal, *size, info.fps, crf=crf) as writer:
        for image in _images(source, config.frames_per_clip):
            is_sized = size == image.shape[1::-1]
            writer.write(
                image if is_sized else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            )
    return goal


def _images(path: Path, n: int) -> Iterator[np.ndarray]:
    return (frame.image for frame in islice(iter_frames(path), n))


def _print_row(name: str, scores: np.ndarray, truth: np.ndarray) -> None:
    found, alarms = (scores[truth] > 0).sum(), (scores[~truth] > 0).sum()
    area = roc_auc_score(truth, scores)
    n_edited, n_filmed = truth.sum(), (~truth).sum()
    print(f"| {name} | {found} of {n_edited} | {alarms} of {n_filmed} | {area:.3f} |", flush=True)


if __name__ == "__main__":
    main()
