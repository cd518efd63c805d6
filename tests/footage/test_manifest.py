import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkin.errors import FootageError
from talkin.footage.manifest import COLUMNS, read_manifest
from talkin.footage.skeleton import manifest_skeleton, unlistable_videos

HEAD = "clip,path,speaker,split,view,consent\n"


def written(folder, text):
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_back_as_text_in_their_order(tmp_path):
    path = written(tmp_path, HEAD + "b,x/b.mp4,ann,train,front,2026-a\n007,a.mp4,NA,test,,c\n")
    manifest = read_manifest(path)
    assert list(manifest.columns) == [*COLUMNS, "sentence"]
    assert manifest["clip"].tolist() == ["b", "007"]  # no number made of it
    assert manifest["speaker"].tolist() == ["ann", "NA"]  # no missing value made of it
    assert manifest["sentence"].tolist() == ["", ""]


def test_columns_may_stand_in_any_order_with_a_sentence_and_more(tmp_path):
    text = "sentence,remark,consent,view,split,speaker,path,clip\n"
    path = written(tmp_path, "\ufeff" + text + '"bin blue, at f",x,c,front,train,ann,a.mp4,a\n')
    row = read_manifest(path).iloc[0]
    assert (row["sentence"], row["clip"]) == ("bin blue, at f", "a")


def test_a_file_that_is_missing_is_not_fatal(tmp_path):
    assert len(read_manifest(written(tmp_path, HEAD + "a,absent.mp4,ann,train,front,c\n"))) == 1


def test_an_empty_consent_is_left_to_the_register(tmp_path):
    assert read_manifest(written(tmp_path, HEAD + "a,a.mp4,ann,train,front,\n"))["consent"][0] == ""


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,a.mp4,ann,training,front,c", r"line 3, column split: 'training'.*train, validation"),
        ("A,a.mp4,ann,train,front,c", r"line 3, column clip: 'A' already stands in line 2"),
        ("b,../a.mp4,ann,train,front,c", r"line 3, column path: .*leaves"),
        ("b,x/../../a.mp4,ann,train,front,c", r"line 3, column path: .*leaves"),
        ("b,/etc/passwd,ann,train,front,c", r"line 3, column path: .*leaves"),
        ("b,C:\\x\\a.mp4,ann,train,front,c", r"line 3, column path: .*leaves"),
        ("b,..\\a.mp4,ann,train,front,c", r"line 3, column path: .*leaves"),
        ("../b,a.mp4,ann,train,front,c", r"line 3, column clip: .*cannot name a file"),
        ("b,a.mp4,a/nn,train,front,c", r"line 3, column speaker: .*cannot name a file"),
        (",a.mp4,ann,train,front,c", r"line 3, column clip: empty"),
        ("b,,ann,train,front,c", r"line 3, column path: empty"),
        ("b,a.mp4,ann,train", r"|line 3"),
        ("b,a.mp4,ann,train,front,c,x,y", r"line 3: more fields"),
        ("b,a.mp4,ann,train,fr\x1bont,c", r"line 3, column view: .*control"),
        ("b,a.mp4,ann,train,front," + "c" * 5000, r"line 3, column consent: too long"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_column(tmp_path, row, message):
    path = written(tmp_path, HEAD + "a,a.mp4,ann,train,front,c\n" + row + "\n")
    if message.startswith("|"):
        assert len(read_manifest(path)) == 2  # short rows are filled up; consent is asked for later
        return
    with pytest.raises(FootageError, match=message):
        read_manifest(path)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(FootageError, match="line 1: column 'split' is missing"):
        read_manifest(written(tmp_path, "clip,path,speaker,view,consent\n"))
    with pytest.raises(FootageError, match="line 1: column 'clip' is missing"):
        read_manifest(written(tmp_path, ""))


def test_no_manifest_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(FootageError, match="talkin manifest"):
        read_manifest(tmp_path / "manifest.csv")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200), is_headed=st.booleans())
def test_whatever_bytes_stand_there_it_reads_or_names_the_file(tmp_path, content, is_headed):
    path = tmp_path / "manifest.csv"
    path.write_bytes((HEAD.encode() if is_headed else b"") + content)
    try:
        manifest = read_manifest(path)
    except FootageError as error:
        said = str(error)
    else:
        assert not manifest["path"].str.startswith("/").any()
        return
    assert "manifest.csv" in said


def test_the_folder_that_holds_all_clips_is_nobodys_name(tmp_path):
    for name in ("clips/one.mp4", "clips/ann/two.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    skeleton = manifest_skeleton(tmp_path)
    assert skeleton["speaker"].tolist() == ["ann", "speaker1"]
    assert skeleton["clip"].tolist() == ["ann_two", "one"]


def test_a_skeleton_lists_all_videos_and_is_a_manifest(tmp_path):
    for name in ("ann/a 1.mp4", "ann/a_1.MOV", "bo/ü.webm", "top.mkv", "notes.txt", ".x/h.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    skeleton = manifest_skeleton(tmp_path)
    assert skeleton["path"].tolist() == ["ann/a 1.mp4", "ann/a_1.MOV", "bo/ü.webm", "top.mkv"]
    assert skeleton["speaker"].tolist() == ["ann", "ann", "bo", "speaker1"]
    assert skeleton["clip"].is_unique
    assert (skeleton["consent"] == "").all()
    skeleton.to_csv(tmp_path / "manifest.csv", index=False)
    assert read_manifest(tmp_path / "manifest.csv").equals(skeleton)


def test_a_clip_keeps_its_split_when_others_are_added(tmp_path):
    for number in range(200):
        (tmp_path / f"clip{number:03}.mp4").write_bytes(b"x")
    before = manifest_skeleton(tmp_path).set_index("clip")["split"]
    for number in range(50):
        (tmp_path / f"added{number}.mp4").write_bytes(b"x")
    after = manifest_skeleton(tmp_path).set_index("clip")["split"]
    assert (after[before.index] == before).all()
    assert 0.7 < (before == "train").mean() < 0.9
    assert set(before) == {"train", "validation", "test"}


def test_a_folder_without_videos_is_said(tmp_path):
    with pytest.raises(FootageError, match="no video"):
        manifest_skeleton(tmp_path)
    with pytest.raises(FootageError, match="no such folder"):
        manifest_skeleton(tmp_path / "absent")


def test_videos_whose_names_no_table_can_hold_are_left_out_and_named(tmp_path):
    for name in (
        b"good.mp4",
        "at 9\u202fAM.mp4".encode(),
        b"bad\xff.mp4",
        b"two\nlines.mp4",
        b"=sum.mp4",
        b"-rf.mp4",
    ):
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    skeleton = manifest_skeleton(tmp_path)
    assert sorted(skeleton["path"]) == ["./-rf.mp4", "./=sum.mp4", "at 9\u202fAM.mp4", "good.mp4"]
    assert set(skeleton["clip"]) == {"rf", "sum", "at_9_AM", "good"}
    skeleton.assign(consent="c").to_csv(tmp_path / "manifest.csv", index=False)
    assert all((tmp_path / p).exists() for p in read_manifest(tmp_path / "manifest.csv")["path"])
    left_out = [os.fsencode(file.name) for file in unlistable_videos(tmp_path)]
    assert sorted(left_out) == [b"bad\xff.mp4", b"two\nlines.mp4"]


HABIT_HEAD = "clip,path,speaker,split,view,consent\n"
HABIT_ROW = "a,clips/a.mp4,ann,train,front,c\n"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + (HABIT_HEAD + HABIT_ROW).replace("\n", "\r\n"),
        (HABIT_HEAD + HABIT_ROW).replace("\n", "\r"),
        (HABIT_HEAD + HABIT_ROW).replace("\n", ",,,\n"),
        (HABIT_HEAD + HABIT_ROW).replace(",", " , "),
        HABIT_HEAD + "\n" + HABIT_ROW + "\n\n",
    ],
)
def test_what_spreadsheets_do_to_a_table_does_no_harm(tmp_path, text):
    (tmp_path / "manifest.csv").write_text(text, encoding="utf-8", newline="")
    assert read_manifest(tmp_path / "manifest.csv")["path"].tolist() == ["clips/a.mp4"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((HABIT_HEAD + HABIT_ROW).replace(",", ";").encode(), "apart by semicolons.*commas"),
        (("sep=;\n" + HABIT_HEAD).replace(",", ";").encode(), "apart by semicolons"),
        ((HABIT_HEAD + HABIT_ROW).replace(",", "\t").encode(), "apart by tabs"),
        ((HABIT_HEAD + HABIT_ROW).encode("utf-16"), "CSV UTF-8"),
        ((HABIT_HEAD + HABIT_ROW.replace("a.mp4", "\xe4.mp4")).encode("latin-1"), "CSV UTF-8"),
    ],
)
def test_another_form_of_table_is_told_with_how_to_save_it(tmp_path, content, message):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(FootageError, match=message):
        read_manifest(tmp_path / "manifest.csv")


def test_a_folder_with_an_odd_name_above_hides_no_video(tmp_path):
    folder = tmp_path / "two\nlines" / "footage"
    folder.mkdir(parents=True)
    (folder / "a.mp4").touch()
    assert manifest_skeleton(folder)["path"].tolist() == ["a.mp4"]
