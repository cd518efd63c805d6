"""The node of the user study: edits, truths and held-out footage to blinded clips."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.lazy import configured
from pipelines.rows import Table, rows_of

if TYPE_CHECKING:
    from talkin.study.config import DesignConfig, EncodingConfig, PageConfig
    from talkin.study.selection import ClipSource
else:
    ClipSource = Any
    DesignConfig = configured("talkin.study.config:DesignConfig")
    EncodingConfig = configured("talkin.study.config:EncodingConfig")
    PageConfig = configured("talkin.study.config:PageConfig")

logger = logging.getLogger(__name__)


class StudySourcesConfig(BaseModel):
    """Which clips stand for reality."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str = Field(
        default="test", description="Recordings come from this split, which training never saw."
    )
    has_truths: bool = Field(
        default=True,
        description="Whether the true pictures of edits of synthetic speakers count as recordings.",
    )


def gather_study_clips(
    edits_table: Table,
    edits: Mapping[str, Any],
    edit_truths: Mapping[str, Any],
    footage: Table,
    listed: Sequence[ClipSource],
    consent_register: Any,
    config: StudySourcesConfig,
) -> list[ClipSource]:
    """All clips that might be shown: edits, their truths, held-out footage, and a list by hand.

    Raises:
        ConsentError: If somebody of the manifest who would be shown did not consent.
    """
    from talkin.provenance.consent import require_consent
    from talkin.study.records import OWN, REAL
    from talkin.study.selection import ClipSource

    clips = {row["clip"]: row for row in rows_of(footage[footage["problem"] == ""])}
    shown: list[dict[str, Any]] = []
    found = []
    for job in rows_of(edits_table[edits_table["state"] == "done"]):
        seen = clips.get(job["target"], {"speaker": job["target"], "view": "unknown"})
        shown.append(seen)
        for system, videos in ((OWN, edits), (REAL, edit_truths if config.has_truths else {})):
            if job["job"] in videos:
                path = videos[job["job"]].path
                found.append(ClipSource(path, system, seen["speaker"], seen["view"], job["job"]))
    for row in clips.values():
        if row["split"] == config.split:
            shown.append(row)
            path = Path(row["file"])
            found.append(ClipSource(path, REAL, row["speaker"], row["view"], row["clip"]))
    require_consent(sorted({row["speaker"] for row in shown}), consent_register)
    return [*found, *listed]


def export_user_study(
    sources: Sequence[ClipSource],
    place: tuple[Path, Path],
    design: DesignConfig,
    encoding: EncodingConfig,
    page: PageConfig,
) -> dict[str, Any]:
    """Write the study and its key, and tell what is shown and what is missing.

    Raises:
        ConfigurationError: If a study stands there already, or no clip fits the design.
    """
    from tqdm import tqdm

    from talkin.study.export import export_study

    folder, key = place
    with tqdm(desc="study", unit="clip") as bar:

        def advance(_: str, done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        made = export_study(
            sources, folder, key, design=design, encoding=encoding, page=page, progress=advance
        )
    for line in made.choice.missing:
        logger.warning("missing from the study's design: %s", line)
    logger.info("%d clips in %s, what they are in %s", len(made.manifest.clips), folder, key)
    return {
        "study": made.manifest.study,
        "key_sha256": made.manifest.key_sha256,
        "n_clips": len(made.manifest.clips),
        "n_checks": design.n_attention_checks,
        "missing": list(made.choice.missing),
        "left_out": made.choice.left_out,
    }
