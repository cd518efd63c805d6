import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from talkin.errors import FootageError
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468, LandmarkTrack
from talkin.footage.landmarks_file import SavedLandmarks, resample_track
from talkin.footage.tracking import track_landmarks


def track_of(n_frames, scheme="mediapipe468", fps=25.0, lost=()):
    count = {"mediapipe468": 468, "ibug68": 68}[scheme]
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 60, (1, count, 2)) + np.arange(n_frames)[:, None, None]
    is_found = ~np.isin(np.arange(n_frames), lost)
    points[~is_found] = np.nan
    return LandmarkTrack(
        points=points.astype(np.float32),
        scheme=scheme,
        is_found=is_found,
        score=np.where(is_found, 0.9, 0).astype(np.float32),
        time_s=np.arange(n_frames) / fps,
        fps=fps,
        width=64,
        height=48,
        notes=["frames 2-3: no face found"],
        cuts=(3, 5),
    )


@pytest.mark.parametrize("scheme", ["mediapipe468", "ibug68"])
def test_a_track_comes_back_as_saved(tmp_path, scheme):
    track = track_of(7, scheme, lost=(2, 3))
    track.save(tmp_path / "a.parquet")
    loaded = LandmarkTrack.load(tmp_path / "a.parquet")
    for name in ("points", "is_found", "score", "time_s"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(track, name))
        assert getattr(loaded, name).dtype == getattr(track, name).dtype
    for name in ("scheme", "fps", "width", "height", "notes", "cuts"):
        assert getattr(loaded, name) == getattr(track, name)
    assert "px" in pq.read_schema(tmp_path / "a.parquet").metadata[b"units"].decode()


def test_a_slice_of_a_table_is_that_slice_of_the_track():
    track = track_of(7)
    part = LandmarkTrack.from_table(track.to_table().slice(2, 3))
    np.testing.assert_array_equal(part.points, track.points[2:5])
    assert part.cuts == (1,)


def test_the_68_points_are_taken_from_the_mesh_without_repeats():
    track = track_of(3)
    assert track.subset68().shape == (3, 68, 2)
    np.testing.assert_array_equal(track.subset68()[:, 30], track.points[:, 4])  # the nose tip
    assert len(set(IBUG68_IN_MEDIAPIPE468.tolist())) == 68
    reduced = track.as_ibug68()
    np.testing.assert_array_equal(reduced.subset68(), track.subset68())


def test_found_share_counts_found_frames():
    assert track_of(10, lost=(1, 2)).found_share == pytest.approx(0.8)


def test_damaged_and_foreign_files_are_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(FootageError, match=r"a\.parquet"):
        LandmarkTrack.load(tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    with pytest.raises(FootageError, match=r"b\.parquet.*layout"):
        LandmarkTrack.load(tmp_path / "b.parquet")
    with pytest.raises(FootageError, match=r"c\.parquet"):
        LandmarkTrack.load(tmp_path / "c.parquet")


def test_a_moving_face_is_interpolated_to_another_rate():
    half = resample_track(track_of(20), 12.5, 10)
    np.testing.assert_allclose(half.points, track_of(20).points[::2], atol=1e-4)
    double = resample_track(track_of(20), 50, 39)
    assert double.is_found.all()
    np.testing.assert_allclose(np.diff(double.points, axis=0), 0.5, atol=1e-4)


def test_interpolation_does_not_reach_across_lost_frames():
    double = resample_track(track_of(10, lost=(4,)), 50, 19)
    assert np.flatnonzero(~double.is_found).tolist() == [7, 8, 9]
    assert np.isnan(double.points[7:10]).all()
    assert np.isfinite(double.points[[6, 10]]).all()


def test_a_folder_of_files_is_a_landmark_source(tmp_path, make_video):
    video = make_video(tmp_path / "clip.mkv", range(0, 400, 40))
    track_of(10).save(tmp_path / "clip.parquet")
    done = []
    track = track_landmarks(video, SavedLandmarks(tmp_path), progress=done.append)
    np.testing.assert_array_equal(track.points, track_of(10).points)
    assert done == [10]


def test_landmarks_of_another_size_or_clip_are_refused(tmp_path, make_video):
    video = make_video(tmp_path / "clip.mkv", range(0, 400, 40), size=(32, 32))
    with pytest.raises(FootageError, match=r"clip\.parquet: no landmarks"):
        track_landmarks(video, SavedLandmarks(tmp_path))
    track_of(10).save(tmp_path / "clip.parquet")
    with pytest.raises(FootageError, match="64 x 48"):
        track_landmarks(video, SavedLandmarks(tmp_path))
