"""What killed processes leave is cleaned up, and nothing else is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from talkin import scratch
from talkin.files import replace_when_whole
from talkin.scratch import scratch_folder

DAY_S = 24 * 3600
_HOLD_A_FOLDER = (
    "import sys, time; from pathlib import Path; from talkin.scratch import scratch_folder\n"
    "with scratch_folder('edits', Path(sys.argv[1])) as folder:\n"
    "    print(folder, flush=True); time.sleep(60)"
)


def make_old(path: Path, age_s: float) -> Path:
    then = time.time() - age_s
    for inside in (*path.rglob("*"), path):
        os.utime(inside, (then, then))
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_swept", set())


def test_a_killed_processs_folder_goes_with_the_next_one_and_a_living_ones_stays(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", _HOLD_A_FOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        (held / "big.mp4").write_bytes(b"x")
        make_old(held, 100)
        with scratch_folder("edits", tmp_path) as other:
            assert names(tmp_path) == {held.name, other.name}
        process.kill()
        process.wait()
    assert names(tmp_path) == {held.name}
    with scratch_folder("edits", tmp_path) as other:
        assert names(tmp_path) == {other.name}
    assert not names(tmp_path)


def test_folders_that_are_not_known_to_be_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "talkin-edits-mine1234").mkdir()  # somebody's own: nothing in it says otherwise
    elsewhere = tmp_path / "talkin-edits-other123"
    elsewhere.mkdir()
    (elsewhere / ".in-use").write_text("another computer")
    young = tmp_path / "talkin-edits-young123"
    young.mkdir()
    (young / ".in-use").touch()
    make_old(elsewhere, 100)
    before = names(tmp_path)
    with scratch_folder("edits", tmp_path):
        pass
    assert names(tmp_path) == before


def test_unfinished_files_of_yesterday_go_and_those_of_today_and_all_others_stay(
    tmp_path: Path,
) -> None:
    goes = [".clip.0a1b2c3d.part.mp4", ".model.0a1b2c3d.part", ".study.k_3x9abc.part"]
    stays = ["clip.mp4", ".clip.part.mp4", "film.0a1b2c3d.part.mp4", ".clip.0a1b2c3d.parting"]
    for name in (*goes, *stays):
        (tmp_path / name).write_text("x")
        make_old(tmp_path / name, 2 * DAY_S)
    folder = tmp_path / ".folder.abcdefgh.part"
    folder.mkdir()
    (folder / "clips").write_text("x")
    make_old(folder, 2 * DAY_S)
    written = tmp_path / ".written.abcdefgh.part"
    written.mkdir()
    make_old(written, 2 * DAY_S)
    (written / "today").write_text("x")
    (tmp_path / ".today.0a1b2c3d.part.mp4").write_text("x")
    with replace_when_whole(tmp_path / "new.txt") as part:
        part.write_text("new")
    assert names(tmp_path) == {*stays, written.name, ".today.0a1b2c3d.part.mp4", "new.txt"}
