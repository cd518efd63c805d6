"""The sounds of GRID's 51 words, so that lips can be asked to close where its alignments say.

The corpus gives times of words. A word's time is shared evenly among its sounds, which is good to
a few hundredths of a second; silences are as exact as the alignments.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from talkin.evaluation.grid_corpus import (
    GridConfig,
    TimedWord,
    alignments_of,
    grid_manifest,
    read_alignment,
)
from talkin.files import replace_when_whole

_SILENT = frozenset({"sil", "sp"})
_SOUNDS = {
    "bin": "b I n", "lay": "l eI", "place": "p l eI s", "set": "s E t",
    "blue": "b l u", "green": "g r i n", "red": "r E d", "white": "w aI t",
    "at": "a t", "by": "b aI", "in": "I n", "with": "w I D",
    "a": "eI", "b": "b i", "c": "s i", "d": "d i", "e": "i", "f": "E f", "g": "dZ i",
    "h": "eI tS", "i": "aI", "j": "dZ eI", "k": "k eI", "l": "E l", "m": "E m", "n": "E n",
    "o": "oU", "p": "p i", "q": "k j u", "r": "A", "s": "E s", "t": "t i", "u": "j u",
    "v": "v i", "x": "E k s", "y": "w aI", "z": "z E d",
    "zero": "z I r oU", "one": "w V n", "two": "t u", "three": "T r i", "four": "f O",
    "five": "f aI v", "six": "s I k s", "seven": "s E v @ n", "eight": "eI t", "nine": "n aI n",
    "again": "@ g E n", "now": "n aU", "please": "p l i z", "soon": "s u n",
}  # fmt: skip


def phoneme_table(words: Sequence[TimedWord]) -> pd.DataFrame:
    """The sounds of an aligned sentence.

    Args:
        words: `grid_corpus.read_alignment`.

    Returns:
        Columns symbol, start_s, end_s, as the evaluation reads them; `_` is silence. A word that
        GRID does not have counts as one neutral vowel.
    """
    rows = []
    for word in words:
        sounds = ["_"] if word.word in _SILENT else _SOUNDS.get(word.word, "@").split()
        step = (word.end_s - word.start_s) / len(sounds)
        for number, sound in enumerate(sounds):
            start = word.start_s + number * step
            rows.append((sound, start, start + step))
    return pd.DataFrame(rows, columns=["symbol", "start_s", "end_s"])


def grid_rows(folder: Path, config: GridConfig | None = None) -> pd.DataFrame:
    """`grid_manifest` of a copy of GRID; the sounds of aligned clips are put beside it.

    They lie where the evaluation looks for them: `truth/<clip>.phonemes.parquet`.

    Raises:
        FootageError: If there is no GRID clip, or an alignment cannot be read.
    """
    rows, alignments = grid_manifest(folder, config), alignments_of(folder)
    for row in rows.to_dict("records"):
        code = str(row["clip"]).rpartition("_")[2]
        alignment = alignments.get((str(row["speaker"]), code))
        if alignment is None:
            continue
        with replace_when_whole(folder / "truth" / f"{row['clip']}.phonemes.parquet") as part:
            phoneme_table(read_alignment(alignment)).to_parquet(part)
    return rows
