"""Makes broken and hostile tables: rows, manifests, registers, edits asked for, lists, tracks."""

import io
import json
import random
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MANIFEST_HEAD = "clip,path,speaker,split,view,consent"
CONSENT_HEAD = "consent,speaker,purpose,expires"
EDITS_HEAD = "job,target,audio,target_speaker,audio_speaker"
PIECES_HEAD = "audio,in,out,pause,cross_fade_s"
Content = Callable[[], bytes]


def hostile_manifest_rows() -> list[str]:
    """Rows that cannot be used, each a line; the rows around them can."""
    ends = "ann,train,front,c"
    return [
        f"../escape,a.mp4,{ends}",
        f"/abs,a.mp4,{ends}",
        f"c1,../../../etc/passwd,{ends}",
        f"c2,/etc/passwd,{ends}",
        f"c3,C:\\Windows\\a.mp4,{ends}",
        f"c4,\\\\server\\share\\a.mp4,{ends}",
        f"c5,a/../../b.mp4,{ends}",
        "c6,a.mp4,../ann,train,front,c",
        "c7,a.mp4,ann/bo,train,front,c",
        "=cmd|'/C calc'!A0,a.mp4,ann,train,front,c",
        "@SUM(1),a.mp4,ann,train,front,c",
        "-rf,a.mp4,ann,train,front,c",
        ".hidden,a.mp4,ann,train,front,c",
        "a..b,a.mp4,ann,train,front,c",
        f"c8,{'x' * 5000}.mp4,{ends}",
        f"{'c' * 121},a.mp4,{ends}",
        f"c9,{'y' * 200_000},{ends}",
        f"c\x0010,a.mp4,{ends}",
        f"c11,a\x1b[2J.mp4,{ends}",
        "c12,a.mp4,ann,everything,front,c",
        "c13,a.mp4,ann,train,front,c,more,and,more",
        "c14,,ann,train,front,c",
        ",a.mp4,ann,train,front,c",
        f"c\u202e15,a.mp4,{ends}",
        f"é16,a.mp4,{ends}",
        "c17",
        'c18,"a"b.mp4,ann,train,front,c',
        f"good_0,a.mp4,{ends}",
        f"GOOD_0,a.mp4,{ends}",
    ]


def hostile_manifests() -> dict[str, Content]:
    """Whole manifests."""
    return {name: _bytes(c) for name, c in _tables(MANIFEST_HEAD, "a,a.mp4,ann,train,front,c")}


def hostile_registers() -> dict[str, Content]:
    """Consent registers, by file name."""
    found = {f"{n}.csv": _bytes(c) for n, c in _tables(CONSENT_HEAD, "c,ann,train,2999-01-01")}
    texts = {
        "mapping": "consent: c\nspeaker: ann\n",
        "numbers": "- {consent: 1, speaker: 2, purpose: 3, expires: 4}\n",
        "nested": "- {consent: c, speaker: {a: b}, purpose: [[train]], expires: []}\n",
        "date-time": "- {consent: c, speaker: a, purpose: train, expires: 2026-01-01 10:00:00}\n",
        "year-0": "- {consent: c, speaker: a, purpose: train, expires: 0000-01-01}\n",
        "merge": "- {<<: {consent: c}, speaker: a, purpose: train}\n",
        "binary": "- {consent: !!binary AAAA, speaker: a, purpose: train}\n",
        "escape": '- {consent: "c\\e[2J", speaker: a, purpose: train}\n',
    } | _yaml_attacks()
    return found | {f"{name}.yaml": _bytes(text) for name, text in texts.items()}


def _yaml_attacks() -> dict[str, str]:
    """What can be wrong with any YAML of ours."""
    laughs = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 8)}]\n" for i in range(20)
    )
    return {
        "laughs": laughs,
        "laughs-listed": "- &a [x,x]\n" + "- [*a,*a]\n" * 3,
        "object": "- !!python/object/apply:os.system ['touch executed']\n",
        "deep": "[" * 5000,
        "deep-flow": "- " * 3000 + "x",
        "documents": "- {consent: c}\n---\n- {consent: d}\n",
        "tab": "-\tconsent: c\n\tspeaker: x\n",
        "null": "null\n",
    }


def hostile_edit_requests() -> dict[str, Content]:
    """Lists of edits that users ask for."""
    found = {name: _bytes(text) for name, text in _tables(EDITS_HEAD, "j,a,b,ann,bo")}
    rows = {
        "escape": "../../j,a,b,,", "absolute": "/etc/j,a,b,,", "formula": "=1+1,a,b,,",
        "control": "j,a\x1b[2J,b,,", "long": f"j,{'a' * 5000},b,,", "no-target": "j,,b,,",
        "case": "j,a,b,,\nJ,a,b,,",
    }  # fmt: skip
    return found | {f"row-{n}": _bytes(f"{EDITS_HEAD}\n{row}\n") for n, row in rows.items()}


def hostile_edit_lists() -> dict[str, Content]:
    """Lists of the pieces that new speech is cut from, CSV and YAML."""
    found = {f"{n}.csv": _bytes(c) for n, c in _tables(PIECES_HEAD, "a.wav,1.5,1:02.5,,0.1")}
    rows = {
        "backwards": "a.wav,3,2,,", "before": "a.wav,-1,2,,", "no-number": "a.wav,nan,nan,,",
        "endless": "a.wav,0,1e400,,", "both": "a.wav,,,5,", "long-pause": ",,,1e9,",
        "nul": "a\0.wav,1,2,,", "sixty": "a.wav,99:99:99,999:99:99,,",
        "digits": f"a,{'9' * 5000},,,",
    }  # fmt: skip
    found |= {f"row-{n}.csv": _bytes(f"{PIECES_HEAD}\n{row}\n") for n, row in rows.items()}
    texts = {
        "traversal": "- {audio: ../../etc/passwd}\n",
        "keys": "pieces: [{audio: a.wav, __class__: x}]\n",
        "no-text": "pieces: [{audio: [a, b]}]\n",
        "many": "pieces:\n" + "- {pause: 1}\n" * 20_000,
        "pauses-alone": "- {pause: 1}\n" * 3,
        "whole": "cross_fade_s: 0.02\npieces: [{audio: a.wav, in: 3.2, out: 3.71}, {pause: 1}]\n",
    }
    return found | {f"{n}.yaml": _bytes(t) for n, t in (_yaml_attacks() | texts).items()}


def _bytes(content: str | bytes) -> Content:
    return lambda: (
        content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    )


def _tables(head: str, row: str) -> Iterator[tuple[str, str | bytes]]:
    """What can be wrong with any CSV of ours."""
    first = head.split(",", maxsplit=1)[0]
    yield "empty", ""
    yield "only-head", head
    yield "no-head", f"{row}\n" * 3
    yield "column-missing", head.replace(f"{first},", "", 1) + "\nx,y\n"
    yield "column-twice", f"{head},{first}\n{row},again\n"
    yield "column-case", f"{head.upper()}\n{row}\n"
    yield "semicolons", f"{head}\n{row}\n".replace(",", ";")
    yield "row-twice", f"{head}\n{row}\n{row}\n"
    yield "row-short", f"{head}\nx\n"
    yield "row-long", f"{head}\n{row},1,2,3\n"
    yield "row-empty", f"{head}\n\n,,,,,,,\n"
    yield "quote-open", f'{head}\n"{row}\n{row}\n'
    yield "quote-inside", f'{head}\nx"y,"a"b\n'
    yield "field-enormous", f"{head}\n{'x' * 2_000_000},{row}\n"
    yield "columns-enormous", head + ",x" * 100_000 + f"\n{row}\n"
    yield "nul", f"{head}\n{row}\0\n"
    yield "carriage", f"{head}\r{row}\r"
    yield "utf-16", f"{head}\n{row}\n".encode("utf-16")
    yield "latin", f"{head}\n{row}ü\n".encode("latin-1")
    yield "mark", f"\ufeff{head}\n{row}\n"
    yield "png", b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(3000)
    yield "zeros", bytes(100_000)
    yield "too-large", f"{head}\n".encode() + b"x" * 60_000_000


def hostile_tracks() -> dict[str, Content]:
    """Landmark files (Parquet) by name."""
    whole = track_bytes()
    rng = random.Random(5)
    found: dict[str, Content] = {
        "empty": _bytes(b""),
        "magic-alone": _bytes(b"PAR1PAR1"),
        "text": _bytes(b"time_s,points\n1,2\n"),
        "zeros": _bytes(bytes(50_000)),
        "footer-length": _bytes(whole[:-8] + b"\xff\xff\xff\x7fPAR1"),
    }
    for share in (0.1, 0.5, 0.9, 0.99):
        found[f"cut-{share}"] = _bytes(whole[: int(share * len(whole))])
    for number in range(20):
        data = bytearray(whole)
        for place in rng.sample(range(len(data)), 4):
            data[place] ^= 1 << rng.randrange(8)
        found[f"flipped-{number}"] = _bytes(bytes(data))
    for name, changes in _track_changes().items():
        found[name] = lambda changes=changes: track_bytes(**changes)  # type: ignore[misc]
    return found


def _track_changes() -> dict[str, dict[str, object]]:
    n = 6
    return {
        "no-layout": {"layout": "something else"},
        "scheme": {"scheme": "../../x"},
        "wrong-scheme": {"scheme": "mediapipe468"},
        "fps-0": {"fps": "0.0"},
        "fps-nan": {"fps": "nan"},
        "fps-negative": {"fps": "-25.0"},
        "fps-text": {"fps": "fast"},
        "width-0": {"width": "0"},
        "width-enormous": {"width": "9" * 30},
        "notes-no-list": {"notes": json.dumps({"a": 1})},
        "notes-deep": {"notes": "[" * 100_000},
        "notes-no-json": {"notes": "none"},
        "frame-text": {"cuts": "[3]", "frame": pa.array(["x"] * n)},
        "cuts-before": {"cuts": "[-1, 3]"},
        "cuts-fall": {"cuts": "[4, 2]"},
        "cuts-enormous": {"cuts": "[1e400]"},
        "cuts-words": {"cuts": '["a", true]'},
        "cuts-deep": {"cuts": "[" * 100_000},
        "times-fall": {"time_s": pa.array(np.arange(n, 0, -1.0))},
        "times-nan": {"time_s": pa.array(np.full(n, np.nan))},
        "times-text": {"time_s": pa.array(["x"] * n)},
        "times-null": {"time_s": pa.array([None] * n, pa.float64())},
        "found-text": {"is_found": pa.array(["yes"] * n)},
        "found-null": {"is_found": pa.array([None] * n, pa.bool_())},
        "score-text": {"score": pa.array(["x"] * n)},
        "score-nan": {"score": pa.array(np.full(n, np.nan, np.float32))},
        "points-text": {"points": pa.array(["x"] * n)},
        "points-short": {"points": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(n * 4)), 4)},
        "points-ragged": {"points": pa.array([[1.0]] * (n - 1) + [[1.0, 2.0]])},
        "points-infinite": {
            "points": pa.FixedSizeListArray.from_arrays(pa.array(np.full(n * 136, np.inf)), 136)
        },
        "points-enormous": {
            "points": pa.FixedSizeListArray.from_arrays(pa.array(np.full(n * 136, 1e300)), 136)
        },
        "no-points": {"points": None},
    }


def track_bytes(**changes: object) -> bytes:
    """A landmarks file of six frames, with columns or metadata changed (None: left out)."""
    n = 6
    columns: dict[str, object] = {
        "frame": pa.array(np.arange(n, dtype=np.int32)),
        "time_s": pa.array(np.arange(n) / 25.0),
        "is_found": pa.array(np.ones(n, bool)),
        "score": pa.array(np.ones(n, np.float32)),
        "points": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(n * 136, np.float32)), 136),
    }
    metadata = {
        "layout": "talkin-landmarks-1", "scheme": "ibug68", "fps": "25.0", "width": "64",
        "height": "48", "notes": "[]",
    }  # fmt: skip
    metadata |= {k: str(v) for k, v in changes.items() if k not in columns}
    columns |= {k: v for k, v in changes.items() if k in columns}
    table = pa.table({k: v for k, v in columns.items() if v is not None})
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), file)
    return file.getvalue()
