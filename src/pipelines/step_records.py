"""What each step did with each clip: its record, and the fingerprint that tells what is up to date.

A step is up to date for a clip when the record that it left there carries the same fingerprint.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel

State = Literal["done", "rejected", "failed"]


@dataclass(frozen=True)
class StepRecord:
    """What a step did with a clip.

    Attributes:
        clip: The clip.
        step: The step.
        fingerprint: Of everything that the result depends on.
        state: `rejected` for a fault of the clip, which stays until the clip or a setting
            changes; `failed` for one that may be passing, so that the next run tries again.
        reason: Why, when not done.

    Nothing here depends on the machine or the moment, so that two runs leave the same bytes.
    """

    clip: str
    step: str
    fingerprint: str
    state: State
    reason: str = ""


def fingerprint(*parts: Any) -> str:
    """Hash of configurations, texts and numbers that a result depends on.

    >>> fingerprint("a", 1) == fingerprint("a", 1), fingerprint("a", 1) == fingerprint("a", 2)
    (True, False)
    """
    return sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def came_through(records: Mapping[str, StepRecord]) -> dict[str, StepRecord]:
    """The clips that came through a step."""
    found = {clip: records[clip] for clip in records}
    return {clip: record for clip, record in found.items() if record.state == "done"}


def record_to_json(record: StepRecord) -> str:
    """As one JSON object."""
    return json.dumps(asdict(record), indent=1)


def record_from_json(text: str) -> StepRecord:
    """Inverse of `record_to_json`."""
    return StepRecord(**json.loads(text))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return str(value)
