"""Prepared clips of a split as the dataset that training reads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.rows import Table, mfcc_array, rows_of

if TYPE_CHECKING:
    from talkin.face3d.model import MorphableModel
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.samples.dataset import PreparedClip, TalkingDataset


class CorpusChoice(BaseModel):
    """Which of the prepared clips a model learns from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speakers: tuple[str, ...] | None = Field(
        default=None, description="These alone (one: a model of a person, Table 3); none for all."
    )
    minutes: float | None = Field(
        default=None,
        gt=0,
        description="At most so many minutes of each speaker, whole clips in the order of the "
        "index; none for all.",
    )


def chosen_clips(index: Table, choice: CorpusChoice) -> Table:
    """The rows of an index that a model may learn from or be validated on.

    Raises:
        ConfigurationError: If no clip was prepared, a speaker has no training clip, or none is
            short enough.
    """
    from talkin.errors import ConfigurationError

    if len(index) == 0:
        raise ConfigurationError(
            "no clip came through preparation, so there is nothing to learn from: "
            "data/08_reporting/rejects.csv says of each why"
        )
    if choice.speakers is not None:
        known = set(index.loc[index["split"] == "train", "speaker"])
        missing = [speaker for speaker in choice.speakers if speaker not in known]
        if missing:
            raise ConfigurationError(
                f"training.corpus.speakers names {', '.join(missing)}, of whom no clip is in the "
                f"training split; there are {', '.join(sorted(known))}"
            )
        index = index[index["speaker"].isin(choice.speakers)]
    if choice.minutes is None:
        return index
    is_learnt = index["split"] == "train"
    spoken_s = index["duration_s"].where(is_learnt, 0.0).groupby(index["speaker"]).cumsum()
    kept = index[~is_learnt | (spoken_s <= 60 * choice.minutes + 1e-6)]
    if not (kept["split"] == "train").any():
        raise ConfigurationError(
            f"training.corpus.minutes {choice.minutes} is shorter than each speaker's first clip"
        )
    return kept


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
    from talkin.samples.dataset import TalkingDataset

    rows = rows_of(index[index["split"] == split])
    clips = [prepared_clip(row, face_parameters, mfcc, crops) for row in rows]
    speakers = sorted(set(index.loc[index["split"] == "train", "speaker"]))
    try:
        return TalkingDataset(clips, face_model, config.dataset, speakers)
    except ConfigurationError:
        if split == "train":
            raise
        return None
