"""The kinds of file that a folder of clips may hold: suffix, reader and writer of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkin.files import replace_when_whole


@dataclass(frozen=True)
class Kind:
    """How one clip's file is named, read and written.

    Attributes:
        suffix: Follows the clip's name.
        content: What a file holds, with units, for readers.
        read: Makes the object of a path.
        write: Writes an object to a path, whole or not at all; None where only a finished file
            can be handed over.
    """

    suffix: str
    content: str
    read: Callable[[Path], Any]
    write: Callable[[Any, Path], None] | None = None


def _read_face_parameters(path: Path) -> Any:
    from talkin.face3d.parameters import FaceParameters

    return FaceParameters.load(path)


def _read_landmarks(path: Path) -> Any:
    from talkin.footage.landmarks import LandmarkTrack

    return LandmarkTrack.load(path)


def _save_itself(thing: Any, path: Path) -> None:
    thing.save(path)


def _read_sound(path: Path) -> Any:
    from talkin.footage.audio import read_audio

    return read_audio(path)


def _write_sound(audio: Any, path: Path) -> None:
    from talkin.footage.audio import write_wav

    write_wav(path, audio)


def _read_mfcc(path: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(path)


def _write_mfcc(mfcc: Any, path: Path) -> None:
    """A row each hundredth of a second: `time_s` and a column a coefficient."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"time_s": np.arange(len(mfcc)) / 100.0}
    columns |= {f"c{i:02d}": mfcc[:, i].astype(np.float32) for i in range(mfcc.shape[1])}
    table = pa.table(columns).replace_schema_metadata(
        {
            "layout": "talkin-mfcc-1",
            "units": "time_s: s, centre of the window; c00 ...: cepstral coefficients, no unit",
        }
    )
    with replace_when_whole(path) as part:
        pq.write_table(table, part)


def _read_crops(path: Path) -> Any:
    from talkin.samples.crops import CropReader

    return CropReader(path)


def _read_table(path: Path) -> Any:
    import pandas as pd

    return pd.read_parquet(path)


def _write_table(table: Any, path: Path) -> None:
    with replace_when_whole(path) as part:
        table.to_parquet(part)


def _read_video(path: Path) -> Any:
    from pipelines.datasets.video import VideoClip

    return VideoClip(path)


def _read_record(path: Path) -> Any:
    from pipelines.step_records import record_from_json

    return record_from_json(path.read_text(encoding="utf-8"))


def _write_record(record: Any, path: Path) -> None:
    from pipelines.step_records import record_to_json

    with replace_when_whole(path) as part:
        part.write_text(record_to_json(record), encoding="utf-8")


def _read_json(path: Path) -> Any:
    import json

    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(content: Any, path: Path) -> None:
    import json

    with replace_when_whole(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


_FACE = (
    "A row a frame: `frame`, `time_s` (s), `expression` (standard deviations), `rotation` (pitch, "
    "yaw, roll, rad), `translation` (px), `scale` (px/mm), `landmarks` (68 x, y pairs, px), "
    "`reprojection_error_px`, `interocular_px`, `is_valid`. The file's metadata: layout, face "
    "model, rate, `geometry` (standard deviations), units."
)
_TRACK = (
    "A row a frame: `frame`, `time_s` (s), `is_found`, `score` (0 to 1), `points` (x, y of each "
    "point in turn, px of the upright footage). The file's metadata: layout, scheme, rate, size, "
    "notes, units."
)
_MFCC = (
    "100 rows a second: `time_s` (s, centre of the window), `c00`, `c01`, ... (cepstral "
    "coefficients, no unit). The file's metadata: layout, units."
)
_CROPS = (
    "Arrow file, a row a frame: the crop as JPEG, and its `transform` from footage px to crop px "
    "(2 x 3). The file's metadata: size, rate, crop settings."
)
_PHONEMES = "A row a phoneme: `symbol`, `start_s`, `end_s` (s), `is_stressed`."
_RECORD = (
    "`clip`, `step`, `fingerprint` of all that the result depends on, `state` (done, rejected or "
    "failed), `reason`."
)

KINDS = {
    "face_parameters": Kind(".parquet", _FACE, _read_face_parameters, _save_itself),
    "landmarks": Kind(".parquet", _TRACK, _read_landmarks, _save_itself),
    "sound": Kind(".wav", "16 bit, mono, 16 kHz.", _read_sound, _write_sound),
    "mfcc": Kind(".parquet", _MFCC, _read_mfcc, _write_mfcc),
    "crops": Kind(".arrow", _CROPS, _read_crops),
    "phonemes": Kind(".phonemes.parquet", _PHONEMES, _read_table, _write_table),
    "video": Kind(".mp4", "H.264 and AAC; loads lazily, plays in a notebook.", _read_video),
    "json": Kind(".json", "A JSON object.", _read_json, _write_json),
    "record": Kind(".json", _RECORD, _read_record, _write_record),
}
