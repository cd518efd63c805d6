"""What the speaker's geometry does to an edit: mouths as they are planned, beside the exact truth.

Every test clip of a synthetic project is made to say another speaker's sentence, in numbers alone.
The planned mouth landmarks are compared with those of the true face that says the true expression:
their distance as a share of that of the outer eye corners, and the gap of the inner lips in p, b
and m, where the true lips are closed. The mouth does what the networks hear, or exactly what was
said, which leaves the errors of the fit alone.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/geometry.py DATA [--habits people]
where DATA is a project's data folder after preprocessing and training, such as the demo's.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from talkin.editing.driving import DrivenMouth, DrivingConfig, mouth_of_speech
from talkin.editing.edit_clip import EditConfig
from talkin.editing.plan import EditPlan, plan_edit
from talkin.editing.request import read_speech
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.parameters import FaceParameters
from talkin.footage.detection import load_detector
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.tracking import track_landmarks
from talkin.networks.talking_face import TalkingFace
from talkin.samples.alignment import invert_transforms

_BILABIALS = frozenset("pbm")
_INNER_TOP, _INNER_BOTTOM = [13, 14, 15], [19, 18, 17]
_CLOSED = 0.006  # of the eye corners' distance: half a millimetre


class Job:
    """A clip that says another's sentence, and how that looks."""

    def __init__(self, data: Path, target: str, audio: str) -> None:
        """Read the truth."""
        truth = data / "01_raw/footage/truth"
        self.target, self.audio = target, audio
        self.video = data / f"01_raw/footage/clips/{target}.mp4"
        self.sound = data / f"01_raw/footage/clips/{audio}.mp4"
        self.face = FaceParameters.load(truth / f"{target}.parquet")
        self.said = FaceParameters.load(truth / f"{audio}.parquet").expression
        phones = pd.read_parquet(truth / f"{audio}.phonemes.parquet")
        times = np.arange(len(self.said)) / self.face.fps
        self.is_bilabial = np.zeros(len(times), bool)
        for phone in phones[phones["symbol"].isin(_BILABIALS)].itertuples():
            self.is_bilabial |= (times >= phone.start_s) & (times < phone.end_s)

    def score(self, plan: EditPlan, model: TalkingFace) -> tuple[float, float, float]:
        """Mean distance, the same less its mean over the clip, gap's error: shares of the eyes'."""
        n = min(len(plan), len(self.said))
        shown = self.face.select(plan.order[:n])
        true = shown.with_expression(self.said[:n]).mouth_landmarks(model.face_model)
        back = invert_transforms(plan.transforms[:n])
        planned = (
            np.einsum("fij,fpj->fpi", back[..., :2], plan.new_points[:n]) + back[:, None, :, 2]
        )
        size = shown.interocular_px[:, None]
        off = (planned - true) / size[..., None]
        gaps = [
            (points[:, _INNER_BOTTOM, 1] - points[:, _INNER_TOP, 1]).mean(1) / size[:, 0]
            for points in (planned, true)
        ]
        closed = self.is_bilabial[:n] & (np.abs(gaps[1]) < _CLOSED)
        gap = np.abs(gaps[0] - gaps[1])[closed]
        moving = np.linalg.norm(off - off.mean(axis=0), axis=2).mean()
        return float(np.linalg.norm(off, axis=2).mean()), float(moving), float(gap.mean())


def planned(
    job: Job, track: LandmarkTrack, geometry: np.ndarray | None, model: TalkingFace,
    fit: FitConfig, is_exact: bool,
) -> EditPlan:  # fmt: skip
    """The edit in numbers."""
    config = EditConfig()
    face = fit_clip(track, model.face_model, fit, geometry=geometry)
    if is_exact:
        mouth = DrivenMouth(job.said, np.ones(len(job.said), bool))
    else:
        sound = read_speech(job.sound, model.config.mfcc.sample_rate)
        mouth = mouth_of_speech(sound, face, model, model.face_model, DrivingConfig())
    return plan_edit(
        face, mouth, model.face_model, model.config.crop, config.driving.smoothing, config.timing
    )


def jobs_of(data: Path) -> list[tuple[str, Job]]:
    """Every test clip says a sentence of the next speaker's, as the demo's edits do."""
    manifest = pd.read_csv(data / "01_raw/footage/manifest.csv")
    test = manifest[manifest["split"] == "test"].sort_values("clip").to_dict("records")
    found = []
    for place, row in enumerate(test):
        after = [*test[place:], *test[:place]]
        other = next(
            r for r in after
            if r["speaker"] != row["speaker"] and r["sentence"] != row["sentence"]
        )  # fmt: skip
        found.append((row["speaker"], Job(data, row["clip"], other["clip"])))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--habits", default="people", choices=["off", "people", "drawn"])
    chosen = parser.parse_args()
    model = TalkingFace.load(chosen.data / "06_models/talking_face")
    fit, detector = FitConfig(detector_habits=chosen.habits), load_detector()
    jobs = jobs_of(chosen.data)
    print("landmarks  mouth     geometry  off %  moving %  p b m gap %   (of the eyes' distance)")
    tracks = {
        "prepared": lambda job: LandmarkTrack.load(
            chosen.data / f"02_intermediate/landmarks/{job.target}.parquet"
        ),
        "detected": lambda job: track_landmarks(job.video, detector),
    }
    for source, read in tracks.items():
        found = [replace(read(job), notes=[]) for _, job in jobs]
        for is_exact in (True, False):
            for of_speaker in (False, True):
                rows = []
                for (speaker, job), track in zip(jobs, found, strict=True):
                    place = chosen.data / f"03_primary/speaker_geometry/{speaker}.json"
                    known = np.array(json.loads(place.read_text())["geometry"])
                    geometry = known if of_speaker else None
                    plan = planned(job, track, geometry, model, fit, is_exact)
                    rows.append(job.score(plan, model))
                off, moving, gap = 100 * np.mean(rows, axis=0)
                mouth, whose = "exact" if is_exact else "heard", "speaker" if of_speaker else "clip"
                print(
                    f"{source:10s} {mouth:9s} {whose:9s} {off:5.2f}  {moving:8.2f}  {gap:11.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
