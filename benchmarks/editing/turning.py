"""Mouths that the footage lends where heads turn: the lent mouth in the whole mask, or set in.

Rendered people whose heads turn far say another's sentence; their exact edit is the truth. The
landmarks are those of the truth with 0.5 % noise, the expression is what was said: what is wrong
comes from the painting. Real clips (--real) say what another of them says, as the networks hear it;
there the footage itself stands for the truth past the jaw, where speech changes little. Printed are
mean differences in grey levels about the lips, in the rest of the face that is pasted, and in a
band of 4 to 12 mm past the jaw; and flicker about the lips: the root mean square of what differs
from the frame before, warped to the frame's landmarks, beside that of the truth (of real clips the
footage with its own mouth).

Run: OMP_NUM_THREADS=1 python benchmarks/editing/turning.py --model MODEL [--real CLIP ...]
[--speech FILE] [--pictures FOLDER]
"""

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np

from talkin.avatar import motion
from talkin.avatar.corpus import plan_corpus, render_clip, render_with_expression, truth_of_clip
from talkin.avatar.plan import CorpusConfig
from talkin.editing.driving import DrivenMouth, DrivingConfig, mouth_of_speech
from talkin.editing.mouth_source import mouth_source
from talkin.editing.painting import MouthPainter, PaintingConfig
from talkin.editing.plan import EditPlan, plan_edit
from talkin.editing.report import StageClock
from talkin.editing.request import read_speech
from talkin.editing.shots import cuts_of
from talkin.editing.timing import TimingConfig, frames_in_order
from talkin.editing.unfinished import FollowedFace
from talkin.face3d.fitting import fit_clip
from talkin.footage.detection import load_detector
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.tracking import track_landmarks
from talkin.footage.video import VideoInfo, probe_video
from talkin.networks.talking_face import TalkingFace
from talkin.samples.alignment import CropConfig, crop_frame, mask_box, resized_points
from talkin.samples.mouth_warp import MOUTH, MouthWarp

CORPUS = CorpusConfig(
    seed=31, n_speakers=4, train_clips=0, validation_clips=0, test_clips=1, sentences_per_clip=2,
    views=("front",), size_px=320,
)  # fmt: skip
TURNS_DEG = (6.0, 14.0, 5.0)  # pitch, yaw, roll: standard deviations
_MOST_FRAMES = 100


class Job(NamedTuple):
    """An edit in numbers, and the video that it should be like."""

    name: str
    info: VideoInfo
    face: FollowedFace
    plan: EditPlan
    truth: Path
    truth_order: np.ndarray


def rendered_jobs(folder: Path, model: TalkingFace) -> Iterator[Job]:
    """People whose heads turn, and what each would look like saying the next one's sentences."""
    motion._ROTATION_STD_RAD = np.deg2rad(TURNS_DEG)
    plans = plan_corpus(CORPUS)
    said = [truth_of_clip(plan, CORPUS).expression for plan in plans]
    for number, plan in enumerate(plans):
        render_clip(plan, CORPUS, folder)
        video = next(folder.rglob(f"{plan.clip}.mp4"))
        true, info = truth_of_clip(plan, CORPUS), probe_video(video)
        rng = np.random.default_rng(number)
        noise = rng.normal(size=true.landmarks.shape) * 0.005 * true.interocular_px[:, None, None]
        track = LandmarkTrack(
            (true.landmarks + noise).astype(np.float32), "ibug68", np.ones(len(true), bool),
            np.ones(len(true), np.float32), true.time_s, true.fps, info.width, info.height,
        )  # fmt: skip
        face = FollowedFace(
            fit_clip(track, model.face_model, geometry=true.geometry.astype(float)), [], []
        )
        spoken = said[(number + 1) % len(said)][: min(_MOST_FRAMES, len(true))]
        plan_ = planned(face, DrivenMouth(spoken, np.ones(len(spoken), bool)), model)
        truth = folder / f"{plan.clip}.truth.mp4"
        render_with_expression(plan, CORPUS, spoken, truth, None, plan_.order)
        yield Job(plan.clip, info, face, plan_, truth, np.arange(len(plan_)))


def real_jobs(clips: list[Path], speech: Path | None, model: TalkingFace) -> Iterator[Job]:
    """Filmed people who say what the next of them says, or a recording."""
    detector = load_detector()
    for number, clip in enumerate(clips):
        info = probe_video(clip)
        track = track_landmarks(clip, detector, fps=info.fps)
        cuts = cuts_of(track)
        face = FollowedFace(fit_clip(track, model.face_model, cuts=cuts), cuts, [])
        heard = speech or clips[(number + 1) % len(clips)]
        sound = read_speech(heard, model.config.mfcc.sample_rate)
        sound = replace(sound, samples=sound.samples[: 5 * sound.sample_rate])
        mouth = mouth_of_speech(sound, face.parameters, model, model.face_model, DrivingConfig())
        plan = planned(face, mouth, model)
        yield Job(clip.stem, info, face, plan, clip, plan.order)


def planned(face: FollowedFace, mouth: DrivenMouth, model: TalkingFace) -> EditPlan:
    """The edit in numbers."""
    driving = DrivingConfig()
    return plan_edit(
        face.parameters, mouth, model.face_model, model.config.crop, driving.smoothing,
        TimingConfig(), face.cuts,
    )  # fmt: skip


def score(job: Job, model: TalkingFace, is_set_in: bool, folder: Path | None) -> list[float]:
    """Differences about lips, in the face, past the jaw; flicker and the truth's own."""
    painting = PaintingConfig.model_validate({"mouth": {"source": "warp"}})
    source = mouth_source(job.plan, job.info, job.face, model, model.face_model, painting)
    lent = source.lent if is_set_in else replace(source.lent, inlay=None)
    painting = painting.model_copy(update={"windowing": source.windowing})
    painter = MouthPainter(
        source.plan, source.render, source.crop, painting, StageClock(), None, lent
    )
    x0, y0, x1, y1 = mask_box(source.crop)
    size, mm = source.crop.size_px, source.crop.px_per_mm
    crops: dict[str, list[np.ndarray]] = {"edit": [], "truth": []}
    errors = []
    with TemporaryDirectory() as name:
        footage = frames_in_order(job.info.path, job.plan.order, job.info.fps, Path(name))
        true = frames_in_order(job.truth, job.truth_order, job.info.fps, Path(name))
        with closing(painter.paint(footage)) as painted:
            for number, (frame, wanted) in enumerate(zip(painted, true, strict=True)):
                place = source.plan.transforms[number]
                edit, truth = (crop_frame(p, place, size) for p in (frame.edited, wanted))
                crops["edit"].append(edit)
                crops["truth"].append(truth)
                apart = np.abs(edit.astype(np.float32) - truth).mean(axis=2)
                errors.append(_by_region(apart, source.plan, number, mm, np.s_[y0:y1, x0:x1]))
                if folder is not None and number % 20 == 5:
                    way = "set_in" if is_set_in else "whole"
                    both = np.concatenate([frame.edited, wanted], axis=1)
                    cv2.imwrite(str(folder / f"{job.name}_{number}_{way}.png"), both[..., ::-1])
    wanted = resized_points(lent.wanted, lent.factor)
    filmed = wanted.copy()
    filmed[:, MOUTH] = source.plan.old_points
    is_real = job.truth == job.info.path
    shake = _flicker(crops["edit"], wanted, source.crop)
    return [
        *np.nanmean(errors, axis=0),
        shake,
        _flicker(crops["truth"], filmed if is_real else wanted, source.crop),
    ]


def _flicker(crops: list[np.ndarray], points: np.ndarray, crop: CropConfig) -> float:
    warp, squares = MouthWarp(crop), []
    x0, y0, x1, y1 = warp.box
    for t in range(1, len(crops)):
        carried = warp(crops[t - 1], points[t - 1], points[t]).astype(np.float32)
        apart = cv2.GaussianBlur(crops[t][y0:y1, x0:x1] - carried, (0, 0), 1.0)
        lips = _away(points[t][:20] - (x0, y0), apart.shape[:2]) <= 3 * crop.px_per_mm
        squares.append(np.mean(np.square(apart[lips])))
    return float(np.sqrt(np.mean(squares)))


def _by_region(
    apart: np.ndarray, plan: EditPlan, number: int, mm: float, box: tuple[slice, slice]
) -> list[float]:
    old, new = plan.old_points[number], plan.new_points[number]
    lips = _away(np.concatenate([old[:20], new[:20]]), apart.shape) <= 3 * mm
    away = _away(np.concatenate([old, new]), apart.shape)
    in_box = np.zeros(apart.shape, bool)
    in_box[box] = True
    regions = (lips, (away <= 0) & ~lips, (away > 4 * mm) & (away <= 12 * mm))
    return [float(apart[region & in_box].mean()) for region in regions]


def _away(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    filled = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    return cv2.distanceTransform(255 - filled, cv2.DIST_L2, 3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--real", type=Path, nargs="+", help="filmed clips instead of rendered")
    parser.add_argument("--speech", type=Path, help="what filmed people say")
    parser.add_argument("--pictures", type=Path, help="where pictures are written")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    model = TalkingFace.load(chosen.model)
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
    print("clip                    mouth     lips   face  past the jaw  flicker  truth's")
    rows: dict[bool, list[list[float]]] = {False: [], True: []}
    with TemporaryDirectory() as name:
        if chosen.real:
            jobs = real_jobs(chosen.real, chosen.speech, model)
        else:
            jobs = rendered_jobs(Path(name), model)
        for job in jobs:
            for is_set_in, found in rows.items():
                found.append(score(job, model, is_set_in, chosen.pictures))
                _print(job.name, is_set_in, found[-1])
    for is_set_in, found in rows.items():
        _print("mean", is_set_in, list(np.mean(found, axis=0)))


def _print(name: str, is_set_in: bool, row: list[float]) -> None:
    lips, face, past, shake, own = row
    way = "set in" if is_set_in else "whole"
    print(
        f"{name:22}  {way:8} {lips:5.2f}  {face:5.2f}  {past:12.2f}  {shake:7.2f}  {own:7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
