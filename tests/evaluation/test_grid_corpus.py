import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from talkin.avatar.grammar import sentences
from talkin.cli import main
from talkin.errors import FootageError
from talkin.evaluation.grid_corpus import (
    GridConfig,
    TimedWord,
    alignments_of,
    grid_manifest,
    read_alignment,
    sentence_of,
)
from talkin.evaluation.grid_sounds import phoneme_table
from talkin.evaluation.leaks import LeakConfig, find_leaks
from talkin.footage.manifest import read_manifest
from talkin.footage.video import probe_video

REAL = Path(os.environ.get("TALKIN_REALDATA", Path(__file__).parents[3] / "shared/realdata"))
ALIGNMENT = "0 23750 sil\n23750 29500 bin\n29500 34000 blue\n34000 35500 at\n35500 41000 f\n" + (
    "41000 47250 two\n47250 53000 now\n53000 74500 sil\n"
)


def code_of(sentence: str) -> str:
    words = sentence.lower().split()
    digit = {"zero": "z", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
    digit |= {"six": "6", "seven": "7", "eight": "8", "nine": "9"}
    signs = [digit.get(word, word[0]) for word in words]
    return "".join(signs)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """34 talkers in three of the layouts in which copies of GRID are found; empty files."""
    codes = ["".join(c) for c in itertools.product("blps", "bg", "ab", "fg", "12", "ns")]
    rng = np.random.default_rng(0)
    layouts = ("s{n}/video/mpg_6000", "s{n}", "video/s{n}")
    for number in (1, 2, 3, 21, 29, 33):
        place = tmp_path / layouts[number % 3].format(n=number)
        place.mkdir(parents=True)
        for code in rng.permutation(codes)[:60] if number != 21 else ():
            (place / f"{code}.mpg").touch()
    (tmp_path / "s1/notes.mpg").parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "s1/notes.mpg").touch()
    return tmp_path


def test_a_name_says_its_sentence_and_a_foreign_name_is_refused() -> None:
    assert sentence_of("bbaf2n") == "bin blue at f two now"
    assert sentence_of("pwwzzp") == "place white with z zero please"
    for wrong in ("bbaf2", "xbaf2n", "bbaw2n", "x5b5d"):
        with pytest.raises(FootageError, match="no GRID sentence"):
            sentence_of(wrong)


def test_the_synthetic_corpus_says_what_grid_says() -> None:
    for sentence in sentences("grid", 3, 200):
        plain = sentence.lower().rstrip(".")
        assert sentence_of(code_of(plain)) == plain


def test_the_splits_are_the_papers_and_nothing_leaks(corpus: Path) -> None:
    table = grid_manifest(corpus)
    assert set(table["speaker"]) == {"s1", "s2", "s3", "s29", "s33"}
    unseen = table[table["speaker"].isin(["s29", "s33"])]
    assert set(unseen["split"]) == {"test"}
    known = table[~table["speaker"].isin(["s29", "s33"])]
    assert 0.1 < (known["split"] == "test").mean() < 0.3
    assert find_leaks(table, LeakConfig(unseen_speakers=("s29", "s33"))) == []
    assert not table["clip"].duplicated().any()
    (corpus / "manifest.csv").write_text(table.assign(consent="grid").to_csv(index=False))
    assert len(read_manifest(corpus / "manifest.csv")) == len(table)


def test_a_sentence_keeps_its_split_when_clips_are_added_and_a_seed_gives_another(
    corpus: Path,
) -> None:
    before = grid_manifest(corpus).set_index("clip")["split"]
    shutil.rmtree(corpus / "video/s2", ignore_errors=True)
    shutil.rmtree(corpus / "s1", ignore_errors=True)
    after = grid_manifest(corpus).set_index("clip")["split"]
    assert (before[after.index] == after).all()
    other = grid_manifest(corpus, GridConfig(seed=1)).set_index("clip")["split"]
    assert not before.reindex(other.index).equals(other)


def test_alignments_count_in_thousandths_of_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "align/s1/bbaf2n.align"
    path.parent.mkdir(parents=True)
    path.write_text(ALIGNMENT)
    assert alignments_of(tmp_path) == {("s1", "bbaf2n"): path}
    words = read_alignment(path)
    assert words[1] == TimedWord("bin", 0.95, 1.18)
    assert words[-1].end_s == pytest.approx(2.98)
    path.write_text("0 23750 sil\n23750 bin\n")
    with pytest.raises(FootageError, match="line 2"):
        read_alignment(path)


def test_sounds_fill_the_time_of_their_word(tmp_path: Path) -> None:
    table = phoneme_table([TimedWord("sil", 0.0, 0.9), TimedWord("bin", 0.9, 1.2)])
    assert table["symbol"].tolist() == ["_", "b", "I", "n"]
    np.testing.assert_allclose(table["start_s"], [0, 0.9, 1.0, 1.1])
    np.testing.assert_allclose(table["end_s"], [0.9, 1.0, 1.1, 1.2])


def test_the_command_writes_a_manifest_and_the_sounds_where_alignments_lie(corpus: Path) -> None:
    table = grid_manifest(corpus)
    code = table.loc[table["speaker"] == "s3", "clip"].iloc[0].removeprefix("s3_")
    (corpus / "align/s3").mkdir(parents=True)
    (corpus / f"align/s3/{code}.align").write_text(ALIGNMENT)
    done = CliRunner().invoke(main, ["manifest", "--grid", str(corpus)])
    assert done.exit_code == 0, done.output
    assert (corpus / "manifest.csv").exists()
    written = {path.name for path in (corpus / "truth").glob("*.phonemes.parquet")}
    assert written == {f"s3_{code}.phonemes.parquet"}
    empty = CliRunner().invoke(main, ["manifest", "--grid", str(corpus / "align")])
    assert "no GRID clip there" in empty.output


@pytest.mark.realdata
def test_published_clips_are_read_as_they_are(tmp_path: Path) -> None:
    clips = sorted((REAL / "clips").glob("spk3?_grid_*.mpg")) if REAL.exists() else []
    if not clips:
        pytest.skip("the recordings of the companion data folder are absent")
    for clip in clips:
        speaker, _, code = clip.stem.split("_")
        place = tmp_path / speaker.replace("spk", "s")
        place.mkdir(exist_ok=True)
        (place / f"{code}.mpg").symlink_to(clip)
    table = grid_manifest(tmp_path)
    assert len(table) >= 40  # two clips carry other corpora's names; unseen talkers lose some
    first = tmp_path / table.iloc[0]["path"]
    info = probe_video(first)
    assert (info.width, info.height, info.fps) == (360, 288, 25.0)
    known = (REAL / "transcripts").glob("*grid*.csv")
    said = "\n".join(path.read_text() for path in known)
    assert all(sentence in said for sentence in table["sentence"])
