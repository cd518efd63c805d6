"""Render the synthetic corpus, clip by clip: video with sound, and the exact truth beside it.

`render_with_expression` renders the truth of an edit: what the target clip would look like if its
speaker had said something else. Frame `frames[i]` of the target gives geometry, pose, lids, brows,
background and noise of output frame i; mouth, jaw and cheeks follow the given expression.
"""

import csv
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import numpy as np
from jaxtyping import Float, Int, UInt8

from talkin.avatar.performance import Performance, perform, truth_of, with_mouth_of
from talkin.avatar.person import build_person
from talkin.avatar.plan import ClipPlan, CorpusConfig, plan_corpus, speakers_of
from talkin.avatar.scene import Pose, Scene
from talkin.avatar.speech import save_phonemes
from talkin.errors import ConfigurationError
from talkin.face3d.parameters import FaceParameters
from talkin.files import replace_when_whole
from talkin.footage.audio import Audio
from talkin.footage.video_writer import VideoWriter

__all__ = [
    "ClipPlan",
    "CorpusConfig",
    "draw_with_expression",
    "plan_corpus",
    "render_clip",
    "render_with_expression",
    "write_manifest",
]


class ManifestRow(TypedDict):
    """One line of `manifest.csv`."""

    clip: str
    path: str
    speaker: str
    split: str
    view: str
    consent: str
    sentence: str


def render_clip(plan: ClipPlan, config: CorpusConfig, folder: Path) -> ManifestRow:
    """Render one clip: `<clip>.mp4`, `truth/<clip>.parquet`, `truth/<clip>.phonemes.parquet`.

    Args:
        plan: One of `plan_corpus(config)`.
        config: The corpus that the plan belongs to.
        folder: Where the corpus stands.

    Returns:
        The clip's line of the manifest, its path relative to `folder`.

    Raises:
        TalkinError: If speech cannot be made or a file cannot be written.
    """
    performance = perform(plan, config)
    path = folder / f"{plan.clip}.mp4"
    speech = performance.speech
    sound = Audio(speech.samples, speech.sample_rate)
    frames = np.arange(len(performance))
    _write_video(path, plan, config, performance.expression, performance.poses, frames, sound)
    truth = truth_of(performance.expression, performance.poses, _geometry(plan, config), config.fps)
    truth.save(folder / "truth" / f"{plan.clip}.parquet", source="renderer")
    save_phonemes(speech, folder / "truth" / f"{plan.clip}.phonemes.parquet")
    return ManifestRow(
        clip=plan.clip,
        path=path.name,
        speaker=plan.speaker,
        split=plan.split,
        view=plan.view,
        consent="synthetic",
        sentence=plan.sentence,
    )


def write_manifest(rows: Iterable[ManifestRow], folder: Path) -> Path:
    """Write `manifest.csv` of a rendered corpus, whole or not at all; returns its path."""
    path = folder / "manifest.csv"
    with (
        replace_when_whole(path) as part,
        part.open("w", newline="", encoding="utf-8") as opened,
    ):
        writer = csv.DictWriter(opened, fieldnames=list(ManifestRow.__annotations__))
        writer.writeheader()
        writer.writerows(rows)
    return path


def render_with_expression(
    plan: ClipPlan,
    config: CorpusConfig,
    expression: Float[np.ndarray, "frames expression"],
    path: Path,
    audio: Audio | Path | None,
    frames: Int[np.ndarray, "frames"] | None = None,
) -> FaceParameters:
    """Render the exact truth of an edit of a synthetic clip.

    Lids and brows stay those of the target frame, mouth, jaw and cheeks follow `expression`
    (`performance.with_mouth_of`).

    Args:
        plan: The target clip.
        config: The corpus that it belongs to.
        expression: Expression of the new speech, a row an output frame.
        path: Where the mp4 shall stand.
        audio: The new sound.
        frames: Target frame shown at each output frame; 0, 1, 2, ... by default.

    Returns:
        The parameters of the rendered frames.

    Raises:
        ConfigurationError: If `frames` names frames that the target does not have.
    """
    target = perform(plan, config)
    shown = np.arange(len(expression)) if frames is None else np.asarray(frames)
    if len(shown) != len(expression):
        raise ConfigurationError(
            f"frames: {len(shown)} target frames were given for {len(expression)} expressions"
        )
    if len(shown) and not (shown.min() >= 0 and shown.max() < len(target)):
        raise ConfigurationError(
            f"frames: clip {plan.clip} has frames 0 to {len(target) - 1}, frame "
            f"{shown.max()} was asked; select target frames for all {len(expression)} rows"
        )
    driven = with_mouth_of(target.expression[shown], np.asarray(expression, dtype=np.float64))
    poses = [target.poses[frame] for frame in shown]
    _write_video(path, plan, config, driven, poses, shown, audio)
    return truth_of(driven, poses, _geometry(plan, config), config.fps)


def draw_with_expression(
    plan: ClipPlan,
    config: CorpusConfig,
    expression: Float[np.ndarray, "frames expression"],
    frames: Int[np.ndarray, "frames"],
) -> list[UInt8[np.ndarray, "size size 3"]]:
    """Single pictures of the truth that `render_with_expression` makes a clip of, not encoded.

    Args:
        plan: The target clip.
        config: The corpus that it belongs to.
        expression: Of the new speech, a row a picture.
        frames: Target frame shown in each picture.
    """
    target = _performance(plan, config)
    driven = with_mouth_of(target.expression[frames], np.asarray(expression, dtype=np.float64))
    scene = scene_of(config, plan.speaker_index, plan.view)
    return [
        scene.draw(row, target.poses[frame], (plan.noise_seed, int(frame)))
        for row, frame in zip(driven, frames, strict=True)
    ]


def truth_of_clip(plan: ClipPlan, config: CorpusConfig) -> FaceParameters:
    """The truth of a planned clip without drawing it."""
    performance: Performance = perform(plan, config)
    return truth_of(performance.expression, performance.poses, _geometry(plan, config), config.fps)


@lru_cache(maxsize=2)
def scene_of(config: CorpusConfig, speaker_index: int, view: str) -> Scene:
    """The scene of one speaker and view; the last two are kept, so sort clips by speaker."""
    speaker = speakers_of(config)[speaker_index]
    return Scene(build_person(speaker), view, config.size_px, config.noise)


@lru_cache(maxsize=1)
def _performance(plan: ClipPlan, config: CorpusConfig) -> Performance:
    return perform(plan, config)


def _geometry(plan: ClipPlan, config: CorpusConfig) -> Float[np.ndarray, "geometry"]:
    return scene_of(config, plan.speaker_index, plan.view).person.geometry


def _write_video(
    path: Path,
    plan: ClipPlan,
    config: CorpusConfig,
    expression: Float[np.ndarray, "frames expression"],
    poses: list[Pose],
    frames: Int[np.ndarray, "frames"],
    audio: Audio | Path | None,
) -> None:
    scene = scene_of(config, plan.speaker_index, plan.view)
    size = config.size_px
    with VideoWriter(path, size, size, config.fps, audio=audio) as writer:
        for row, pose, frame in zip(expression, poses, frames, strict=True):
            writer.write(scene.draw(row, pose, (plan.noise_seed, int(frame))))
