from dataclasses import replace
from pathlib import Path

import numpy as np
from toy_corpus import toy_clip, toy_face_model

from talkin.samples.crops import CropReader, CropWriter
from talkin.samples.dataset import TalkingDataset
from talkin.training.data_digest import dataset_digest


def digest_with_pictures(path: Path, level: int) -> str:
    clip = toy_clip(0, "a")
    n, size = len(clip.parameters.time_s), 16
    with CropWriter(path, size, 25.0) as writer:
        for _ in range(n):
            writer.write(np.full((size, size, 3), level, np.uint8), np.eye(2, 3))
    clip = replace(clip, crops=CropReader(path))
    return dataset_digest(TalkingDataset([clip], toy_face_model()))


def test_a_stage_begins_anew_when_only_the_pictures_are_others(tmp_path: Path) -> None:
    first = digest_with_pictures(tmp_path / "a.arrow", 100)
    assert digest_with_pictures(tmp_path / "b.arrow", 100) == first
    assert digest_with_pictures(tmp_path / "c.arrow", 140) != first
