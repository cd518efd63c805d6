import json

import pytest

from talkin.errors import ConfigurationError
from talkin.study.static_form import collect, write_static_form

from .conftest import SECRET_WORDS


def sent_file(path, study, rater="a1", changes=None):
    answers = [
        {"clip": clip, "scores": {"realism": 4}, "sequence": 1, "plays": 1, "elapsed_ms": 900,
         "is_unplayable": False}
        for clip in study.manifest.clip_ids
    ]  # fmt: skip
    content = {"version": 1, "study": study.manifest.study, "rater": rater, "answers": answers}
    path.write_text(json.dumps(content | (changes or {})))
    return path


def test_the_form_holds_page_and_clips_and_no_word_of_the_key(study, tmp_path):
    write_static_form(study.folder, tmp_path / "form")
    files = {str(p.relative_to(tmp_path / "form")) for p in (tmp_path / "form").rglob("*.*")}
    assert {"index.html", "page/page.js", "page/store.js"} <= files
    clips = {f"clips/{clip}.mp4" for clip in study.manifest.clip_ids}
    assert clips <= files
    key = json.loads(study.key_path.read_text())
    for name in files - clips:
        content = (tmp_path / "form" / name).read_text()
        assert key["nonce"] not in content
        assert study.manifest.key_sha256 not in content
        assert not any(word in content for word in SECRET_WORDS if word in ("annette", "zebra"))
    with pytest.raises(ConfigurationError, match="exists already"):
        write_static_form(study.folder, tmp_path / "form")


def test_a_text_that_looks_like_code_stays_text(study, tmp_path):
    page = study.manifest.page.model_copy(update={"title": '</script><script>alert("x")\u2028'})
    evil = study.manifest.model_copy(update={"page": page})
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "study.json").write_text(evil.model_dump_json())
    (folder / "clips").symlink_to(study.folder / "clips")
    write_static_form(folder, tmp_path / "form")
    assert "alert" not in (tmp_path / "form" / "index.html").read_text()
    first = (tmp_path / "form" / "page" / "store.js").read_text().splitlines()[0]
    data = json.loads(first.removeprefix("const STUDY = ").removesuffix(";"))
    assert data["page"]["title"] == page.title


def test_collecting_twice_is_collecting_once(study, store, tmp_path):
    paths = [sent_file(tmp_path / f"{name}.json", study, name) for name in ("a1", "b2")]
    for _ in range(2):
        done = collect(paths, store)
        assert (done.n_files, done.refused) == (2, ())
    assert store.counts() == {"raters": 2, "started": 2, "unplayable": 0, "ratings": 12}


BAD = {
    "another study": {"study": "0" * 16},
    "another layout": {"version": 2},
    "a rater that is a path": {"rater": "../../x"},
    "an unknown field": {"admin": True},
    "no list": {"answers": "all 5"},
    "an unknown clip": {"answers": [{"clip": "0" * 16, "scores": {"realism": 4}, "sequence": 1}]},
    "a score of 9": {"answers": [{"clip": "0" * 16, "scores": {"realism": 9}, "sequence": 1}]},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_whole_and_the_others_go_in(study, store, tmp_path, changes):
    bad = sent_file(tmp_path / "bad.json", study, changes=changes)
    good = sent_file(tmp_path / "good.json", study, "good")
    done = collect([bad, good, tmp_path / "none.json"], store)
    assert done.n_files == 1
    assert len(done.refused) == 2
    assert store.counts()["raters"] == 1
    assert store.counts()["ratings"] == 6


def test_no_file_speaks_for_somebody_with_a_private_link(study, store, tmp_path):
    token = store.add_raters(["ann"])[0]
    collect([sent_file(tmp_path / "f.json", study, token)], store)
    assert store.answers(store.rater(token)) == {}
