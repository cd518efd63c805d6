"""Which code finished a stage of training, so that changed code trains it anew.

A stage that was interrupted goes on with whatever code there is: nobody loses days of training to
an update. Only a stage that came to its end is begun anew when the code behind it has changed.
"""

import logging
import shutil
from pathlib import Path

from talkin.files import replace_when_whole

logger = logging.getLogger(__name__)


def set_aside_outdated(stage: str, checkpoints: Path, code: str) -> None:
    """Move checkpoints that other code finished to `outdated/`, where one a stage is kept.

    Args:
        stage: A stage of training.
        checkpoints: Folder of all checkpoints.
        code: Digest of the code that would go on.
    """
    marker = _marker(stage, checkpoints)
    if not marker.exists() or marker.read_text(encoding="utf-8").strip() == code:
        return
    logger.info("the code behind training stage %s has changed: it is trained anew", stage)
    kept = checkpoints / "outdated" / stage
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for folder in sorted(checkpoints.glob(f"{stage}-*")):
        folder.rename(kept / folder.name)
    marker.unlink()


def mark_finished(stage: str, checkpoints: Path, code: str) -> None:
    """Note that this code brought a stage to its end."""
    with replace_when_whole(_marker(stage, checkpoints)) as part:
        part.write_text(code + "\n", encoding="utf-8")


def _marker(stage: str, checkpoints: Path) -> Path:
    return checkpoints / f"{stage}.finished-by"
