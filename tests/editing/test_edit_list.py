import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.editing.assembling import assemble
from talkin.editing.edit_list import EditList, Piece, parse_edit_list, read_edit_list, seconds_of
from talkin.errors import ConfigurationError, FootageError
from talkin.footage.audio import Audio, write_wav

RATE = 8000


def parsed(text, folder, is_csv=False):
    return parse_edit_list(text.encode(), "list", folder, is_csv)


def test_yaml_and_csv_say_the_same(tmp_path):
    rows = "pieces:\n- {audio: a.wav, in: 1.5, out: '1:02.5'}\n- {pause: 0.25}\n- {audio: b.wav}\n"
    table = "audio,in,out,pause\na.wav,1.5,1:02.5,\n,,,0.25\nb.wav,,,\n"
    first, second = parsed(rows, tmp_path), parsed(table, tmp_path, is_csv=True)
    assert first == second
    assert first.pieces[0] == Piece.model_validate(
        {"audio": tmp_path / "a.wav", "in": 1.5, "out": 62.5}
    )
    assert first.files == (tmp_path / "a.wav", tmp_path / "b.wav")


def test_minutes_without_quotes_are_minutes_and_no_number_to_the_base_of_60(tmp_path):
    assert parsed("- {audio: a.wav, in: 1:30}", tmp_path).pieces[0].start_s == 90.0


@given(st.floats(0, 99 * 3600 - 1).map(lambda value: round(value, 3)))
def test_a_time_is_the_same_in_seconds_and_on_the_clock(time_s):
    clock = f"{int(time_s // 3600)}:{int(time_s % 3600 // 60):02}:{time_s % 60:06.3f}"
    assert seconds_of(f"{time_s:.3f}") == pytest.approx(time_s)
    assert seconds_of(clock) == pytest.approx(time_s, abs=2e-3)


TIMES = st.floats(0, 500).map(lambda value: round(value, 3))
PIECES = st.one_of(
    st.fixed_dictionaries({"pause": TIMES.map(lambda value: value + 0.001)}),
    st.tuples(st.sampled_from(["a.wav", "b c.mp4", "é.flac"]), TIMES, TIMES).map(
        lambda row: {"audio": row[0], "in": row[1], "out": round(row[1] + row[2] + 0.001, 3)}
    ),
)


@given(st.lists(PIECES, min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp()
    if not any("audio" in row for row in rows):
        rows = [*rows, {"audio": "a.wav"}]
    for text in (yaml.safe_dump({"pieces": rows}), yaml.safe_dump(rows, allow_unicode=True)):
        read = parsed(text, folder)
        assert len(read.pieces) == len(rows)
        for piece, row in zip(read.pieces, rows, strict=True):
            assert piece.pause_s == pytest.approx(row.get("pause", 0.0))
            assert piece.start_s == pytest.approx(row.get("in", 0.0))
            assert piece.audio == (folder / row["audio"] if "audio" in row else None)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text("{}[]-:&*!|>'\",#%@`?\n 0123audioinoutpause.", max_size=200).map(str.encode),
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_an_edit_list_or_one_line_of_error(tmp_path_factory, content, is_csv):
    try:
        found = parse_edit_list(content, "list", tmp_path_factory.getbasetemp(), is_csv)
    except ConfigurationError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert isinstance(found, EditList)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "edit list"),
        ("just words", "edit list"),
        ("pieces: []", "at least 1"),
        ("- {audio: a.wav, in: 3, out: 2}", "piece 1: `out` (2 s) must lie after `in`"),
        ("- {audio: a.wav}\n- {audio: b.wav, from: 2}", "piece 2, from.*a piece has audio"),
        ("- {audio: a.wav, in: soon}", "piece 1, in: 'soon' is no time"),
        ("- {audio: a.wav, in: -1}", "piece 1, in: '-1' is no time"),
        ("- {audio: a.wav, in: .nan}", "is no time"),
        ("- {pause: 1}", "nothing but pauses"),
        ("- {audio: a.wav, pause: 1}", "either `audio` or a `pause`"),
        ("- {audio: [a.wav]}", "piece 1, audio"),
        ("- &a {audio: x.wav}\n- *a", "references"),
        ("[" * 20 + "]" * 20, "nested too deeply"),
        ("- !!python/object/apply:os.system [ls]", "piece 1"),
        ("- {audio: 'a\\0b'}\n".replace("'", '"'), "zero byte"),
    ],
)
def test_every_slip_is_named_with_its_piece(tmp_path, text, words):
    with pytest.raises(ConfigurationError, match=words.replace("(", r"\(").replace(")", r"\)")):
        parsed(text, tmp_path)


def test_a_table_without_its_first_line_and_one_with_too_many_cells_are_refused(tmp_path):
    for table in ("a.wav,1,2\n", "audio,in,out\na.wav,1,2,3,4\n"):
        with pytest.raises(ConfigurationError):
            parsed(table, tmp_path, is_csv=True)


def test_a_missing_and_a_huge_list_are_refused_by_name(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.yml"):
        read_edit_list(tmp_path / "none.yml")
    (tmp_path / "big.yml").write_text("#" * 400_000)
    with pytest.raises(ConfigurationError, match="at most"):
        read_edit_list(tmp_path / "big.yml")


@pytest.fixture
def recordings(tmp_path):
    """Two files of constant level: 0.5 for 2 s, and -0.25 for 1 s."""
    for name, level, seconds in (("a", 0.5, 2), ("b", -0.25, 1)):
        samples = np.full(seconds * RATE, level, np.float32)
        write_wav(tmp_path / f"{name}.wav", Audio(samples, RATE))
    return tmp_path


def assembled(folder, text):
    return assemble(parsed(text, folder), RATE).samples


def test_pieces_come_in_order_with_their_lengths(recordings):
    heard = assembled(
        recordings,
        "{cross_fade_s: 0, pieces: [{audio: a.wav, in: 0.5, out: 1.0}, {audio: b.wav, out: 0.25},"
        " {pause: 0.5}, {audio: a.wav, in: 1.75}]}",
    )
    expected = [0.5] * 4000 + [-0.25] * 2000 + [0] * 4000 + [0.5] * 2000
    assert heard == pytest.approx(np.array(expected), abs=1e-3)


def test_a_cross_fade_shortens_the_whole_and_keeps_the_power_of_unlike_sounds(recordings):
    text = "{cross_fade_s: 0.1, pieces: [{audio: a.wav, out: 1}, {audio: b.wav}]}"
    heard = assembled(recordings, text)
    assert len(heard) == 2 * RATE - 800
    phase = (np.arange(800) + 0.5) / 800 * np.pi / 2
    joint = 0.5 * np.cos(phase) - 0.25 * np.sin(phase)
    assert heard[RATE - 800 : RATE] == pytest.approx(joint, abs=1e-3)
    assert heard[: RATE - 800] == pytest.approx(0.5, abs=1e-3)
    assert heard[RATE:] == pytest.approx(-0.25, abs=1e-3)


def test_a_fade_never_eats_more_than_half_of_a_short_piece(recordings):
    text = "{cross_fade_s: 5, pieces: [{audio: a.wav, out: 0.1}, {audio: b.wav}]}"
    assert len(assembled(recordings, text)) == RATE + 800 - 400


def test_beside_a_pause_a_piece_fades_by_itself(recordings):
    text = "{cross_fade_s: 0.1, pieces: [{audio: a.wav, out: 1}, {pause: 0.5}, {audio: a.wav}]}"
    heard = assembled(recordings, text)
    assert len(heard) == 3.5 * RATE
    assert abs(heard[RATE - 1]) < 0.01
    assert abs(heard[RATE + 4000]) < 0.01
    assert np.abs(np.diff(heard)).max() < 0.01


def test_pieces_beyond_the_end_are_refused_by_file_and_time(recordings):
    for text in ("- {audio: a.wav, in: 5}", "- {audio: a.wav, out: 2.2}"):
        with pytest.raises(FootageError, match=r"a\.wav: .*beyond its end at 2\.00 s"):
            assembled(recordings, text)
    assert len(assembled(recordings, "- {audio: a.wav, out: 2.03}")) == 2 * RATE
    with pytest.raises(FootageError, match="no such file"):
        assembled(recordings, "- {audio: none.wav}")
