"""Footage and new speech in, the same footage with a mouth that speaks it out.

Two streaming passes: the first follows the face through the footage, from which the whole edit is
planned in numbers; the second decodes again, renders, composites and writes. No more than two
windows of pictures are held, so memory does not grow with the length of the clip.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict

from talkin.editing.driver import Driver
from talkin.editing.driving import DrivingConfig
from talkin.editing.driving_video import DrivingVideo
from talkin.editing.following import FaceFollower, Progress
from talkin.editing.footage_teeth import teeth_of_footage
from talkin.editing.mouth_source import mouth_source
from talkin.editing.painting import MouthPainter, PaintingConfig
from talkin.editing.pieces import Outputs, join_and_sign, write_pieces
from talkin.editing.plan import EditPlan, plan_edit
from talkin.editing.report import EditReport, StageClock, unedited_ranges
from talkin.editing.request import check_request, identity_of_edit
from talkin.editing.timing import TimingConfig, frames_in_order
from talkin.editing.unfinished import FRAMES_A_PIECE, FollowedFace, UnfinishedEdit, kept_folder
from talkin.face3d.fitting import FitConfig
from talkin.face3d.model import MorphableModel
from talkin.footage.detection import LandmarkSource
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.overlap import ahead
from talkin.footage.tracking import TrackingConfig
from talkin.footage.video import VideoInfo, probe_video
from talkin.provenance.credentials import EditCredential, Ingredient

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

Item = TypeVar("Item")
_FRAMES_AHEAD = 3  # pictures that wait between decoding, painting and encoding


class EditConfig(BaseModel):
    """Everything that shapes an edit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tracking: TrackingConfig = TrackingConfig()
    fit: FitConfig = FitConfig()
    driving: DrivingConfig = DrivingConfig()
    timing: TimingConfig = TimingConfig()
    painting: PaintingConfig = PaintingConfig()


def edit_clip(  # noqa: PLR0913, PLR0917 - an argument a thing that an edit needs
    video: Path,
    audio: Path | DrivingVideo,
    output: Path,
    model: "TalkingFace",
    face_model: MorphableModel,
    detector: LandmarkSource,
    config: EditConfig | None = None,
    progress: Progress | None = None,
    comparison: Path | None = None,
    unfinished: Path | None = None,
    ingredients: Sequence[Ingredient] | None = None,
    track: LandmarkTrack | None = None,
    geometry: Float[np.ndarray, "g"] | None = None,
) -> EditReport:
    """Make the person in a video say something else.

    The output has the footage's size and frame rate, the new sound, and the sound's length within
    one frame. Frames without a face pass through unedited. What is written carries signed content
    credentials (C2PA) that say it was edited, from what and by which model.

    Args:
        video: Footage of the target.
        audio: The new speech, any sound or video file; or a video whose face drives the mouth.
        output: The mp4 to write; an older one is replaced only by a whole new one.
        model: Trained networks.
        face_model: The face model that `model` was trained with.
        detector: Finds landmarks.
        config: Everything else.
        progress: Called with a stage's name, frames done and frames in all.
        comparison: Also write footage and edit beside each other here.
        unfinished: A folder for what is done, should the edit be stopped: the same call then goes
            on from there, and gives the same pictures as one that nothing stopped. It is deleted
            at the end. None keeps nothing.
        ingredients: What the credentials name; None for `video` and `audio` as they are.
        track: Landmarks of the footage at its own rate, where they are known; else `detector`
            finds them.
        geometry: Of the person in the footage, where it is known from other clips
            (`fit_geometry`), in standard deviations; else the footage alone has to tell it.

    Raises:
        FootageError: If a file cannot be read or written, or the footage is too short.
        NoFaceError: If the footage shows no face.
        ConfigurationError: If the face model is not the networks' own.
    """
    config = config or EditConfig()
    spoken = audio.path if isinstance(audio, DrivingVideo) else audio
    check_request([video, spoken], [output, comparison], model, face_model)
    clock, tell = StageClock(), progress or _silent
    info = probe_video(video)
    driver = Driver.of(audio, model)
    is_marked = config.painting.watermark is not None
    credential = credential_of(video, spoken, model, ingredients).model_copy(
        update={"is_watermarked": is_marked}
    )
    outputs = Outputs(output, comparison, info)
    belongs_to = identity_of_edit(
        [video, spoken],
        [driver.is_seen, comparison is not None, credential.model_version, face_model.name],
        [type(detector).__qualname__, config.model_dump(mode="json")],
        [
            "" if known is None else sha256(np.ascontiguousarray(known).data).hexdigest()
            for known in (None if track is None else track.points, geometry)
        ],
    )
    with kept_folder(unfinished, output, belongs_to) as work:
        follower = FaceFollower(face_model, detector, clock, tell, work)
        face = follower.follow(info, "footage", config.tracking, config.fit, track, geometry)
        mouth = driver.mouth(face, follower, model, face_model, config.driving, config.fit)
        with clock.stage("drive"):
            plan = plan_edit(
                face.parameters,
                mouth,
                face_model,
                model.config.crop,
                config.driving.smoothing,
                config.timing,
                face.cuts,
            )
        painter, notes = _painter(plan, info, face, model, face_model, config, clock)
        done = _paint_and_write(painter, plan, work, outputs, clock, tell)
        join_and_sign(len(plan), work, outputs, spoken, credential)
    return _report(output, info, plan, [*_continued(done), *face.notes, *notes], clock)


def credential_of(
    video: Path,
    audio: Path,
    model: "TalkingFace",
    ingredients: Sequence[Ingredient] | None = None,
) -> EditCredential:
    """What the edited file says of itself: ingredients, and the model by its weights."""
    if ingredients is None:
        ingredients = (
            Ingredient(role="target", path=video),
            Ingredient(role="audio", path=audio),
        )
    return EditCredential(ingredients=tuple(ingredients), model_version=model.version())


def _painter(
    plan: EditPlan,
    info: VideoInfo,
    face: FollowedFace,
    model: "TalkingFace",
    face_model: MorphableModel,
    config: EditConfig,
    clock: StageClock,
) -> tuple[MouthPainter, tuple[str, ...]]:
    """What paints, and what the user should know of where it takes the mouths from."""
    with clock.stage("gather mouths"):
        source = mouth_source(plan, info, face, model, face_model, config.painting)
    teeth = None
    if config.painting.use_teeth:
        with clock.stage("teeth"):
            teeth = teeth_of_footage(info, face, face_model, source.crop, config.painting.teeth)
    painting = config.painting.model_copy(update={"windowing": source.windowing})
    painter = MouthPainter(
        source.plan, source.render, source.crop, painting, clock, teeth, source.lent
    )
    return painter, source.notes


def _paint_and_write(
    painter: MouthPainter,
    plan: EditPlan,
    work: UnfinishedEdit,
    outputs: Outputs,
    clock: StageClock,
    tell: Progress,
) -> int:
    """The second pass, from the first piece that is missing; tells how many frames were there."""
    n_whole = work.whole_pieces(list(outputs.tracks))
    first, info = min(n_whole * FRAMES_A_PIECE, len(plan)), outputs.info
    if first == len(plan):
        return first
    decoded = frames_in_order(info.path, plan.order, info.fps, outputs.edited.parent)
    with clock.stage("all but following"), ExitStack() as stack:
        images = stack.enter_context(
            closing(ahead(_timed(decoded, clock, "decode"), _FRAMES_AHEAD))
        )
        painted = painter.paint(images, first)
        frames = stack.enter_context(closing(ahead(painted, _FRAMES_AHEAD)))
        write_pieces(_told(frames, tell, first, len(plan)), len(plan), work, outputs, clock)
    return first


def _continued(first: int) -> list[str]:
    return [f"the first {first} frames were kept from a run that was stopped"] if first else []


def _report(
    output: Path, info: VideoInfo, plan: EditPlan, notes: list[str], clock: StageClock
) -> EditReport:
    return EditReport(
        output=output,
        fps=info.fps,
        n_frames=len(plan),
        n_edited=int(plan.is_edited.sum()),
        unedited=unedited_ranges(plan.is_edited, "no face was found, or it could not be fitted"),
        frame_order=plan.order,
        ms_per_frame=clock.ms_per_frame(len(plan)),
        notes=[*plan.notes, *notes],
    )


def _timed(items: Iterable[Item], clock: StageClock, stage: str) -> Iterator[Item]:
    """Count the time that an iterator takes for its items."""
    source = iter(items)
    while True:
        with clock.stage(stage):
            try:
                item = next(source)
            except StopIteration:
                return
        yield item


def _told(items: Iterable[Item], tell: Progress, first: int, total: int) -> Iterator[Item]:
    for done, item in enumerate(items, start=first + 1):
        yield item
        tell("speaking", done, total)


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
