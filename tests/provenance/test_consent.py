from datetime import date

import pandas as pd
import pytest

from talkin.errors import ConsentError
from talkin.provenance.consent import read_consent, require_consent

TODAY = date(2026, 6, 1)
HEAD = "consent,speaker,purpose,expires\n"


@pytest.fixture
def register(tmp_path):
    path = tmp_path / "consent.csv"
    path.write_text(
        HEAD + "2026-ann,ann,research,2026-06-01\nold,bo,research,2025-12-31\n"
        "synthetic,spk1,anything,\nsynthetic,spk2,anything,\n"
    )
    return read_consent(path)


def manifest(*rows):
    return pd.DataFrame(rows, columns=["clip", "speaker", "consent"])


def test_everyone_with_a_valid_record_may_be_used(register):
    require_consent(["ann", "spk1"], register, TODAY)  # ann's last day is today
    require_consent(
        manifest(("c1", "ann", "2026-ann"), ("c2", "spk2", "synthetic")), register, TODAY
    )


def test_an_unknown_speaker_is_refused_with_clip_and_the_row_to_add(register):
    with pytest.raises(ConsentError) as refusal:
        require_consent(manifest(("c1", "cleo", "2026-cleo")), register, TODAY)
    for part in ("cleo", "c1", "`2026-cleo,cleo,what-for,2027-12-31`", "consent.csv"):
        assert part in str(refusal.value)


def test_expired_consent_is_refused_with_its_date(register):
    with pytest.raises(ConsentError, match="speaker bo expired on 2025-12-31"):
        require_consent(["bo"], register, TODAY)
    with pytest.raises(ConsentError, match="expired"):
        require_consent(["ann"], register, date(2026, 6, 2))


def test_a_record_holds_for_its_own_speaker_alone(register):
    with pytest.raises(ConsentError, match="speaker cleo"):
        require_consent(manifest(("c1", "cleo", "synthetic")), register, TODAY)
    with pytest.raises(ConsentError, match="speaker ann"):
        require_consent(manifest(("c1", "ann", "synthetic")), register, TODAY)


def test_an_empty_consent_in_the_manifest_is_refused(register):
    with pytest.raises(ConsentError, match="names no consent record"):
        require_consent(manifest(("c1", "ann", "")), register, TODAY)


def test_all_who_lack_it_are_named_at_once(register):
    with pytest.raises(ConsentError) as refusal:
        require_consent(["bo", "cleo", "ann", "dora"], register, TODAY)
    assert len(str(refusal.value).splitlines()) == 3


def test_yaml_says_the_same_as_csv(tmp_path, register):
    path = tmp_path / "consent.yaml"
    path.write_text(
        "- {consent: 2026-ann, speaker: ann, purpose: research, expires: 2026-06-01}\n"
        "- {consent: old, speaker: bo, purpose: research, expires: 2025-12-31}\n"
        "- {consent: synthetic, speaker: spk1, purpose: anything}\n"
        "- {consent: synthetic, speaker: spk2, purpose: anything}\n"
    )
    assert read_consent(path).records == register.records


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", HEAD + "x,ann,,\n", "record 1: `purpose` is empty"),
        ("a.csv", HEAD + "x,ann,research,soon\n", "record 1: `expires` is 'soon'"),
        ("a.csv", "x,y\n1,2\n", "line 1: column 'consent' is missing"),
        (
            "a.csv",
            HEAD.replace(",", ";") + "x;ann;train;\n",
            "semicolons: save it as CSV with commas",
        ),
        ("a.csv", HEAD + "x,ann,train,31.12.2027\n", "write a date as 2027-12-31"),
        ("a.yaml", "consent: x\n", "a list of records"),
        ("a.yaml", "- [\n", "cannot be read"),
        ("a.yaml", "- !!python/object/apply:os.getcwd []\n", "cannot be read"),
    ],
)
def test_a_wrong_register_is_named_by_record(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConsentError, match=message) as refusal:
        read_consent(tmp_path / name)
    assert name in str(refusal.value)


def test_no_register_says_how_to_make_one(tmp_path):
    with pytest.raises(ConsentError, match="consent,speaker,purpose,expires"):
        read_consent(tmp_path / "consent.csv")


@pytest.fixture
def purposes(tmp_path):
    path = tmp_path / "consent.csv"
    path.write_text(
        HEAD.replace("\n", ",document_sha256\n")
        + f"2026-ann,ann,train; edit-face,2026-06-01,{'AB' * 32}\n"
        "2026-ann-voice,ann,edit-voice,2026-01-01,\nsynthetic,spk1,anything,,\n"
        "2026-bo,bo,research,,\n"
    )
    return read_consent(path)


def test_consent_for_one_purpose_is_none_for_another(purposes):
    for purpose in ("train", "edit-face"):
        require_consent(["ann", "spk1"], purposes, TODAY, purpose)
    with pytest.raises(ConsentError) as refusal:
        require_consent(["spk1", "ann"], purposes, TODAY, "edit-voice")
    assert "speaker ann is for train, edit-face, not for edit-voice" in str(refusal.value)
    assert "`NAME-OF-RECORD,ann,edit-voice,2027-12-31`" in str(refusal.value)
    assert "spk1" not in str(refusal.value)


def test_words_that_no_step_knows_allow_none_of_them(purposes):
    require_consent(["bo"], purposes, TODAY)
    with pytest.raises(ConsentError, match="bo is for research, not for train"):
        require_consent(["bo"], purposes, TODAY, "train")


def test_the_record_that_a_clip_names_must_itself_allow_the_purpose(purposes):
    require_consent(manifest(("c1", "ann", "2026-ann")), purposes, TODAY, "train")
    with pytest.raises(ConsentError, match=r"\(clip c1\) expired on 2026-01-01"):
        require_consent(manifest(("c1", "ann", "2026-ann-voice")), purposes, TODAY, "edit-voice")


def test_a_clip_may_name_several_records(purposes):
    both = manifest(("c1", "ann", "2026-ann; 2026-ann-voice"))
    require_consent(both, purposes, date(2026, 1, 1), "edit-voice")
    require_consent(both, purposes, TODAY, "train")
    with pytest.raises(ConsentError, match="ann"):
        require_consent(manifest(("c1", "ann", "synthetic;other")), purposes, TODAY, "train")


def test_taking_consent_back_names_the_way_to_what_was_derived(purposes):
    with pytest.raises(ConsentError, match="`talkin consent trace ann`"):
        require_consent(["ann"], purposes, date(2026, 7, 1), "train")


def test_people_who_do_not_exist_allow_everything(tmp_path):
    path = tmp_path / "consent.csv"
    path.write_text(HEAD + "synthetic,spk1,this person does not exist,\n")
    for purpose in ("train", "edit-face", "edit-voice"):
        require_consent(["spk1"], read_consent(path), TODAY, purpose)


def test_the_document_is_kept_and_checked(tmp_path, purposes):
    assert purposes.records[0].document_sha256 == "ab" * 32
    path = tmp_path / "wrong.csv"
    path.write_text(HEAD.replace("\n", ",document_sha256\n") + "x,ann,train,,abc\n")
    with pytest.raises(ConsentError, match="record 1: `document_sha256`"):
        read_consent(path)


def test_a_yaml_register_may_list_purposes(tmp_path):
    path = tmp_path / "consent.yaml"
    path.write_text("- {consent: a, speaker: ann, purpose: [train, edit-face]}\n")
    assert read_consent(path).records[0].purposes == ("train", "edit-face")


def test_a_person_is_refused_in_one_line_however_many_clips_show_them(register):
    rows = [{"clip": f"c{n}", "speaker": "zoe", "consent": "r9"} for n in range(40)]
    with pytest.raises(ConsentError) as refusal:
        require_consent(rows, register, TODAY)
    assert "\n" not in str(refusal.value)
    assert "zoe (clip c0 and 39 more)" in str(refusal.value)


@pytest.mark.parametrize("written", ["train;edit-face", "Train, edit-face", " train ;EDIT-FACE"])
def test_purposes_are_the_same_however_they_are_written(tmp_path, written):
    (tmp_path / "a.csv").write_text(HEAD + f'x,ann,"{written}",\n')
    register = read_consent(tmp_path / "a.csv")
    for purpose in ("train", "edit-face"):
        require_consent(["ann"], register, purpose=purpose)
    with pytest.raises(ConsentError, match="not for edit-voice"):
        require_consent(["ann"], register, purpose="edit-voice")
