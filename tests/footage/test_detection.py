import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from talkin.errors import ConfigurationError, FaceModelError
from talkin.footage.detection import DetectionConfig, FaceRegion, find_nets, load_detector
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468
from talkin.footage.landmarks_file import SavedLandmarks
from talkin.footage.tracking import track_landmarks
from talkin.footage.video import iter_frames


@pytest.fixture(scope="module")
def detector():
    if not all(net.ok for net in find_nets()):
        pytest.skip("the landmark nets are not there; `talkin fetch-nets` brings them")
    cv2.setNumThreads(1)
    return load_detector()


@pytest.fixture(scope="module")
def portrait(real_clips):
    return next(iter_frames(real_clips / "spk01_a.mp4")).image


def test_overlap_of_regions_is_that_of_their_squares():
    region = FaceRegion(50, 50, 20, 0, 1)
    assert region.overlap(region) == pytest.approx(1)
    assert region.overlap(FaceRegion(60, 50, 20, 0, 1)) == pytest.approx(1 / 3)
    assert region.overlap(FaceRegion(80, 50, 20, 0, 1)) == 0


def test_missing_nets_are_said_with_the_way_out(tmp_path):
    with pytest.raises(FaceModelError, match="talkin fetch-nets"):
        load_detector(DetectionConfig(nets_folder=tmp_path))


def test_the_file_backend_wants_a_folder(tmp_path):
    with pytest.raises(ConfigurationError, match=r"detection\.landmarks_folder"):
        load_detector(DetectionConfig(backend="file"))
    source = load_detector(DetectionConfig(backend="file", landmarks_folder=tmp_path))
    assert isinstance(source, SavedLandmarks)


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        DetectionConfig(backend="haar")
    with pytest.raises(ValidationError):
        DetectionConfig(min_scor=0.5)


def test_face_alignment_without_its_weights_names_files_and_folder(tmp_path, monkeypatch):
    import torch

    def offline(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(FaceModelError) as refusal:
        load_detector(DetectionConfig(backend="face-alignment"))
    for part in ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar", str(tmp_path / "checkpoints")):
        assert part in str(refusal.value)


def test_an_empty_picture_holds_no_face(detector):
    assert detector.find_faces(np.full((120, 160, 3), 128, np.uint8), thorough=True) == []


@pytest.mark.realdata
@pytest.mark.parametrize("angle", [0, 20, -35])
def test_points_turn_and_move_with_the_face(detector, portrait, angle):
    straight = _points(detector, portrait)
    turn = cv2.getRotationMatrix2D((256, 256), angle, 0.8)
    turn[:, 2] += (10, -5)
    turned = cv2.warpAffine(portrait, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    expected = straight @ turn[:, :2].T + turn[:, 2]
    across = np.linalg.norm(expected[33] - expected[263])
    error = np.linalg.norm(_points(detector, turned) - expected, axis=1).mean()
    assert error < 0.03 * across


@pytest.mark.realdata
def test_the_68_points_lie_where_their_names_say(detector, portrait):
    points = _points(detector, portrait)[IBUG68_IN_MEDIAPIPE468]
    assert (np.diff(points[2:15, 0]) > 0).all()  # the jaw runs from left to right
    assert points[8, 1] == points[:17, 1].max()  # and is lowest at the chin
    assert points[36:42, 0].max() < points[27, 0] < points[42:48, 0].min()  # nose between eyes
    assert points[30, 1] < points[51, 1] < points[57, 1]  # nose, upper lip, lower lip
    assert points[17:27, 1].max() < points[36:48, 1].min()  # brows above eyes


@pytest.mark.realdata
@pytest.mark.parametrize("face_px", [30, 40, 80])
def test_a_small_face_in_a_large_picture_is_found_by_looking_thoroughly(
    detector, portrait, face_px
):
    factor = face_px / np.ptp(_points(detector, portrait)[:, 1])
    small = cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    picture = np.full((1920, 1080, 3), 90, np.uint8)
    picture[300 : 300 + small.shape[0], 500 : 500 + small.shape[1]] = small
    regions = detector.find_faces(picture, thorough=True)
    assert regions
    expected = _points(detector, portrait).mean(axis=0) * factor + (500, 300)
    assert np.hypot(regions[0].x - expected[0], regions[0].y - expected[1]) < face_px / 3


@pytest.mark.realdata
@pytest.mark.parametrize("clip", ["spk10_a.mp4", "spk101_ar_00186.mp4", "spk30_grid_bbaf2n.mpg"])
def test_landmarks_are_found_on_real_clips(detector, real_clips, clip):
    track = track_landmarks(real_clips / clip, detector, fps=25)
    assert track.found_share >= 0.98
    inside = (track.points >= 0) & (track.points <= (track.width, track.height))
    assert inside.mean() > 0.95


def _points(detector, image):
    region = max(detector.find_faces(image), key=lambda region: region.size)
    return detector.place_points(image, detector.place_points(image, region).region).points
