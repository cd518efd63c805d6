"""Where compiled code is kept, on computers where nothing can be written to the usual places."""

import os
from pathlib import Path

import pytest

from talkin import compiled_code

VARIABLE = "NUMBA_CACHE_DIR"


@pytest.fixture
def no_place(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")  # so that it is taken away again at the end
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(compiled_code, "has_usual_place", lambda: False)


def test_a_folder_of_its_own_is_named_where_there_is_no_usual_one(no_place, monkeypatch):
    kept = []
    monkeypatch.setattr(compiled_code.atexit, "register", kept.append)
    compiled_code.find_place_for_compiled_code()
    folder = Path(os.environ[VARIABLE])
    assert folder.stat().st_mode & 0o777 == 0o700  # nobody else can put code there
    compiled_code.find_place_for_compiled_code()
    assert Path(os.environ[VARIABLE]) == folder
    assert len(kept) == 1
    kept[0]()
    assert not folder.exists()


def test_a_place_that_the_user_chose_stays(no_place, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/chosen")
    compiled_code.find_place_for_compiled_code()
    assert os.environ[VARIABLE] == "/chosen"


def test_the_usual_place_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_code.os, "access", lambda place, _: Path(place) == tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not/yet/there"))
    assert compiled_code.has_usual_place()
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert not compiled_code.has_usual_place()
