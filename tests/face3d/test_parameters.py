from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.errors import FaceModelError
from talkin.face3d.parameters import FaceParameters


def parameters_of(planted, model) -> FaceParameters:
    frames = len(planted.scale)
    return FaceParameters(
        model_name=model.name,
        fps=29.97,
        time_s=np.arange(frames) / 29.97,
        geometry=planted.geometry,
        expression=planted.expression,
        rotation=planted.rotation,
        translation=planted.translation,
        scale=planted.scale,
        landmarks=planted.landmarks(model),
        reprojection_error_px=np.full(frames, 1.5),
        interocular_px=planted.scale * 89,
        is_valid=np.arange(frames) % 3 > 0,
    )


@pytest.fixture(scope="module")
def parameters(model, plant):
    return parameters_of(plant(7, view=(0.2, -0.5)), model)


@given(
    st.floats(-3, 3), st.floats(0.05, 8), st.floats(-900, 900), st.floats(-900, 900)
)  # fmt: skip
def test_a_similarity_of_the_picture_is_carried_exactly(model, parameters, turn, size, x, y):
    linear = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    one = np.concatenate([linear, [[x], [y]]], axis=1)
    cropped = parameters.in_crop(np.broadcast_to(one, (len(parameters), 2, 3)))
    expected = parameters.mouth_landmarks(model) @ linear.T + np.array([x, y])
    np.testing.assert_allclose(cropped.mouth_landmarks(model), expected, atol=1e-6)
    np.testing.assert_allclose(cropped.landmarks, parameters.landmarks @ linear.T + [x, y])
    np.testing.assert_allclose(cropped.interocular_px, parameters.interocular_px * size)


def test_parquet_round_trip_keeps_everything(parameters, tmp_path):
    path = tmp_path / "clip.parquet"
    holed = replace(parameters, landmarks=parameters.landmarks.copy())
    holed.landmarks[2] = np.nan
    holed.save(path, consent="given")
    loaded = FaceParameters.load(path)
    for field in fields(FaceParameters):
        before, after = getattr(holed, field.name), getattr(loaded, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_allclose(after, before, rtol=1e-6)
            assert after.shape == before.shape
        else:
            assert after == before


def test_a_sliced_table_reads_as_its_rows(parameters):
    part = FaceParameters.from_table(parameters.to_table().slice(2, 3))
    np.testing.assert_allclose(part.expression, parameters.expression[2:5], rtol=1e-6)


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "missing", "other table"])
def test_a_damaged_file_is_named(parameters, tmp_path, damage):
    path = tmp_path / "clip.parquet"
    parameters.save(path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("frame,time_s\n0,0\n" * 40)
    elif damage == "missing":
        path.unlink()
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"frame": [1, 2]}), path)
    with pytest.raises(FaceModelError) as caught:
        FaceParameters.load(path)
    assert "clip.parquet" in str(caught.value) or damage == "other table"


def test_selecting_frames_allows_repeats(parameters):
    chosen = parameters.select(np.array([3, 3, 0]))
    assert len(chosen) == 3
    np.testing.assert_array_equal(chosen.rotation[0], chosen.rotation[1])
    np.testing.assert_array_equal(chosen.translation[2], parameters.translation[0])
