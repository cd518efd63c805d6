import hostile_tables
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.datasets.manifest import FootageManifestDataset
from pipelines.editing.requests import read_edit_requests
from pipelines.preprocess.tables import check_consent_and_probe_clips, list_rejects
from talkin.editing.edit_list import read_edit_list
from talkin.errors import TalkinError
from talkin.files import spreadsheet_safe
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.manifest import sort_manifest
from talkin.provenance.consent import read_consent

READERS = {
    "manifest": (sort_manifest, hostile_tables.hostile_manifests()),
    "register": (read_consent, hostile_tables.hostile_registers()),
    "edits": (read_edit_requests, hostile_tables.hostile_edit_requests()),
    "pieces": (read_edit_list, hostile_tables.hostile_edit_lists()),
    "track": (LandmarkTrack.load, hostile_tables.hostile_tracks()),
}
any_input = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_or_refused(kind, path):
    """Reads, or says why not on one line that names the file."""
    said = path.name
    try:
        READERS[kind][0](path)
    except TalkinError as error:
        said = str(error)
    assert path.name in said
    assert said.isprintable()


@pytest.mark.parametrize("kind", READERS)
def test_every_hostile_table_is_read_or_refused_by_name(tmp_path, kind):
    for name, content in READERS[kind][1].items():
        path = tmp_path / name
        path.write_bytes(content())
        read_or_refused(kind, path)
        path.unlink()


@any_input
@given(content=st.binary(max_size=300), is_headed=st.booleans())
@pytest.mark.parametrize(
    ("kind", "head", "suffix"),
    [
        ("edits", hostile_tables.EDITS_HEAD, ".csv"),
        ("register", hostile_tables.CONSENT_HEAD, ".csv"),
        ("register", "- {consent: c, speaker: s, purpose: train, expires: ", ".yaml"),
        ("manifest", hostile_tables.MANIFEST_HEAD, ".csv"),
    ],
)
def test_whatever_bytes_stand_there_a_table_is_read_or_refused(
    tmp_path, kind, head, suffix, content, is_headed
):
    path = tmp_path / f"table{suffix}"
    path.write_bytes((f"{head}\n".encode() if is_headed else b"") + content)
    read_or_refused(kind, path)


@any_input
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=8))
def test_whatever_bits_are_flipped_a_landmarks_file_is_read_or_refused(tmp_path, flips):
    data = bytearray(hostile_tables.track_bytes())
    for place, change in flips:
        data[place % len(data)] ^= change
    path = tmp_path / "track.parquet"
    path.write_bytes(bytes(data))
    read_or_refused("track", path)


@any_input
@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), max_size=6
    )
)
def test_no_name_in_a_manifest_becomes_a_path_outside(tmp_path, names):
    path = tmp_path / "manifest.csv"
    rows = [f'"{n.replace(chr(34), chr(34) * 2)}",a.mp4,ann,train,front,c' for n in names]
    text = "\n".join([hostile_tables.MANIFEST_HEAD, *rows])
    path.write_text(text, encoding="utf-8", newline="")
    good, _ = sort_manifest(path)
    for clip in good["clip"]:
        assert (tmp_path / f"{clip}.wav").parent == tmp_path
        assert clip in {name.strip() for name in names}


def test_wrong_rows_are_named_by_line_and_stop_no_other(tmp_path):
    good = "good_{},clips/{}.mp4,ann,train,front,c"
    wrong = hostile_tables.hostile_manifest_rows()
    lines = [hostile_tables.MANIFEST_HEAD, good.format(0, 0), *wrong, good.format(1, 1)]
    (tmp_path / "manifest.csv").write_text("\n".join(lines), encoding="utf-8", newline="")
    (tmp_path / "consent.csv").write_text(f"{hostile_tables.CONSENT_HEAD}\nc,ann,train,\n")
    manifest = FootageManifestDataset(filepath=str(tmp_path / "manifest.csv")).load()
    footage = check_consent_and_probe_clips(manifest, read_consent(tmp_path / "consent.csv"))
    rejects = list_rejects(footage, {}).set_index("clip")
    assert set(rejects.index) == {
        "good_0", "good_1", *(f"line-{3 + number}" for number in range(len(wrong))),
    }  # fmt: skip
    assert rejects.loc["good_0", "stage"] == "probe"  # there is no such file
    assert rejects.loc["line-5", "stage"] == "manifest"
    assert "leaves the manifest's folder" in rejects.loc["line-5", "reason"]
    assert str(tmp_path) not in "".join(rejects["reason"])


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_of_the_rejects_is_a_formula_or_ends_a_line(text):
    cell = spreadsheet_safe(text)
    assert cell.isprintable()
    assert cell[:1] not in set("=+-@")
