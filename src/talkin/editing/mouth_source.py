"""Where an edit's mouths come from: the network, the footage itself, or what the footage says.

The network is asked first how well it knows the person: some frames of the target's own footage are
hidden, drawn again with their own landmarks by the network and by a warp of another moment, and
compared with the truth. For a person whom the network never saw the footage's own mouths win.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from talkin.editing.engine import engine_of
from talkin.editing.footage_mouths import FootageMouths, PlannedMouths, frames_of_footage
from talkin.editing.inlay import Inlay
from talkin.editing.lending import MouthConfig, diverse_moments, lenders_of
from talkin.editing.masks import MaskConfig
from talkin.editing.mouth_trial import Trial, hidden_windows, mouth_error
from talkin.editing.painting import PaintingConfig
from talkin.editing.plan import EditPlan
from talkin.editing.rendering import RenderWindow, WindowingConfig
from talkin.editing.shots import crop_transforms_of_shots
from talkin.editing.unfinished import FollowedFace
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.video import VideoInfo
from talkin.samples.alignment import (
    CropConfig,
    crop_frame,
    mask_box,
    resized_points,
    resized_transforms,
)
from talkin.samples.lent_mouths import may_lend, mouth_distance
from talkin.samples.mouth_warp import MOUTH, face_points

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

_FRAMES_AT_ONCE = 2000


class MouthSource(NamedTuple):
    """How an edit's mouths are drawn.

    Attributes:
        plan: The edit in the crops in which they are drawn.
        crop: Geometry of these crops.
        render: Completes a window of crops.
        windowing: The windows that it completes.
        lent: What the crops' masks show when it gets them; None: what they were filmed with,
            which a network that fills them with noise does not look at.
        notes: What a user should know.
    """

    plan: EditPlan
    crop: CropConfig
    render: RenderWindow
    windowing: WindowingConfig
    lent: PlannedMouths | None
    notes: tuple[str, ...]


def mouth_source(
    plan: EditPlan,
    info: VideoInfo,
    face: FollowedFace,
    model: "TalkingFace",
    face_model: MorphableModel,
    painting: PaintingConfig,
) -> MouthSource:
    """Decide what draws an edit's mouths, and gather what it draws them from.

    Decodes the footage once, unless the network fills its mask with noise and is to be taken.
    """
    config, crop = painting.mouth, model.config.crop
    is_filled = model.config.mask_fill == "reference"
    network = engine_of(model, painting.engine, mask_box(crop))
    n_outputs = 1 if model.config.renderer.is_full_face else model.config.frames
    windows = painting.windowing.of_model(model.config.frames, n_outputs)
    if config.source == "network" and not is_filled:
        return MouthSource(plan, crop, network, windows, None, ())
    sizes = {crop.size_px} if is_filled else set()
    if config.source != "network":
        sizes.add(native_size_px(face, crop, config.lending.largest_crop_px))
    lent, trials = _gathered(plan, info, face, face_model, model, config, sizes)
    takes_warp, notes = _takes_warp(config, network, trials, crop, painting.mask)
    if takes_warp:
        size = max(lent)
        own = plan.in_crop_of(size, crop.size_px)
        single = painting.windowing.model_copy(update={"frames": 1, "stride": 1})
        finer = crop.model_copy(update={"size_px": size})
        inlay = Inlay(lent[size].mouths.warp, finer, config.inlay)
        set_in = replace(lent[size], inlay=inlay)
        return MouthSource(own, finer, as_lent, single, set_in, notes)
    filling = lent[crop.size_px] if is_filled else None
    return MouthSource(plan, crop, network, windows, filling, notes)


def native_size_px(face: FollowedFace, crop: CropConfig, largest: int) -> int:
    """Side of the crop that shows the face at the footage's own resolution.

    At least the network's own crop, at most `largest`.
    """
    scale = float(np.median(face.parameters.scale[face.parameters.is_valid]))
    return max(crop.size_px, min(largest, 2 * round(scale * crop.extent_mm / 2)))


def as_lent(
    crops: UInt8[np.ndarray, "window size size 3"], landmarks: Float[np.ndarray, "window 39 2"]
) -> Float32[np.ndarray, "window size size 3"]:
    """A renderer that leaves the lent mouths as they are."""
    return crops.astype(np.float32)


def _gathered(
    plan: EditPlan,
    info: VideoInfo,
    face: FollowedFace,
    face_model: MorphableModel,
    model: "TalkingFace",
    config: MouthConfig,
    sizes: Iterable[int],
) -> tuple[dict[int, PlannedMouths], list[Trial]]:
    """Mouths for the plan by side of the crop, and what is known to be true, in one decoding."""
    crop, scale = model.config.crop, model.config.crop.px_per_mm
    transforms = crop_transforms_of_shots(face.parameters, crop, face.cuts)
    shown = _shown_points(face.parameters, transforms, face_model)
    entries = diverse_moments(shown, face.parameters.is_valid, config.lending.entries, scale)
    wanted = shown[plan.order]
    wanted[:, MOUTH] = plan.new_points
    chosen = lenders_of(wanted, shown[entries], plan.starts_anew, scale, config.lending)
    factors = {size: size / crop.size_px for size in sizes}
    lent = {
        size: PlannedMouths(
            FootageMouths(crop.model_copy(update={"size_px": size})),
            entries[chosen],
            wanted,
            factor,
            plan.old_points,
        )
        for size, factor in factors.items()
    }
    trial_lenders = _trial_lenders(shown, face, entries, model.config.frames, scale, config)
    to_plan = set(entries[chosen].ravel().tolist())
    in_trial = {moment for _, moment in trial_lenders}
    in_trial |= {frame for window, _ in trial_lenders for frame in window.tolist()}
    tried = FootageMouths(crop)
    true: dict[int, np.ndarray] = {}
    for number, image in frames_of_footage(info, to_plan | in_trial):
        if number in in_trial:
            true[number] = crop_frame(image, transforms[number], crop.size_px)
            tried.keep(number, true[number], shown[number])
        if number in to_plan:
            for size, factor in factors.items():
                place = resized_transforms(transforms[number], factor)
                picture = crop_frame(image, place, size)
                lent[size].mouths.keep(number, picture, resized_points(shown[number], factor))
    return lent, [_trial(w, m, true, shown, tried) for w, m in trial_lenders]


def _shown_points(
    parameters: FaceParameters,
    transforms: Float[np.ndarray, "frames 2 3"],
    face_model: MorphableModel,
) -> Float32[np.ndarray, "frames 97 2"]:
    """`face_points` of the footage, crop px, some frames at a time: 5 kB a frame lie between."""
    every = np.arange(len(parameters))
    blocks = np.split(every, every[_FRAMES_AT_ONCE::_FRAMES_AT_ONCE])
    return np.concatenate(
        [face_points(parameters.select(b).in_crop(transforms[b]), face_model) for b in blocks]
    )


def _trial_lenders(
    points: Float32[np.ndarray, "frames 97 2"],
    face: FollowedFace,
    entries: Int[np.ndarray, "entries"],
    n_frames: int,
    px_per_mm: float,
    config: MouthConfig,
) -> list[tuple[Int[np.ndarray, "window"], int]]:
    """Hidden windows and the moments that lend to them, which are not near in time."""
    if config.source != "auto":
        return []
    found = []
    gap = round(config.trial_gap_s * face.parameters.fps)
    for window in hidden_windows(face, n_frames, config.trials):
        far = entries[may_lend(face.parameters.is_valid, window, gap)[entries]]
        if len(far):
            unlike = mouth_distance(points[window], points[far], px_per_mm).mean(axis=0)
            found.append((window, int(far[unlike.argmin()])))
    return found


def _trial(
    window: Int[np.ndarray, "window"],
    lender: int,
    true: dict[int, np.ndarray],
    points: Float32[np.ndarray, "frames 97 2"],
    mouths: FootageMouths,
) -> Trial:
    shown = np.stack([true[int(frame)] for frame in window])
    filled = [mouths.filled(true[int(n)], [lender], points[n]) for n in window]
    return Trial(shown, np.stack(filled), points[window][:, MOUTH])


def _takes_warp(
    config: MouthConfig,
    network: RenderWindow,
    trials: list[Trial],
    crop: CropConfig,
    mask: MaskConfig,
) -> tuple[bool, tuple[str, ...]]:
    """Whether the warp is taken, and the note that says why."""
    if config.source != "auto":
        return config.source != "network", ()
    if not trials:
        why = "the footage is too short to hide a part of it and ask how well the network knows it"
        return True, (f"mouths are the target's own, warped to the new landmarks: {why}",)
    drawn, warped = (mouth_error(way, trials, crop, mask) for way in (network, as_lent))
    why = (
        f"on {len(trials)} hidden windows of the footage it is {min(drawn, warped):.1f} grey "
        f"levels from the truth, the other way {max(drawn, warped):.1f}"
    )
    if warped <= drawn:
        return True, (f"mouths are the target's own, warped to the new landmarks: {why}",)
    return False, (f"mouths are drawn by the network: {why}",)
