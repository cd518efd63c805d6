"""Footage and new speech in, the same footage with a mouth that speaks it out.

Two streaming passes: the first follows the face through the footage, from which the whole edit is
planned in numbers; the second decodes again, renders, composites and writes. No more than two
windows of pictures are held, so memory does not grow with the length of the clip.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from talkin.editing.driving import DrivingConfig
from talkin.editing.overlap import ahead
from talkin.editing.painting import MouthPainter, PaintedFrame, PaintingConfig
from talkin.editing.plan import EditPlan, plan_edit
from talkin.editing.rendering import renderer_of
from talkin.editing.report import EditReport, StageClock, unedited_ranges
from talkin.editing.request import check_request, read_speech
from talkin.editing.shots import crop_transforms_of_shots, cuts_of
from talkin.editing.side_by_side import beside
from talkin.editing.teeth import TeethDatabase
from talkin.editing.timing import TimingConfig, frames_in_order
from talkin.errors import NoFaceError
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.detection import LandmarkSource
from talkin.footage.tracking import LandmarkTrack, TrackingConfig, track_landmarks
from talkin.footage.video import VideoInfo, VideoWriter, iter_frames, probe_video
from talkin.provenance.credentials import EditCredential, Ingredient, signed_when_whole
from talkin.samples.alignment import crop_frame

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

Progress = Callable[[str, int, int], None]
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
    audio: Path,
    output: Path,
    model: "TalkingFace",
    face_model: MorphableModel,
    detector: LandmarkSource,
    config: EditConfig | None = None,
    progress: Progress | None = None,
    comparison: Path | None = None,
) -> EditReport:
    """Make the person in a video say something else.

    The output has the footage's size and frame rate, the new sound, and the sound's length within
    one frame. Frames without a face pass through unedited. What is written carries signed content
    credentials (C2PA) that say it was edited, from what and by which model.

    Args:
        video: Footage of the target.
        audio: The new speech, any sound or video file.
        output: The mp4 to write; an older one is replaced only by a whole new one.
        model: Trained networks.
        face_model: The face model that `model` was trained with.
        detector: Finds landmarks.
        config: Everything else.
        progress: Called with a stage's name, frames done and frames in all.
        comparison: Also write footage and edit beside each other here.

    Raises:
        FootageError: If a file cannot be read or written, or the footage is too short.
        NoFaceError: If the footage shows no face.
        ConfigurationError: If the face model is not the networks' own.
    """
    config = config or EditConfig()
    check_request([video, audio], [output, comparison], model, face_model)
    clock, tell = StageClock(), progress or _silent
    info = probe_video(video)
    sound = read_speech(audio, model.config.mfcc.sample_rate)
    parameters, cuts, notes = _follow_face(info, face_model, detector, config, clock, tell)
    with clock.stage("drive"):
        plan = plan_edit(parameters, sound, model, face_model, config.driving, config.timing, cuts)
    teeth = None
    if config.painting.use_teeth:
        with clock.stage("teeth"):
            teeth = _teeth_of_footage(info, parameters, cuts, model, face_model, config)
    painter = MouthPainter(
        plan, renderer_of(model), model.config.crop, config.painting, clock, teeth
    )
    decoded = frames_in_order(video, plan.order, info.fps, output.parent)
    with clock.stage("all but following"), ExitStack() as stack:
        images = stack.enter_context(
            closing(ahead(_timed(decoded, clock, "decode"), _FRAMES_AHEAD))
        )
        frames = stack.enter_context(closing(ahead(painter.paint(images), _FRAMES_AHEAD)))
        credential = credential_of(video, audio, model)
        _write(_told(frames, tell, len(plan)), info, audio, output, comparison, credential, clock)
    return _report(output, info, plan, notes, clock)


def _follow_face(
    info: VideoInfo,
    face_model: MorphableModel,
    detector: LandmarkSource,
    config: EditConfig,
    clock: StageClock,
    tell: Progress,
) -> tuple[FaceParameters, list[int], list[str]]:
    """The first pass: the fitted face, the footage's cuts, and what tracking has to say."""
    with clock.stage("track"):
        track = track_landmarks(
            info.path,
            detector,
            config.tracking,
            info.fps,
            lambda done: tell("following the face", done, max(done, info.n_frames)),
        )
    if not track.is_found.any():
        raise NoFaceError(_why_no_face(info.path, track))
    cuts = cuts_of(track)
    with clock.stage("fit"):
        parameters = fit_clip(track, face_model, config.fit, cuts=cuts, clip=str(info.path))
    if not parameters.is_valid.any():
        raise NoFaceError(
            f"{info.path}: the face could not be fitted in any of its {len(parameters)} frames"
        )
    return parameters, cuts, list(track.notes)


def _why_no_face(video: Path, track: LandmarkTrack) -> str:
    reasons = "; ".join(track.notes[:3]) or "no face found"
    return (
        f"{video}: the face was not found in any of its {len(track)} frames ({reasons}); use "
        "footage that shows it larger, lit and unhidden"
    )


def credential_of(video: Path, audio: Path, model: "TalkingFace") -> EditCredential:
    """What the edited file says of itself: ingredients, and the model by its weights."""
    return EditCredential(
        ingredients=(Ingredient(role="target", path=video), Ingredient(role="audio", path=audio)),
        model_version=model.version(),
    )


def _write(
    frames: Iterable[PaintedFrame],
    info: VideoInfo,
    audio: Path,
    output: Path,
    comparison: Path | None,
    credential: EditCredential,
    clock: StageClock,
) -> None:
    with ExitStack() as stack:
        width, height = info.width, info.height
        unsigned = stack.enter_context(signed_when_whole(output, credential))
        edited = stack.enter_context(VideoWriter(unsigned, width, height, info.fps, audio))
        compared = None
        if comparison is not None:
            unsigned = stack.enter_context(signed_when_whole(comparison, credential))
            compared = stack.enter_context(
                VideoWriter(unsigned, 2 * width, height, info.fps, audio)
            )
        for frame in frames:
            with clock.stage("encode"):
                edited.write(frame.edited)
                if compared is not None:
                    compared.write(beside([frame.footage, frame.edited], ["footage", "edited"]))


def _teeth_of_footage(
    info: VideoInfo,
    parameters: FaceParameters,
    cuts: list[int],
    model: "TalkingFace",
    face_model: MorphableModel,
    config: EditConfig,
) -> TeethDatabase:
    """Collect the footage's open mouths, evenly over its length."""
    crop = model.config.crop
    database = TeethDatabase(crop.px_per_mm, config.painting.teeth)
    transforms = crop_transforms_of_shots(parameters, crop, cuts)
    points = parameters.in_crop(transforms).mouth_landmarks(face_model)
    is_open = parameters.is_valid & database.shows_teeth(points)
    found = np.flatnonzero(is_open)
    wanted = set(found[:: max(1, -(-len(found) // config.painting.teeth.entries))].tolist())
    for number, frame in enumerate(iter_frames(info.path, info.fps)):
        if number in wanted:
            database.add(crop_frame(frame.image, transforms[number], crop.size_px), points[number])
    return database


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


def _told(items: Iterable[Item], tell: Progress, total: int) -> Iterator[Item]:
    for done, item in enumerate(items, start=1):
        yield item
        tell("speaking", done, total)


def _silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
