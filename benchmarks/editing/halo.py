"""Is there a halo at the jaw when the new mouth is more open, or closed, than the old one?

Rendered people in one pose, once as filmed and once with the mouth of another frame: the exact
truth of an edit. Its crop stands for a perfect renderer, or one with a colour cast, so what is
wrong in the composite comes from mask and blending alone. Errors are grey levels between composite
and truth, in a band of 8 mm around the old and the new jaw, and where the mask is soft.

Run: python benchmarks/editing/halo.py [--pictures FOLDER]
"""

import argparse
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from talkin.avatar.corpus import scene_of
from talkin.avatar.performance import perform, truth_of, with_mouth_of
from talkin.avatar.plan import ClipPlan, CorpusConfig, plan_corpus
from talkin.editing.compositing import CompositingConfig, composite
from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.face3d.loading import load_face_model
from talkin.samples.alignment import (
    CropConfig,
    crop_frame,
    crop_transforms,
    invert_transforms,
    mask_box,
    transform_points,
    warp_similarity,
)

CORPUS = CorpusConfig(
    seed=7, n_speakers=4, train_clips=0, validation_clips=0, test_clips=1, sentences_per_clip=1,
    views=("front", "left30", "up30"), noise=0.0,
)  # fmt: skip
CROP = CropConfig()
WAYS = {
    "new mouth's hull, eroded (3.3 as written)": (False, MaskConfig(jaw_margin_mm=0.0)),
    "hull of old and new, eroded": (True, MaskConfig(jaw_margin_mm=0.0)),
    "hull of old and new, past the jaw (ours)": (True, MaskConfig()),
}


class Pair(NamedTuple):
    """A frame as filmed, its true edit, and where the mouths are (crop px)."""

    footage: np.ndarray
    truth: np.ndarray
    transform: np.ndarray
    old: np.ndarray
    new: np.ndarray


def pairs_of(plan: ClipPlan) -> list[Pair]:
    """The clip's most closed and most open frame, each with the other's mouth."""
    model = load_face_model()
    scene, performance = scene_of(CORPUS, plan.speaker_index, plan.view), perform(plan, CORPUS)
    filmed = truth_of(performance.expression, performance.poses, scene.person.geometry, CORPUS.fps)
    transforms = crop_transforms(filmed, CROP)
    points = filmed.in_crop(transforms).mouth_landmarks(model)
    gap = points[:, 18, 1] - points[:, 14, 1]
    found = []
    for here, there in ((gap.argmin(), gap.argmax()), (gap.argmax(), gap.argmin())):
        pose = performance.poses[here]
        own, other = (performance.expression[k : k + 1] for k in (here, there))
        driven = with_mouth_of(own, other)
        edit = truth_of(driven, [pose], scene.person.geometry, CORPUS.fps)
        seed = (plan.noise_seed, int(here))
        found.append(
            Pair(
                scene.draw(own[0], pose, seed),
                scene.draw(driven[0], pose, seed),
                transforms[here],
                points[here],
                edit.in_crop(transforms[here : here + 1]).mouth_landmarks(model)[0],
            )
        )
    return found


def jaw_band(pair: Pair) -> np.ndarray:
    """True within 8 mm of the old and the new jaw, footage px."""
    band = np.zeros(pair.footage.shape[:2], np.uint8)
    back = invert_transforms(pair.transform)
    width = 16 * CROP.px_per_mm * np.sqrt(np.linalg.det(back[:, :2]))
    for points in (pair.old, pair.new):
        line = np.rint(transform_points(back, points[20:31])).astype(np.int32)
        cv2.polylines(band, [line], False, 1, max(1, round(width)))
    return band.astype(bool)


def cast(crop: np.ndarray) -> np.ndarray:
    """What a renderer might do to colours: an offset, and another from left to right."""
    slope = np.linspace(-6, 6, crop.shape[1])[None, :, None]
    return np.clip(np.rint(crop + slope + [8, -5, 3]), 0, 255).astype(np.uint8)


def edited(
    pair: Pair, has_old: bool, shape: MaskConfig, poisson: bool, has_cast: bool
) -> tuple[np.ndarray, ...]:
    """The composite, and its mask in footage px."""
    box = mask_box(CROP)
    old = pair.old if has_old else pair.new
    mask = mouth_mask(old, pair.new, box, CROP.size_px, CROP.px_per_mm, shape)
    shown, own = (
        crop_frame(image, pair.transform, CROP.size_px) for image in (pair.truth, pair.footage)
    )
    shown = cast(shown) if has_cast else shown
    blending = CompositingConfig(poisson=poisson)
    made = composite(pair.footage, shown, own, mask, pair.transform, blending)
    height, width = pair.footage.shape[:2]
    laid = warp_similarity(mask, invert_transforms(pair.transform), (width, height))
    return made, laid


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Grey levels between two pictures."""
    return np.abs(one.astype(np.float32) - other).mean(axis=2)


def main() -> None:
    """Print the table; write footage, truth and composites beside each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    pairs = [pair for plan in plan_corpus(CORPUS) for pair in pairs_of(plan)]
    moved = [np.abs(pair.new - pair.old)[20:31].max() / CROP.px_per_mm for pair in pairs]
    print(f"{len(pairs)} pairs; the chin moves by {np.median(moved):.1f} mm (median)")
    print(f"{'':56}  jaw: mean  99 %   soft border: mean  99 %")
    rows = [apart(pair.footage, pair.truth)[jaw_band(pair)] for pair in pairs]
    joined = np.concatenate(rows)
    print(f"{'footage left as it is':56}  {joined.mean():9.2f} {np.quantile(joined, 0.99):5.1f}")
    shown = [np.hstack([pair.footage, pair.truth]) for pair in pairs]
    settings = product((False, True), WAYS.items(), (True, False))
    for has_cast, (name, (has_old, shape)), poisson in settings:
        jaw, soft = [], []
        for number, pair in enumerate(pairs):
            made, mask = edited(pair, has_old, shape, poisson, has_cast)
            wrong = apart(made, pair.truth)
            jaw.append(wrong[jaw_band(pair)])
            soft.append(wrong[(mask > 0.02) & (mask < 0.98)])
            if poisson:
                shown[number] = np.hstack([shown[number], made])
        numbers = [(v.mean(), np.quantile(v, 0.99)) for v in map(np.concatenate, (jaw, soft))]
        label = f"{'cast: ' if has_cast else ''}{name}{'' if poisson else ', no Poisson'}"
        print(
            f"{label:56}  {numbers[0][0]:9.2f} {numbers[0][1]:5.1f}"
            f"{numbers[1][0]:19.2f} {numbers[1][1]:5.1f}",
            flush=True,
        )
    if chosen.pictures is not None:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(shown):
            path = chosen.pictures / f"halo_{number:02d}.png"
            cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
