"""Which clips of a corpus fill the design, and what of it stays empty."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkin.study.config import DesignConfig
from talkin.study.records import OWN, REAL


@dataclass(frozen=True)
class ClipSource:
    """A clip that may be shown.

    Attributes:
        path: The video, with sound.
        system: `real`, `talkin`, or the name of another system.
        speaker: Who is seen.
        view: From where.
        name: Of the clip; no two of one system have the same.
    """

    path: Path
    system: str
    speaker: str
    view: str
    name: str


@dataclass(frozen=True)
class Choice:
    """What is shown, and what the design wanted but the corpus does not have.

    Attributes:
        clips: To show, in no meaningful order.
        missing: A line a kind of clip that is short, with its views; empty when all is filled.
        left_out: How many clips there were beyond the design.
    """

    clips: tuple[ClipSource, ...]
    missing: tuple[str, ...]
    left_out: int


def choose_clips(sources: Sequence[ClipSource], design: DesignConfig) -> Choice:
    """Fill the design: of each speaker in each view as many clips as it asks for.

    Generated and real clips (`talkin`, `real`) are drawn cell by cell; the clips of other systems
    (Table 5) are all shown.
    """
    speakers = _speakers(sources, design)
    chosen: list[ClipSource] = [one for one in sources if one.system not in (OWN, REAL)]
    missing: list[str] = []
    for system, word in ((OWN, "generated"), (REAL, "real")):
        found = {
            view: [
                clip
                for speaker in speakers
                for clip in _cell(sources, (system, speaker, view), design)
            ]
            for view in design.views
        }
        chosen += [clip for clips in found.values() for clip in clips]
        missing += _missing(word, {view: len(clips) for view, clips in found.items()}, design)
    return Choice(tuple(chosen), tuple(missing), len(sources) - len(chosen))


def _missing(word: str, counts: dict[str, int], design: DesignConfig) -> list[str]:
    """One line, such as "real: 4 of 24 clips; front has 4 of 12, up30 none"."""
    wanted = design.n_speakers * design.clips_per_cell
    short = [
        f"{view} has {n} of {wanted}" if n else f"{view} none"
        for view, n in counts.items()
        if n < wanted
    ]
    total = f"{word}: {sum(counts.values())} of {wanted * len(counts)} clips"
    return [f"{total}; {', '.join(short)}"] if short else []


def _speakers(sources: Sequence[ClipSource], design: DesignConfig) -> list[str]:
    """Those who fill most of the design: edits are scarce, so they count first."""
    filled: dict[str, Counter[str]] = {}
    for speaker in sorted({clip.speaker for clip in sources if clip.system in (OWN, REAL)}):
        filled[speaker] = Counter(
            {
                system: sum(
                    len(_cell(sources, (system, speaker, view), design)) for view in design.views
                )
                for system in (OWN, REAL)
            }
        )
    ordered = sorted(filled, key=lambda name: (-filled[name][OWN], -filled[name][REAL], name))
    return [name for name in ordered if filled[name].total()][: design.n_speakers]


def _cell(
    sources: Sequence[ClipSource], cell: tuple[str, str, str], design: DesignConfig
) -> list[ClipSource]:
    members = [clip for clip in sources if (clip.system, clip.speaker, clip.view) == cell]
    if len(members) > design.clips_per_cell:
        # A generator of its own for each cell: a clip more in one cell changes no other.
        members = random.Random(f"{design.seed}/{'/'.join(cell)}").sample(
            sorted(members, key=lambda clip: clip.name), design.clips_per_cell
        )
    return members
