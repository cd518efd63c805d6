"""The footage table at the beginning of preparation, index and rejects at its end."""

import logging
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.consent import require_consent_for_clips
from pipelines.lazy import configured
from pipelines.rows import Table, mfcc_array, rows_of
from pipelines.step_records import StepRecord, came_through
from talkin.files import spreadsheet_safe

if TYPE_CHECKING:
    from talkin.samples.sync import AudioOffset, SyncConfig
else:
    AudioOffset = Any
    SyncConfig = configured("talkin.samples.sync:SyncConfig")

logger = logging.getLogger(__name__)

FOOTAGE_COLUMNS = (
    "clip", "path", "file", "speaker", "split", "view", "sentence", "consent",
    "sha256", "width", "height", "fps", "n_frames", "duration_s", "has_audio", "problem",
)  # fmt: skip
INDEX_COLUMNS = (
    "clip", "speaker", "split", "view", "sentence", "consent", "n_frames", "n_valid", "duration_s",
    "audio_offset_s", "audio_offset_correlation", "audio_offset_certainty", "audio_shift_s",
)  # fmt: skip


def check_consent_and_probe_clips(manifest: Table, consent_register: Any) -> Table:
    """Refuse speakers without consent; look at every clip and hash it.

    Args:
        manifest: The checked footage manifest; its wrong rows have a `problem` already.
        consent_register: Who allowed what.

    Returns:
        A row a clip. `problem` says why a clip cannot be read and is empty for all others.

    Raises:
        ConsentError: If a speaker has no valid consent record for what the clip's split is for.
    """
    import pandas as pd

    usable = manifest[manifest["problem"] == ""] if "problem" in manifest else manifest
    require_consent_for_clips(usable, consent_register)
    rows = [
        {"sha256": "", **row} if row.get("problem") else _probed(row) for row in rows_of(manifest)
    ]
    return pd.DataFrame(rows, columns=list(FOOTAGE_COLUMNS)).sort_values("clip", ignore_index=True)


def index_prepared_clips(
    footage: Table,
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    face_records: Mapping[str, StepRecord],
    mfcc_records: Mapping[str, StepRecord],
    crop_records: Mapping[str, StepRecord],
    sync: SyncConfig,
) -> Table:
    """A row a clip that came through every step, with how late its sound is.

    Args:
        footage: The footage table.
        face_parameters: By clip; gives the number of valid frames.
        mfcc: By clip.
        sync: When a clip's sound is moved; training reads `audio_shift_s`.
        face_records: What fitting did.
        mfcc_records: What the MFCC step did.
        crop_records: What cropping did.
    """
    import pandas as pd

    whole = (
        set(came_through(face_records))
        & set(came_through(mfcc_records))
        & set(came_through(crop_records))
    )
    chosen = rows_of(footage[footage["clip"].isin(whole)])
    speakers = {row["clip"]: row["speaker"] for row in chosen}
    offsets = _audio_offsets(speakers, face_parameters, mfcc, sync)
    rows = []
    for row in chosen:
        face, offset = face_parameters[row["clip"]], offsets.get(row["clip"])
        counted = {
            "n_frames": len(face),
            "n_valid": int(face.is_valid.sum()),
            "duration_s": len(face) / face.fps,
            "audio_offset_s": offset.offset_s if offset else float("nan"),
            "audio_offset_correlation": offset.correlation if offset else float("nan"),
            "audio_offset_certainty": offset.certainty if offset else float("nan"),
            "audio_shift_s": offset.shift_s if offset else 0.0,
        }
        rows.append({**row, **counted})
    if len(rows) < len(footage):
        level = logging.WARNING if rows else logging.ERROR
        logger.log(
            level,
            "%d of %d clips came through preparation; data/08_reporting/rejects.csv says what is "
            "wrong with the others",
            *(len(rows), len(footage)),
        )
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS))


def list_rejects(
    footage: Table,
    geometry_records: Mapping[str, StepRecord],
    *records: Mapping[str, StepRecord],
) -> Table:
    """A row a clip that was set aside: at which stage, and why.

    A speaker whose geometry was not found has a row as well, `speaker NAME` in the column `clip`,
    which no clip can be called: their clips go on, each with a geometry of its own.

    Args:
        footage: The footage table, whose `problem` tells of clips that cannot be read.
        geometry_records: How the search for each speaker's geometry ended.
        records: What each step did.
    """
    import pandas as pd

    unreadable = footage[footage["problem"] != ""]
    rows = [
        {"clip": row["clip"], "stage": "probe" if row["path"] else "manifest"}
        | {"reason": row["problem"]}
        for row in rows_of(unreadable)
    ]
    for step in records:
        for clip in sorted(step):
            if step[clip].state != "done":
                rows.append({"clip": clip, "stage": step[clip].step, "reason": step[clip].reason})
    rows += [
        {"clip": f"speaker {speaker}", "stage": record.step}
        | {"reason": f"each clip is fitted with a geometry of its own: {record.reason}"}
        for speaker, record in geometry_records.items()
        if record.state != "done"
    ]
    for row in rows:
        row["reason"] = spreadsheet_safe(row["reason"])
    return pd.DataFrame(rows, columns=["clip", "stage", "reason"]).sort_values(
        ["clip", "stage"], ignore_index=True
    )


def _audio_offsets(
    speakers: Mapping[str, str],
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    config: SyncConfig,
) -> Mapping[str, AudioOffset]:
    from talkin.samples.sync import LipsAndSound, estimate_offsets, lips_opening

    if not config.is_used:
        return {}
    asked = {}
    for clip, speaker in speakers.items():
        face = face_parameters[clip]
        opening = lips_opening(face.landmarks, face.interocular_px)
        sound = mfcc_array(mfcc[clip])
        asked[clip] = LipsAndSound(opening, face.time_s, face.is_valid, sound, speaker)
    return estimate_offsets(asked, config)


def _probed(row: dict[str, Any]) -> dict[str, Any]:
    from talkin.errors import TalkinError
    from talkin.footage.video import probe_video

    known = {"sentence": "", **row, "problem": "", "sha256": ""}
    path = Path(row["file"])
    try:
        info = probe_video(path)
        with path.open("rb") as file:
            known["sha256"] = file_digest(file, "sha256").hexdigest()
    except (TalkinError, OSError) as error:
        # The message names the file as the manifest does: absolute paths differ by machine.
        return {**known, "problem": str(error).replace(str(path), row["path"])}
    return known | {
        "width": info.width,
        "height": info.height,
        "fps": float(info.fps),
        "n_frames": info.n_frames,
        "duration_s": info.duration_s,
        "has_audio": info.has_audio,
    }
