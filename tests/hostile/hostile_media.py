"""Makes broken and hostile media files: the same ones each time, none of them stored.

`hostile_media()` lists them; each has a file name (which may itself be the attack), the group it
belongs to and a function that writes it. Groups: truncated, bit-flipped, wrong extension, text,
claimed sizes, no pictures, rates, pixel formats, sound, special files, names.
"""

import os
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

from base_clips import CONTAINERS, base_bytes, sound_bytes, write_pictures

_BASES = ("mp4", "mkv", "avi", "webm")


@dataclass(frozen=True)
class HostileFile:
    """One file of the corpus.

    Attributes:
        name: Its file name.
        group: How it is broken.
        write: Writes it to a path.
    """

    name: str
    group: str
    write: Callable[[Path], object]


def hostile_media() -> list[HostileFile]:
    """All of them, in a fixed order; names are distinct."""
    makers = (
        _truncated, _bit_flipped, _wrong_extension, _texts, _claimed_sizes, _no_pictures,
        _rates, _pixel_formats, _sounds, _special, _names,
    )  # fmt: skip
    return [file for maker in makers for file in maker()]


def _content(name: str, group: str, content: Callable[[], bytes]) -> HostileFile:
    return HostileFile(name, group, lambda path: path.write_bytes(content()))


def _truncated() -> Iterator[HostileFile]:
    for kind in _BASES:
        for share in (0.001, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 0.999):
            name = f"cut-{kind}-{round(1000 * share):03d}.{kind}"
            yield _content(name, "truncated", partial(_cut, kind, share))
    for n in (1, 4, 8, 32):
        yield _content(f"first-{n}-bytes.mp4", "truncated", lambda n=n: base_bytes("mp4")[:n])


def _cut(kind: str, share: float) -> bytes:
    whole = base_bytes(kind)
    return whole[: max(1, int(share * len(whole)))]


def _bit_flipped() -> Iterator[HostileFile]:
    for kind in _BASES:
        for seed in range(10):
            where = "everywhere" if seed % 2 else "head"
            name = f"flipped-{kind}-{where}-{seed}.{kind}"
            yield _content(name, "bit-flipped", partial(_flipped, kind, seed))


def _flipped(kind: str, seed: int) -> bytes:
    """A bit in two hundred bytes, in the whole file or in its first and last kilobyte alone."""
    rng = random.Random(f"{kind} {seed}")
    data = bytearray(base_bytes(kind))
    places = range(len(data))
    if seed % 2 == 0:
        places = [i for i in places if i < 1024 or i >= len(data) - 1024]  # type: ignore[assignment]
    for place in rng.sample(places, len(places) // 200):
        data[place] ^= 1 << rng.randrange(8)
    return bytes(data)


def _wrong_extension() -> Iterator[HostileFile]:
    heads = {
        "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02",
        "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(500),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj << >> endobj\n" * 40,
        "zip": b"PK\x03\x04" + bytes(400),
        "gzip": b"\x1f\x8b\x08\x00" + bytes(400),
        "program": b"\x7fELF\x02\x01\x01" + bytes(2000),
        "pickle": b"\x80\x04cposix\nsystem\n(S'touch pickled'\ntR.",
        "sqlite": b"SQLite format 3\x00" + bytes(1000),
        "zeros": bytes(100_000),
        "noise": random.Random(1).randbytes(100_000),
    }
    for kind, head in heads.items():
        yield _content(f"is-{kind}.mp4", "wrong extension", lambda head=head: head)
    for kind in ("avi", "webm", "mkv", "mpg"):
        yield _content(f"is-{kind}.mp4", "wrong extension", partial(base_bytes, kind))
    yield _content("is-wav.mp4", "wrong extension", sound_bytes)
    yield _content("is-mp4.wav", "wrong extension", partial(base_bytes, "mp4"))
    yield _content("is-mp4.png", "wrong extension", partial(base_bytes, "mp4"))


def _texts() -> Iterator[HostileFile]:
    texts = {
        "words": "these are words, no film\n" * 100,
        "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "remote": "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile /etc/passwd\nfile /dev/zero\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>',
        "entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        "script": "#!/bin/sh\ntouch executed\n",
        "subtitles": "1\n00:00:00,000 --> 99:59:59,999\nhello\n",
        "yuv4mpeg": "YUV4MPEG2 W999999 H999999 F1:1 Ip A0:0 C420\nFRAME\n",
        "image list": "file:%0999999d.png\n",
    }
    for kind, text in texts.items():
        yield _content(f"text-{kind.replace(' ', '-')}.mp4", "text", lambda t=text: t.encode())


def _claimed_sizes() -> Iterator[HostileFile]:
    """An mp4 whose boxes claim more than there is: (box, bytes from its name, value)."""
    most, large = b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"
    patches = {
        "moov-size": (b"moov", -4, most),
        "mdat-size": (b"mdat", -4, most),
        "mdat-size-64": (b"mdat", -4, b"\0\0\0\1"),
        "trak-size-0": (b"trak", -4, bytes(4)),
        "trak-size-1": (b"trak", -4, b"\0\0\0\1"),
        "samples": (b"stsz", 12, most),
        "sample-size": (b"stsz", 8, large),
        "sample-sizes": (b"stsz", 16, most * 3),
        "chunks": (b"stco", 8, most),
        "chunk-places": (b"stco", 12, large * 1),
        "times": (b"stts", 8, most),
        "time-count": (b"stts", 12, large),
        "time-step": (b"stts", 16, large),
        "composition-times": (b"ctts", 8, most),
        "sample-to-chunk": (b"stsc", 8, most),
        "key-frames": (b"stss", 8, most),
        "movie-length": (b"mvhd", 20, most),
        "movie-scale-0": (b"mvhd", 16, bytes(4)),
        "track-length": (b"tkhd", 24, most),
        "media-scale-0": (b"mdhd", 16, bytes(4)),
        "media-scale-1": (b"mdhd", 16, b"\0\0\0\1"),
        "media-scale-most": (b"mdhd", 16, most),
        "media-length": (b"mdhd", 20, most),
        "edit-list": (b"elst", 12, most),
        "edit-time": (b"elst", 16, large),
        "picture-65535": (b"avc1", 28, most),
        "picture-0": (b"avc1", 28, bytes(4)),
        "track-65535": (b"tkhd", 80, most * 2),
        "matrix": (b"tkhd", 44, most * 9),
        "descriptions": (b"stsd", 8, most),
        "avcC": (b"avcC", 4, most * 8),
        "channels": (b"mp4a", 20, most),
        "sound-rate": (b"mp4a", 28, most),
        "sound-rate-0": (b"mp4a", 28, bytes(4)),
    }
    for name, patch in patches.items():
        yield _content(f"claims-{name}.mp4", "claimed sizes", partial(_patched, *patch))
    for name, place, value in (
        ("riff", 4, most), ("channels-0", 22, b"\0\0"), ("channels-65535", 22, b"\xff\xff"),
        ("rate-0", 24, bytes(4)), ("rate-most", 24, most), ("block-0", 32, b"\0\0"),
        ("bits-0", 34, b"\0\0"), ("data", 40, most),
    ):  # fmt: skip
        make = partial(_overwritten_sound, place, value)
        yield _content(f"claims-wav-{name}.wav", "claimed sizes", make)


def _patched(box: bytes, place: int, value: bytes) -> bytes:
    data = bytearray(base_bytes("mp4"))
    start = data.find(box) + place
    data[start : start + len(value)] = value
    return bytes(data)


def _overwritten_sound(place: int, value: bytes) -> bytes:
    data = bytearray(sound_bytes())
    data[place : place + len(value)] = value
    return bytes(data)


def _no_pictures() -> Iterator[HostileFile]:
    yield _content("empty.mp4", "no pictures", lambda: b"")
    yield _content("only-ftyp.mp4", "no pictures", lambda: base_bytes("mp4")[:32])
    yield _content("only-head.avi", "no pictures", lambda: base_bytes("avi")[:64])
    box = struct.pack(">I4s", 8, b"moov")
    yield _content("empty-moov.mp4", "no pictures", lambda: base_bytes("mp4")[:32] + box)
    yield _content("no-samples.mp4", "no pictures", partial(_patched, b"stsz", 12, bytes(4)))
    yield _content("no-times.mp4", "no pictures", partial(_patched, b"stts", 8, bytes(4)))
    yield _content("no-track.mp4", "no pictures", partial(_patched, b"trak", 0, b"free"))
    yield _content("unknown-codec.mp4", "no pictures", partial(_patched, b"avc1", 0, b"zzzz"))
    yield _content("not-video.mp4", "no pictures", partial(_patched, b"vide", 0, b"text"))
    for kind in ("mp4", "mkv", "avi"):
        write = partial(write_pictures, n_pictures=0)
        yield HostileFile(f"zero-frames.{kind}", "no pictures", write)
        write = partial(write_pictures, n_pictures=1)
        yield HostileFile(f"one-frame.{kind}", "no pictures", write)
    write = partial(write_pictures, n_pictures=0, sound_s=0.4)
    yield HostileFile("only-sound.mp4", "no pictures", write)


def _rates() -> Iterator[HostileFile]:
    for name, rate in (
        ("1-in-1000-s", Fraction(1, 1000)), ("1-in-100-s", Fraction(1, 100)),
        ("1000", Fraction(1000)), ("10000", Fraction(10_000)), ("1000000", Fraction(1_000_000)),
        ("odd", Fraction(99_991, 3_989)),
    ):  # fmt: skip
        for kind in ("mp4", "mkv"):
            write = partial(write_pictures, rate=rate)
            yield HostileFile(f"rate-{name}.{kind}", "rates", write)
    for name, times_ms in (
        ("hole-of-days", [0, 40, 80, 300_000_000]), ("all-at-once", [0, 0, 0, 0]),
        ("hour-apart", [0, 3_600_000, 7_200_000]), ("late-start", [90_000_000, 90_000_040]),
        ("before-zero", [-5000, -4000, 0, 40]), ("bursts", [0, 1, 2, 500, 501, 502]),
    ):  # fmt: skip
        write = partial(write_pictures, times_ms=times_ms)
        yield HostileFile(f"times-{name}.mkv", "rates", write)
    write = partial(write_pictures, sound_s=0.5, sound_rate=8000, sound_start_s=500.0)
    yield HostileFile("sound-starts-late.mkv", "rates", write)


def _pixel_formats() -> Iterator[HostileFile]:
    for codec, pixels, kind in (
        ("ffv1", "gray", "mkv"), ("ffv1", "gray16le", "mkv"), ("ffv1", "yuv444p16le", "mkv"),
        ("ffv1", "yuv410p", "mkv"), ("ffv1", "bgra", "mkv"), ("ffv1", "yuva420p", "mkv"),
        ("rawvideo", "bgr8", "avi"), ("rawvideo", "monow", "avi"), ("rawvideo", "rgb555le", "avi"),
        ("rawvideo", "yuyv422", "mkv"), ("png", "rgb48be", "mov"), ("png", "ya8", "mov"),
        ("libx264", "yuv420p10le", "mp4"), ("libx264", "yuv444p", "mp4"),
        ("libx264", "gray", "mp4"), ("libvpx-vp9", "yuva420p", "webm"), ("gif", "rgb8", "gif"),
        ("mjpeg", "yuvj444p", "avi"), ("qtrle", "argb", "mov"), ("ffv1", "yuv422p10le", "mkv"),
    ):  # fmt: skip
        write = partial(write_pictures, codec=codec, pixels=pixels)
        yield HostileFile(f"pixels-{codec}-{pixels}.{kind}", "pixel formats", write)
    for size in ((2, 2), (2, 4096), (4096, 2), (17, 33)):
        write = partial(write_pictures, size=size, codec="ffv1", pixels="yuv444p")
        yield HostileFile(f"size-{size[0]}x{size[1]}.mkv", "pixel formats", write)


def _sounds() -> Iterator[HostileFile]:
    for name, changes in {
        "nan": {"value": float("nan")},
        "infinite": {"value": float("inf")},
        "huge": {"value": 1e30},
        "64-channels": {"channels": 64},
        "1-hertz": {"rate": 1},
        "most-hertz": {"rate": 2**31 - 1},
        "no-samples": {"n": 0},
        "one-sample": {"n": 1},
    }.items():
        make = partial(sound_bytes, **changes)  # type: ignore[arg-type]
        yield _content(f"sound-{name}.wav", "sound", make)


def _special() -> Iterator[HostileFile]:
    yield HostileFile("pipe.mp4", "special files", os.mkfifo)
    yield HostileFile("folder.mp4", "special files", lambda path: path.mkdir())
    yield HostileFile("loop.mp4", "special files", lambda path: path.symlink_to(path.name))
    yield HostileFile("dangling.mp4", "special files", lambda path: path.symlink_to("nowhere"))
    yield HostileFile("zero-device.mp4", "special files", lambda path: path.symlink_to("/dev/zero"))
    yield HostileFile("passwords.mp4", "special files", lambda p: p.symlink_to("/etc/passwd"))
    yield HostileFile("sparse.mp4", "special files", _sparse)


def _sparse(path: Path) -> None:
    """Claims 64 GB, and holds nothing."""
    with path.open("wb") as file:
        file.truncate(64_000_000_000)


@cache
def _names() -> tuple[HostileFile, ...]:
    """A cut file under names that are themselves the attack."""
    names = (
        "-i.mp4", "--help.mp4", "concat:a|b.mp4", "http:evil.mp4", "pipe:0.mp4", "%d.mp4",
        "$(touch owned).mp4", "`touch owned`.mp4", "a;touch owned;.mp4", "a&b|c.mp4", "*?[a].mp4",
        "=cmd|'C calc'!A0.mp4", "+1+1.mp4", "@SUM(A1).mp4", "'quoted'.mp4", '"double".mp4',
        "comma, space .mp4", "  spaces  .mp4", "back\\slash.mp4", "nöt-äscii-💥.mp4",
        "right\u202eto-left.mp4", "zero\u200bwidth.mp4", "line\nbreak.mp4", "tab\there.mp4",
        "bell\x07.mp4", "escape\x1b[31m.mp4", "nul-is-x00.mp4", "CON.mp4", "...mp4", "~.mp4",
        "<script>alert(1)<script>.mp4", "{{7*7}}.mp4", "x" * 240 + ".mp4",
    )  # fmt: skip
    return tuple(_content(name, "names", partial(_cut, "mp4", 0.4)) for name in names)


__all__ = ["CONTAINERS", "HostileFile", "hostile_media"]
