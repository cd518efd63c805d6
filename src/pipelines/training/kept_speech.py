"""Synthetic speech that is spoken once and then read.

Speaking takes the demo half a minute of every run that trains. What is kept is named by a digest of
its settings and of the code that speaks, and replaced when they are others.
"""

import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.code_version import code_digest

if TYPE_CHECKING:
    from talkin.avatar.plan import CorpusConfig
    from talkin.footage.mfcc import MfccConfig
    from talkin.samples.alignment import CropConfig
    from talkin.samples.dataset import PreparedClip

logger = logging.getLogger(__name__)


def spoken_once(
    corpus: "CorpusConfig", crop: "CropConfig", mfcc: "MfccConfig", folder: Path
) -> "list[PreparedClip]":
    """The training clips of a corpus: read if they were spoken before, else spoken and kept.

    Processes that share the work leave speaking to the first.

    Raises:
        TalkinError: If speech cannot be made.
    """
    from talkin.avatar.kept_clips import load_clips
    from talkin.avatar.spoken import spoken_training_clips
    from talkin.errors import ConfigurationError
    from talkin.training.parallel import this_share

    settings: list[Any] = [one.model_dump(mode="json") for one in (corpus, crop, mfcc)]
    described = json.dumps([*settings, code_digest(spoken_training_clips)], sort_keys=True)
    path = folder / f"{sha256(described.encode()).hexdigest()[:16]}.safetensors"
    share = this_share()
    if not share.is_first:
        share.wait()
    try:
        clips = load_clips(path)
    except ConfigurationError as error:
        if path.exists():
            logger.warning("%s: it is spoken again", error)
        clips = spoken_training_clips(corpus, crop, mfcc)
        _keep(path, clips)
    if share.is_first:
        share.wait()
    return clips


def _keep(path: Path, clips: "list[PreparedClip]") -> None:
    from talkin.avatar.kept_clips import save_clips

    for old in path.parent.glob("*.safetensors"):
        old.unlink()
    save_clips(path, clips)
