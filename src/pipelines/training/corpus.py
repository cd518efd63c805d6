"""Prepared clips of a split as the dataset that training reads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.rows import Table, mfcc_array, rows_of

if TYPE_CHECKING:
    from talkin.face3d.model import MorphableModel
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.samples.dataset import PreparedClip, TalkingDataset


def prepared_clip(
    row: Mapping[str, Any],
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    crops: Mapping[str, Any],
) -> "PreparedClip":
    """One clip of the training index, its face in the crops' pixels, its sound at its lips."""
    from talkin.samples.dataset import PreparedClip
    from talkin.samples.sync import moved_sound

    clip = row["clip"]
    pictures = crops[clip]
    return PreparedClip(
        clip=clip,
        speaker=row["speaker"],
        parameters=face_parameters[clip].in_crop(pictures.transforms),
        mfcc=moved_sound(mfcc_array(mfcc[clip]), row.get("audio_shift_s", 0.0)),
        crops=pictures,
    )


def dataset_of_split(
    split: str,
    index: Table,
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    crops: Mapping[str, Any],
    face_model: "MorphableModel",
    config: "TalkingFaceConfig",
) -> "TalkingDataset | None":
    """The clips of a split, whose speakers are numbered as those of the training split.

    Returns:
        None where the split has no clip with enough valid frames in a row.
    """
    from talkin.errors import ConfigurationError
    from talkin.samples.dataset import DatasetConfig, TalkingDataset

    rows = rows_of(index[index["split"] == split])
    clips = [prepared_clip(row, face_parameters, mfcc, crops) for row in rows]
    speakers = sorted(set(index.loc[index["split"] == "train", "speaker"]))
    shape = DatasetConfig(frames=config.frames, window=config.window)
    try:
        return TalkingDataset(clips, face_model, shape, speakers)
    except ConfigurationError:
        if split == "train":
            raise
        return None
