"""What went wrong while tracking, in words: frames gathered into runs, one line each."""

from collections import defaultdict


class TrackNotes:
    """Collects remarks frame by frame and says each once for a run of frames."""

    def __init__(self) -> None:
        """Begin with nothing to say."""
        self._frames: dict[str, list[int]] = defaultdict(list)
        self._lines: list[str] = []

    def mark(self, frame: int, remark: str) -> None:
        """Say `remark` of one frame."""
        self._frames[remark].append(frame)

    def say(self, line: str) -> None:
        """Add a line about the clip as a whole, once."""
        if line not in self._lines:
            self._lines.append(line)

    def lines(self, max_runs: int = 20) -> list[str]:
        """All remarks; of many runs of the same kind the first ones and a count."""
        told = list(self._lines)
        for remark, frames in self._frames.items():
            runs = _runs(frames)
            told += [f"{_span(first, last)}: {remark}" for first, last in runs[:max_runs]]
            if len(runs) > max_runs:
                told.append(f"{len(runs) - max_runs} more runs of frames: {remark}")
        return told


def _runs(frames: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for frame in sorted(frames):
        if runs and frame <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs


def _span(first: int, last: int) -> str:
    return f"frame {first}" if first == last else f"frames {first}-{last}"
