from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from talkin.face3d.camera import project
from talkin.face3d.parameters import FaceParameters
from talkin.samples.alignment import (
    CropConfig,
    crop_frame,
    crop_transforms,
    invert_transforms,
    mask_box,
    transform_points,
)

STILL = CropConfig(size_px=128, smoothing_s=0.0)


def face_clip(frames: int = 40, **changed: np.ndarray) -> FaceParameters:
    rng = np.random.default_rng(0)
    constant = {
        "time_s": np.arange(frames) / 25,
        "geometry": np.zeros(3, np.float32),
        "expression": np.zeros((frames, 2), np.float32),
        "rotation": np.tile(np.float32([0.1, -0.2, 0.3]), (frames, 1)),
        "translation": np.tile(np.float32([200.0, 150.0]), (frames, 1)),
        "scale": np.full(frames, 1.3, np.float32),
        "landmarks": rng.uniform(50, 250, (frames, 68, 2)).astype(np.float32),
        "reprojection_error_px": np.zeros(frames, np.float32),
        "interocular_px": np.full(frames, 100, np.float32),
        "is_valid": np.ones(frames, bool),
    }
    return FaceParameters(model_name="toy", fps=25.0, **(constant | changed))


@given(
    st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    st.tuples(*[st.floats(-500, 2000)] * 2),
    st.floats(0.2, 8.0),
)
def test_every_head_comes_to_rest_upright_at_the_mean_face_place(rotation, translation, scale):
    clip = face_clip(
        2,
        rotation=np.tile(np.array(rotation), (2, 1)),
        translation=np.tile(np.array(translation), (2, 1)),
        scale=np.full(2, scale),
    )
    aligned = clip.in_crop(crop_transforms(clip, STILL))
    assert aligned.rotation[:, 2] == pytest.approx(0.0, abs=1e-6)
    assert aligned.rotation[:, :2] == pytest.approx(clip.rotation[:, :2])
    assert aligned.scale == pytest.approx(128 / 210)
    centre = np.tile(np.array(STILL.centre_mm), (2, 1, 1))
    landed = project(centre, aligned.rotation, aligned.translation, aligned.scale)
    assert landed == pytest.approx(63.5, abs=1e-3)


def test_a_dot_drawn_in_the_footage_lands_where_the_transform_says():
    clip = face_clip(1)
    for scale in (0.4, 0.61, 1.3, 3.1):
        placed = replace(clip, scale=np.array([scale]))
        transform = crop_transforms(placed, STILL)[0]
        frame = np.zeros((400, 500, 3), np.uint8)
        dot = np.array([[212.0, 171.0]])
        radius = max(2, round(2 * scale))
        cv2.circle(frame, (212, 171), radius, (255, 255, 255), -1)
        crop = crop_frame(frame, transform, 128)[..., 0].astype(float)
        y, x = np.mgrid[:128, :128]
        centroid = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum()
        assert centroid == pytest.approx(transform_points(transform, dot)[0], abs=0.25)


def test_projection_in_the_crop_equals_the_projection_carried_there():
    clip = face_clip(20)
    points = np.random.default_rng(1).normal(0, 40, (20, 39, 3))
    transforms = crop_transforms(clip, STILL)
    aligned = clip.in_crop(transforms)
    there = project(points, aligned.rotation, aligned.translation, aligned.scale)
    carried = transform_points(
        transforms, project(points, clip.rotation, clip.translation, clip.scale)
    )
    assert there == pytest.approx(carried, abs=1e-3)


def test_inverse_transforms_undo_transforms():
    transforms = crop_transforms(face_clip(3), STILL)
    points = np.random.default_rng(0).uniform(0, 300, (3, 5, 2))
    back = transform_points(invert_transforms(transforms), transform_points(transforms, points))
    assert back == pytest.approx(points)


def test_shrinking_does_not_alias_a_fine_checkerboard():
    frame = np.indices((800, 800)).sum(0) % 2 * 255
    frame = np.repeat(frame[..., None], 3, axis=2).astype(np.uint8)
    crop = crop_frame(frame, np.array([[0.23, 0.0, 0.0], [0.0, 0.23, 0.0]]), 128)
    assert np.ptp(crop[4:-4, 4:-4].astype(int)) < 20


def test_smoothing_removes_jitter_but_keeps_a_steady_drift():
    frames = 100
    drift = np.column_stack([np.linspace(0, 300, frames), np.linspace(50, 90, frames)])
    jitter = np.random.default_rng(0).normal(0, 1.0, drift.shape)
    config = CropConfig(size_px=128, smoothing_s=0.1)
    steady = crop_transforms(face_clip(frames, translation=drift), config)
    still = crop_transforms(face_clip(frames, translation=drift), STILL)
    assert steady == pytest.approx(still, abs=1e-3)
    shaken = crop_transforms(face_clip(frames, translation=drift + jitter), config)
    left = (shaken - still)[5:-5, :, 2].std()
    raw = crop_transforms(face_clip(frames, translation=drift + jitter), STILL)
    assert left < 0.5 * (raw - still)[5:-5, :, 2].std()


def test_smoothing_does_not_reach_across_a_cut():
    place = np.repeat([[200.0, 150.0], [600.0, 300.0]], 20, axis=0)
    clip = face_clip(40, translation=place)
    assert crop_transforms(clip, CropConfig(size_px=128)) == pytest.approx(
        crop_transforms(clip, STILL)
    )


def test_a_long_gap_parts_the_smoothing_and_a_short_one_does_not():
    config = CropConfig(size_px=128)
    place = np.random.default_rng(0).normal(200, 3, (60, 2))
    far = place.copy()
    far[40:] += 15
    gap = np.ones(60, bool)
    gap[15:40] = False
    left = crop_transforms(face_clip(60, translation=place, is_valid=gap), config)
    right = crop_transforms(face_clip(60, translation=far, is_valid=gap), config)
    assert np.array_equal(left[:15], right[:15])
    short = np.ones(60, bool)
    short[30:32] = False
    assert crop_transforms(face_clip(60, translation=place, is_valid=short), config) == (
        pytest.approx(crop_transforms(face_clip(60, translation=place), config))
    )


@given(st.integers(32, 600))
@settings(max_examples=30)
def test_the_mask_scales_with_the_crop(size):
    box = np.array(mask_box(CropConfig(size_px=size))) / size
    full = np.array(mask_box(CropConfig(size_px=384))) / 384
    assert box == pytest.approx(full, abs=1.1 / size)


def test_a_mask_that_reaches_out_of_the_crop_is_refused():
    with pytest.raises(ValidationError, match="reaches out"):
        CropConfig(mask_centre=(0.5, 0.9), mask_size=(0.5, 0.5))


def test_an_empty_clip_has_no_transforms():
    assert crop_transforms(face_clip(0), CropConfig()).shape == (0, 2, 3)


def test_the_mask_covers_the_mouth_region_of_any_face_pose_and_opening():
    from talkin.face3d.loading import load_face_model

    model, config, n = load_face_model(), CropConfig(), 500
    rng = np.random.default_rng(0)
    chin = model.expression_basis[model.mouth39[25], 1]
    expression = rng.normal(size=(n, model.n_expression))
    # From shut to a yawn: beside chance, the chin is dropped by up to two standard deviations.
    expression -= rng.uniform(0, 2, (n, 1)) * chin / np.linalg.norm(chin)
    geometry = rng.normal(size=(n, model.n_geometry))
    points = model.points(model.mouth39, geometry, expression)
    x0, y0, x1, y1 = mask_box(config)
    for pitch, yaw in [(0, 0), (0, 0.52), (0, -0.52), (0, 1.05), (0, -1.05), (0.52, 0), (-0.52, 0)]:
        turn = np.array([pitch, yaw, 0.0])
        middle = project(
            np.array([config.centre_mm]), turn, np.zeros(2), np.array(config.px_per_mm)
        )
        there = project(
            points, np.tile(turn, (n, 1)), np.zeros((n, 2)), np.full(n, config.px_per_mm)
        )
        x, y = np.moveaxis(there - middle + (config.size_px - 1) / 2, -1, 0)
        inside = (x >= x0) & (x <= x1 - 1) & (y >= y0) & (y <= y1 - 1)
        assert inside.all(axis=1).mean() > 0.98
        assert inside.mean() > 0.999
