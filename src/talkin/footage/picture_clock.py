"""When the pictures of a file are due, when it ends, and which of them were lost."""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from talkin.footage.media import check_hole, open_media, packets_of, time_of, video_stream

_STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in (
        *("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"),
        *("15000/1001", "10", "12", "15", "120"),
    )
)


@dataclass(frozen=True)
class Timeline:
    """Presentation times of a file's packets, in order."""

    times: list[Fraction]
    end: Fraction

    def mean_rate(self, nominal: Fraction | None) -> Fraction:
        """The nominal or a standard rate if the frames keep to it, else their mean rate."""
        span, steps = self.times[-1] - self.times[0], len(self.times) - 1
        if steps < 1 or span <= 0:
            return nominal or Fraction(25)
        mean = Fraction(steps) / span
        nearest = min(_STANDARD_RATES, key=lambda rate: abs(rate - mean))
        for rate in (*([nominal] if nominal else []), nearest):
            if abs(span * rate - steps) < 0.25 and abs(rate / mean - 1) < 2e-3:
                return Fraction(rate)
        return mean.limit_denominator(1000)


def read_timeline(path: Path) -> Timeline:
    """Read all packets of a file's picture stream, decoding none.

    Raises:
        FootageError: If the file is no media file or holds no picture.
    """
    times: set[Fraction] = set()
    longest_end = Fraction(0)
    with open_media(path) as container:
        stream = video_stream(container, path)
        for packet in packets_of(container, stream):
            time = time_of(packet)
            if time is None or packet.is_discard:
                continue
            times.add(time)
            longest_end = max(longest_end, time + _length(packet, stream))
        if not times:
            return _timeline_without_times(container, stream)
    ordered = sorted(times)
    end = max(longest_end, ordered[-1])
    for before, after in pairwise([*ordered, end]):
        check_hole(before, after, path)
    return Timeline(ordered, end)


def _timeline_without_times(container: Any, stream: Any) -> Timeline:
    # Raw streams and some AVIs carry no presentation times: the header's rate is all there is.
    rate = stream.average_rate or Fraction(25)
    count = max(1, stream.frames or 1)
    return Timeline([Fraction(k) / rate for k in range(count)], Fraction(count) / rate)


def _length(packet: Any, stream: Any) -> Fraction:
    if packet.duration:
        return Fraction(packet.duration) * packet.time_base
    return 1 / stream.average_rate if stream.average_rate else Fraction(0)


class PictureClock:
    """Follows packets and frames: where the stream ends, and which pictures were lost."""

    def __init__(self, step: Fraction = Fraction(1, 25)) -> None:
        """Take the usual time in s from picture to picture."""
        self.step = step
        self.end: Fraction | None = None
        self.lost: deque[Fraction] = deque()
        self._awaited: set[Fraction] = set()

    def packet(self, packet: Any, stream: Any) -> None:
        """Await the picture of a packet that goes into the decoder."""
        time = time_of(packet)
        if time is None or packet.is_discard:
            return
        self._awaited.add(time)
        end = time + _length(packet, stream)
        self.end = end if self.end is None else max(self.end, end)

    def frame(self, time: Fraction) -> None:
        """Note a picture that came out of the decoder."""
        # Frames leave the decoder in presentation order: what is older and still awaited is lost.
        older = sorted(awaited for awaited in self._awaited if awaited < time)
        self.lost.extend(older)
        self._awaited.difference_update(older)
        self._awaited.discard(time)

    def finish(self) -> None:
        """Count all pictures that never came as lost."""
        self.lost.extend(sorted(self._awaited))
        self._awaited.clear()

    def is_lost(self, wanted: Fraction, shown: Fraction) -> bool:
        """Whether a nearer picture than the one shown should have been there."""
        distance = abs(shown - wanted)
        while self.lost and self.lost[0] < wanted - 1:
            self.lost.popleft()
        # Damage can swallow whole packets: then nothing is left to await but a hole.
        is_hole = distance > 1.5 * self.step
        return is_hole or any(abs(time - wanted) < distance for time in self.lost)
