import numpy as np

from talkin.footage.tracking import TrackingConfig, track_landmarks
from talkin.footage.video import iter_frames


def picture_of(path, number):
    return [frame.image for frame in iter_frames(path, 25.0)][number]


def test_known_landmarks_spare_the_detector_and_give_the_same_edit(scene, monkeypatch):
    video, speech = scene.video(lambda t: [scene.disc()]), scene.speech()
    track = track_landmarks(video, scene.detector, TrackingConfig(), 25.0)
    looked = scene.edit(video, speech)
    first = picture_of(scene.output, 7)

    def fail(self, image, thorough=False):
        raise AssertionError("a detector looked, though the landmarks are known")

    monkeypatch.setattr(type(scene.detector), "find_faces", fail)
    known = scene.edit(video, speech, track=track)
    assert known.n_edited == looked.n_edited > 0
    assert np.array_equal(picture_of(scene.output, 7), first)
