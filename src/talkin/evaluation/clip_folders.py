"""Folders of real clips and of imitations, matched by name and scored; no clip stops another."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from talkin.errors import FootageError, TalkinError
from talkin.evaluation.clip_scores import ClipScores
from talkin.footage.skeleton import VIDEO_SUFFIXES
from talkin.footage.video import probe_video


@dataclass(frozen=True)
class MatchedClips:
    """Which clip imitates which.

    Attributes:
        pairs: Name -> real and fake file.
        rejects: Name -> why it is not scored.
    """

    pairs: dict[str, tuple[Path, Path]]
    rejects: dict[str, str] = field(default_factory=dict)


def match_clips(real: Path, fake: Path) -> MatchedClips:
    """Match clips whose paths inside the two folders are the same but for the suffix.

    Raises:
        FootageError: If a folder is missing, or nothing matches.
    """
    found: list[dict[str, Path]] = []
    rejects: dict[str, str] = {}
    for folder, what in ((real, "--real"), (fake, "--fake")):
        clips, twice = _clips(folder, what)
        found.append(clips)
        rejects |= dict.fromkeys(twice, f"stands twice in {folder}, with two suffixes")
    for clips, other, folder in ((found[0], found[1], fake), (found[1], found[0], real)):
        alone = clips.keys() - other.keys()
        rejects |= dict.fromkeys(alone, f"has no clip of that name in {folder}")
    names = sorted((found[0].keys() & found[1].keys()) - rejects.keys())
    if not names:
        raise FootageError(
            f"no clip of {fake} has the name of one in {real} (suffixes apart); give the real clip "
            "and its imitation the same name"
        )
    return MatchedClips({name: (found[0][name], found[1][name]) for name in names}, rejects)


def score_clips(
    matched: MatchedClips,
    score: Callable[[str, Path, Path], ClipScores],
) -> tuple[list[ClipScores], pd.DataFrame]:
    """Score every pair; one that cannot be read or shows no face is set aside.

    Args:
        matched: The pairs.
        score: (name, real, fake) to scores; raises `TalkinError` for a fault of the clips.

    Returns:
        The scores, and the rejects: columns clip, reason.
    """
    scores, rejects = [], dict(matched.rejects)
    for name, (real, fake) in tqdm(matched.pairs.items(), desc="scoring", unit=" pairs"):
        try:
            scores.append(score(name, real, fake))
        except TalkinError as error:
            rejects[name] = str(error)
    table = pd.DataFrame(sorted(rejects.items()), columns=["clip", "reason"], dtype=str)
    return scores, table


def unequal_lengths(matched: MatchedClips, names: Collection[str]) -> list[str]:
    """A line a scored pair that does not last equally long: only what both show was scored."""
    lines = []
    for name in sorted(names):
        real, fake = (probe_video(path) for path in matched.pairs[name])
        if abs(real.duration_s - fake.duration_s) > 2 / min(real.fps, fake.fps):
            lines.append(
                f"{name} lasts {fake.duration_s:.2f} s, the real clip {real.duration_s:.2f} s: "
                "scored on what both show"
            )
    return lines


def _clips(folder: Path, what: str) -> tuple[dict[str, Path], set[str]]:
    if not folder.is_dir():
        raise FootageError(f"{what} {folder}: there is no such folder")
    clips: dict[str, Path] = {}
    twice: set[str] = set()
    for file in sorted(folder.rglob("*")):
        is_video = file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()
        if is_video and not file.name.startswith("."):
            name = file.relative_to(folder).with_suffix("").as_posix()
            twice |= {name} & clips.keys()
            clips[name] = file
    return clips, twice
