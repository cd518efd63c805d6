"""Learn how the embedded nets misplace points on drawn people (`face3d.detector_habits`).

Many synthetic people are drawn from all sides, speaking and with random faces; the nets place
their points; ridge regression finds what is to be added to the points so that they lie where the
model's are. Run `python -m talkin.avatar.habits` after a change of the model, of
`mesh468.json` or of how people are drawn: about twelve minutes on one core.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from talkin.avatar.calibration import _placed, _random_face
from talkin.avatar.corpus import CorpusConfig, plan_corpus
from talkin.avatar.motion import VIEWS, View
from talkin.avatar.performance import perform
from talkin.avatar.person import build_person, face_model
from talkin.avatar.plan import ALL_VIEWS, ClipPlan, speakers_of
from talkin.avatar.scene import Pose, Scene, framed_poses
from talkin.face3d.camera import project
from talkin.face3d.detector_habits import (
    HABITS_FILE,
    DetectorHabits,
    brought_to,
    mean_features,
    pose_features,
)
from talkin.face3d.model import MorphableModel
from talkin.footage.mediapipe import MediapipeDetector

_LIP_REACH_MM = 4.0
_RIGID_MM = 1.0
_MOUTH_REACH_MM = 25.0
_STRAY_PX = 0.01  # of the picture's side: how far the head is from its middle


class HabitsConfig(BaseModel):
    """How many pictures of how many people, and how stiffly the maps are fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: tuple[int, ...] = Field(default=(468, 469), description="each draws other people")
    n_speakers: int = Field(default=40, ge=2, description="people of each seed")
    n_pictures: int = Field(default=10, ge=2, description="pictures of each person and side")
    size_px: int = Field(default=320, ge=64, description="side of the pictures")
    n_turn_axes: int = Field(default=7, ge=3, description="axes from which the mean is read")
    n_pose_axes: int = Field(default=20, ge=4, description="axes from which turns are read")
    n_motion_axes: int = Field(default=60, ge=1, description="axes of motion: face, and mouth")
    mean_ridge: float = Field(default=10.0, gt=0, description="stiffness of the first map")
    pose_ridge: float = Field(default=100.0, gt=0, description="stiffness of the second map")
    motion_ridge: float = Field(default=100.0, gt=0, description="stiffness of the third map")


@dataclass(frozen=True, eq=False)
class HabitSightings:
    """Detected points beside the points of the model.

    Attributes:
        detected: px.
        true: Where the model's points are seen, px.
        group: Person and side; pictures of one group differ in expression and small turns.
        is_front: Whether the picture was taken from the front.
    """

    detected: Float[np.ndarray, "pictures 468 2"]
    true: Float[np.ndarray, "pictures 468 2"]
    group: Int[np.ndarray, "pictures"]
    is_front: np.ndarray


def gather_sightings(config: HabitsConfig) -> HabitSightings:
    """Draw and detect; pictures in which no face is found are left out."""
    detector, rows = MediapipeDetector(), []
    for seed in config.seeds:
        rng = np.random.default_rng(seed)
        plans = {view: _plans(seed, view, config) for view in ALL_VIEWS}
        for number in range(config.n_speakers):
            sides = ["front", *rng.choice(ALL_VIEWS[1:], 2, replace=False)]
            for side in sides:
                corpus, plan = plans[side][0], plans[side][1][number]
                group = (seed * config.n_speakers + number) * len(ALL_VIEWS)
                for detected, true in _seen_from(detector, plan, corpus, config, rng):
                    place = group + ALL_VIEWS.index(side)
                    rows.append((detected, true, place, side == "front"))
    return HabitSightings(*(np.array(column) for column in zip(*rows, strict=True)))


def learn_habits(
    seen: HabitSightings, config: HabitsConfig, model: MorphableModel
) -> DetectorHabits:
    """Ridge regressions: between groups, and two within them."""
    reference = _reference(seen)
    points, turn = brought_to(seen.detected.astype(np.float64), reference)
    count = len(points)
    flat = points.reshape(count, -1)
    away = seen.true - seen.detected
    plane = (away[..., 0] + 1j * away[..., 1]) / turn[:, None]
    wanted = np.concatenate([plane.real, plane.imag], axis=1)
    flat_mean, wanted_mean = _group_means(flat, seen.group), _group_means(wanted, seen.group)
    centre = flat.mean(0)
    turn_axes = _main_axes(flat - centre, config.n_turn_axes)
    places = model.mean[model.mesh468] + model.mesh468_offset
    away_mm = np.linalg.norm(places[:, None] - model.mean[model.landmarks68[48:]], axis=2).min(1)
    moved = flat - flat_mean
    of_mouth = moved * np.repeat(away_mm < _MOUTH_REACH_MM, 2)
    axes = [_main_axes(part, config.n_motion_axes) for part in (moved, of_mouth)]
    axes[1] = axes[1] * np.repeat(away_mm < _MOUTH_REACH_MM, 2)[:, None]
    motion_axes = np.concatenate(axes, axis=1)
    amounts = (flat_mean - centre) @ turn_axes
    features = mean_features(amounts)
    pose_axes = _main_axes(moved * np.repeat(_is_rigid(model), 2), config.n_pose_axes)
    turned = pose_features(moved @ pose_axes, amounts)
    return DetectorHabits(
        reference=reference,
        centre=centre,
        turn_axes=turn_axes,
        mean_map=_ridge(features, wanted_mean, config.mean_ridge),
        pose_axes=pose_axes,
        pose_map=_ridge(turned, wanted - wanted_mean, config.pose_ridge),
        motion_axes=motion_axes,
        motion_map=_ridge(moved @ motion_axes, wanted - wanted_mean, config.motion_ridge),
        is_lip=away_mm < _LIP_REACH_MM,
    )


def _is_rigid(model: MorphableModel) -> Bool[np.ndarray, "468"]:
    """Points that expressions hardly move: what moves them is the head."""
    moved = model.expression_basis[model.mesh468].astype(np.float64)
    return np.sqrt((moved**2).sum(axis=(1, 2))) < _RIGID_MM


def _plans(seed: int, view: View, config: HabitsConfig) -> tuple[CorpusConfig, list[ClipPlan]]:
    corpus = CorpusConfig(
        seed=seed, n_speakers=config.n_speakers, n_unseen_speakers=0, train_clips=1,
        validation_clips=0, test_clips=0, sentences_per_clip=1, views=(view,),
        size_px=config.size_px,
    )  # fmt: skip
    return corpus, sorted(plan_corpus(corpus), key=lambda plan: plan.speaker_index)


def _seen_from(
    detector: MediapipeDetector,
    plan: ClipPlan,
    corpus: CorpusConfig,
    config: HabitsConfig,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Detected and true points of one person from one side: half speaking, half random faces."""
    person = build_person(speakers_of(corpus)[plan.speaker_index])
    scene = Scene(person, plan.view, corpus.size_px, corpus.noise)
    spoken = perform(plan, corpus)
    half = config.n_pictures // 2
    chosen = rng.choice(len(spoken), half, replace=False)
    faces = [(spoken.expression[frame], spoken.poses[frame]) for frame in chosen]
    faces += [
        (_random_face(rng), _random_pose(rng, plan.view, corpus.size_px))
        for _ in range(config.n_pictures - half)
    ]
    model = face_model()
    for number, (expression, pose) in enumerate(faces):
        picture = scene.draw(np.asarray(expression, np.float32), pose, (plan.noise_seed, number))
        detected = _placed(detector, picture)
        if detected is not None:
            points = model.points(model.mesh468, person.geometry, expression) + model.mesh468_offset
            scale = np.asarray(pose.scale)
            yield detected, project(points, pose.rotation, pose.translation, scale)


def _random_pose(rng: np.random.Generator, view: View, size_px: int) -> Pose:
    spread = np.radians([9.0, 18.0, 5.0] if view == "front" else [8.0, 12.0, 5.0])
    rotation = np.clip(rng.standard_normal(3), -1.8, 1.8) * spread
    rotation += np.radians([*VIEWS[view], 0.0])
    rotation[1] = np.clip(rotation[1], -1.25, 1.25)
    sway = rng.normal(0, _STRAY_PX * size_px, (1, 2))
    return framed_poses(size_px, view, rotation[None], sway, rng.uniform(0.85, 1.05, 1))[0]


def _reference(seen: HabitSightings) -> Float[np.ndarray, "468 2"]:
    front = seen.detected[seen.is_front].astype(np.float64)
    reference = front[0] - front[0].mean(0)
    reference /= np.sqrt((reference**2).sum(1).mean())
    for _ in range(3):
        reference = brought_to(front, reference)[0].mean(0)
    return reference


def _group_means(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    _, which = np.unique(group, return_inverse=True)
    total = np.zeros((which.max() + 1, values.shape[1]))
    np.add.at(total, which, values)
    return (total / np.bincount(which)[:, None])[which]


def _main_axes(values: np.ndarray, count: int) -> np.ndarray:
    _, strength, axes = np.linalg.svd(values, full_matrices=False)
    return axes[:count].T / (strength[:count] / np.sqrt(len(values)))


def _ridge(features: np.ndarray, wanted: np.ndarray, stiffness: float) -> np.ndarray:
    held = stiffness * np.eye(features.shape[1])
    return np.linalg.solve(features.T @ features + held, features.T @ wanted)


def main(path: Path = HABITS_FILE) -> str:
    """Learn, write, and say how much of the error is explained."""
    config = HabitsConfig()
    seen = gather_sightings(config)
    learn_habits(seen, config, face_model()).save(path)
    return f"{len(seen.detected)} pictures; written to {path}"


if __name__ == "__main__":
    print(main())  # noqa: T201
