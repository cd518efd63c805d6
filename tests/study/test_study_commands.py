import csv
import io
import json
import sys

import pytest
from click.testing import CliRunner

from talkin.cli import main

from .conftest import write_clip


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(main, ["study", *map(str, words)])


@pytest.mark.parametrize(
    "command", ["export", "links", "serve", "static", "collect", "status", "report"]
)
def test_every_command_explains_itself_and_every_option(call, command):
    shown = call(command, "--help")
    assert shown.exit_code == 0
    assert "Example" in shown.output


def test_an_export_by_command_says_what_is_missing(call, tmp_path):
    write_clip(tmp_path / "a.mp4", frames=3)
    (tmp_path / "clips.csv").write_text("path,system,speaker,view\na.mp4,real,ann,front\n")
    (tmp_path / "c.yml").write_text("design: {views: [front], n_attention_checks: 0}\n")
    wanted = ["export", tmp_path / "clips.csv", "--out", tmp_path / "s", "--key", tmp_path / "k"]
    done = call(*wanted, "--config", tmp_path / "c.yml", "--question", "lip_sync")
    assert done.exit_code == 0, done.output
    assert "real: 1 of 12 clips" in done.output
    asked = json.loads((tmp_path / "s" / "study.json").read_text())["questions"]
    assert [question["name"] for question in asked] == ["lip_sync"]
    assert call(*wanted).exit_code == 1
    (tmp_path / "c.yml").write_text("design: {veiws: [front]}\n")
    refused = call(*wanted, "--config", tmp_path / "c.yml")
    assert refused.exit_code == 1
    assert "veiws" in refused.output


def test_links_are_made_and_a_report_waits_for_ratings(call, study, tmp_path):
    database = str(tmp_path / "r.db")
    made = call("links", study.folder, "--database", database, "--number", 2)
    assert made.exit_code == 0, made.output
    links = [row["link"] for row in csv.DictReader(io.StringIO(made.output))]
    assert len(set(links)) == 2
    status = call("status", study.folder, "--database", database)
    assert json.loads(status.output)["raters"] == 2
    out = ("--key", study.key_path, "--out", tmp_path / "out")
    refused = call("report", study.folder, "--database", database, *out)
    assert refused.exit_code == 1
    assert "no rating yet" in refused.output


def test_a_missing_package_is_named_with_the_way_to_get_it(call, study, monkeypatch):
    for name in ("talkin.study.database", "talkin.study.ratings"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    refused = call("status", study.folder)
    assert refused.exit_code == 1
    assert ".[study]" in refused.output
    assert "Traceback" not in refused.output
