import pickle

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from talkin.errors import FootageError
from talkin.samples.crops import CropReader, CropWriter

SIZE = 48


def pictures(n: int = 75) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    frames = [
        np.stack([120 + 100 * np.sin(x * 4 + t / 9), 255 * y, 200 * x * y + t], axis=-1)
        for t in range(n)
    ]
    return np.clip(frames, 0, 255).astype(np.uint8)


def some_transforms(n: int = 75) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 2, 3))


def write(path, frames, transforms):
    with CropWriter(path, SIZE, 25.0, notes={"mask": "0 0 1 1"}) as writer:
        for frame, transform in zip(frames, transforms, strict=True):
            writer.write(frame, transform)
    return path


@pytest.fixture
def crop_file(tmp_path):
    return write(tmp_path / "clip.arrow", pictures(), some_transforms())


def test_crops_come_back_nearly_unchanged_with_their_record(crop_file):
    reader = CropReader(crop_file)
    assert len(reader) == 75
    assert (reader.size_px, reader.fps, reader.notes) == (SIZE, 25.0, {"mask": "0 0 1 1"})
    assert np.array_equal(reader.transforms, some_transforms())
    for t in (0, 31, 32, 74, -1):
        assert np.abs(reader[t].astype(int) - pictures()[t]).mean() < 1.5


def test_a_window_read_at_random_equals_sequential_reads(crop_file):
    reader = CropReader(crop_file)
    sequential = np.stack([reader[t] for t in range(len(reader))])
    for t in (40, 6, 74, 33, 12):
        assert np.array_equal(CropReader(crop_file).window(t), sequential[t - 6 : t + 1])


def test_a_window_at_the_start_repeats_the_first_frame(crop_file):
    reader = CropReader(crop_file)
    window = reader.window(2, 7)
    assert np.array_equal(window[:5], np.stack([reader[0]] * 5))
    assert np.array_equal(window[5], reader[1])


def test_colour_edges_stay_sharp_because_colour_is_not_subsampled(tmp_path):
    stripes = np.zeros((SIZE, SIZE, 3), np.uint8)
    stripes[:, ::2] = (200, 60, 60)
    stripes[:, 1::2] = (60, 60, 200)
    reader = CropReader(write(tmp_path / "a.arrow", [stripes], some_transforms(1)))
    assert np.abs(reader[0].astype(int) - stripes).mean() < 8


@pytest.mark.parametrize("psnr_db", [40.0, 43.0])
def test_the_face_is_stored_as_well_as_asked_and_grainy_footage_takes_the_bytes(tmp_path, psnr_db):
    grain = np.random.default_rng(0).normal(0, 3, (40, SIZE, SIZE, 3))
    grainy = np.clip(pictures(40) + grain, 0, 255).astype(np.uint8)
    sizes = []
    for name, frames in (("smooth", pictures(40)), ("grainy", grainy)):
        path = tmp_path / f"{name}.arrow"
        with CropWriter(path, SIZE, 25.0, psnr_db) as writer:
            for frame, transform in zip(frames, some_transforms(40), strict=True):
                writer.write(frame, transform)
        for t in (0, 32):  # the first of each batch decides for the batch
            face, kept = (c[12:-12, 12:-12] for c in (frames[t], CropReader(path)[t]))
            assert cv2.PSNR(face, kept) > psnr_db - 1
        sizes.append(path.stat().st_size)
    assert sizes[1] > 1.2 * sizes[0]


def test_a_black_first_frame_does_not_decide_for_those_that_follow(tmp_path):
    grain = np.random.default_rng(0).normal(0, 8, (20, SIZE, SIZE, 3))
    frames = np.clip(pictures(20) + grain, 0, 255).astype(np.uint8)
    frames[0] = 0
    path = tmp_path / "a.arrow"
    with CropWriter(path, SIZE, 25.0, 40.0) as writer:
        for frame, transform in zip(frames, some_transforms(20), strict=True):
            writer.write(frame, transform)
    face, kept = (crop[12:-12, 12:-12] for crop in (frames[5], CropReader(path)[5]))
    assert cv2.PSNR(face, kept) > 39


def test_a_frame_number_outside_the_clip_is_an_index_error(crop_file):
    for t in (75, -76):
        with pytest.raises(IndexError, match="which has 75"):
            CropReader(crop_file)[t]


def test_an_empty_clip_can_be_written_and_read(tmp_path):
    assert len(CropReader(write(tmp_path / "none.arrow", [], []))) == 0


def test_an_interrupted_write_leaves_the_older_file(crop_file):
    before = crop_file.read_bytes()

    def endless():
        yield pictures(1)[0]
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write(crop_file, endless(), some_transforms(2))
    assert crop_file.read_bytes() == before
    assert [path.name for path in crop_file.parent.iterdir()] == ["clip.arrow"]


def test_a_file_cut_short_is_refused_by_name(crop_file):
    whole = crop_file.read_bytes()
    for keep in (0, 4, len(whole) // 2, len(whole) - 3):
        crop_file.write_bytes(whole[:keep])
        with pytest.raises(FootageError, match=r"clip\.arrow.*preprocess"):
            CropReader(crop_file)


def test_a_flipped_byte_in_a_picture_is_noticed_in_its_frame_only(crop_file):
    damaged = bytearray(crop_file.read_bytes())
    jpeg = pa.ipc.open_file(str(crop_file)).get_batch(1).column("jpeg")[5].as_py()
    at = bytes(damaged).index(jpeg)
    damaged[at + len(jpeg) // 2] ^= 0xFF
    crop_file.write_bytes(bytes(damaged))
    reader = CropReader(crop_file)
    assert reader[36].shape == (SIZE, SIZE, 3)
    with pytest.raises(FootageError, match="frame 37 is damaged"):
        reader[37]


def test_another_arrow_file_and_a_missing_one_are_refused(tmp_path):
    other = tmp_path / "other.arrow"
    table = pa.table({"a": [1]})
    with pa.ipc.new_file(str(other), table.schema) as opened:
        opened.write_table(table)
    for path in (other, tmp_path / "missing.arrow"):
        with pytest.raises(FootageError, match=path.name):
            CropReader(path)


def test_a_reader_travels_to_another_process(crop_file):
    travelled = pickle.loads(pickle.dumps(CropReader(crop_file)))
    assert np.array_equal(travelled[50], CropReader(crop_file)[50])


def test_pandas_opens_the_file(crop_file):
    frame = pd.read_feather(crop_file)
    assert list(frame.columns) == ["frame", "transform", "jpeg", "crc32"]
    assert list(frame["frame"]) == list(range(75))


def test_a_crop_of_another_size_is_a_programming_error(tmp_path):
    with (
        pytest.raises(ValueError, match="48 px square"),
        CropWriter(tmp_path / "x.arrow", SIZE, 25.0) as writer,
    ):
        writer.write(np.zeros((10, 10, 3), np.uint8), some_transforms(1)[0])
