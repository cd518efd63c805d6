"""A sample of the hostile media; benchmarks/reliability/hostile.py reads them all."""

import json
import subprocess
import sys
from pathlib import Path

from hostile_media import hostile_media

HERE = Path(__file__).parent


def test_the_corpus_has_two_hundred_files_of_distinct_names_and_is_the_same_each_time():
    files = hostile_media()
    assert len(files) >= 200
    assert len({file.name for file in files}) == len(files)
    assert [file.name for file in files] == [file.name for file in hostile_media()]


def test_every_seventh_hostile_file_is_read_or_refused_by_name_within_its_limits(tmp_path):
    folder = tmp_path / "media"
    command = [sys.executable, str(HERE / "reading.py"), str(folder), "--every", "7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    assert len(answers) >= 30
    for name, answer in answers.items():
        assert answer["outcome"] in ("usable", "refused"), (name, answer)
        assert answer["outcome"] == "usable" or str(folder / name) in answer["reason"], name
        assert answer["peak_mb"] < 1500
    assert {path.name for path in tmp_path.iterdir()} == {"media"}
    assert {path.name for path in folder.iterdir()} == set(answers)
