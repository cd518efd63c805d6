"""Writing the painted frames piece by piece, and joining the pieces to signed videos."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from talkin.editing.painting import PaintedFrame
from talkin.editing.report import StageClock
from talkin.editing.side_by_side import beside
from talkin.editing.unfinished import FRAMES_A_PIECE, UnfinishedEdit
from talkin.footage.joining import join_pieces
from talkin.footage.video import VideoInfo, VideoWriter
from talkin.provenance.credentials import EditCredential, signed_when_whole

_EDITED, _COMPARED = "edited", "compared"


@dataclass(frozen=True)
class Outputs:
    """The videos that an edit writes: its result and, if wanted, footage and result in one."""

    edited: Path
    compared: Path | None
    info: VideoInfo

    @property
    def tracks(self) -> dict[str, Path]:
        """Each video's name among the pieces, and where it shall stand."""
        compared = {} if self.compared is None else {_COMPARED: self.compared}
        return {_EDITED: self.edited} | compared

    def width(self, track: str) -> int:
        """Of a video's pictures, px."""
        return self.info.width * (2 if track == _COMPARED else 1)


def write_pieces(
    frames: Iterator[PaintedFrame],
    n_frames: int,
    work: UnfinishedEdit,
    outputs: Outputs,
    clock: StageClock,
) -> None:
    """Write the pieces that are not there yet.

    Args:
        frames: What was painted, from the first frame of the first missing piece on.
        n_frames: Frames of the whole edit.
        work: Where the pieces stand.
        outputs: Which videos.
        clock: Counts the time of encoding.
    """
    info, tracks = outputs.info, list(outputs.tracks)
    for number in range(work.whole_pieces(tracks), n_pieces(n_frames)):
        with ExitStack() as stack:
            writers = {}
            for track in tracks:
                path, size = work.piece(track, number), (outputs.width(track), info.height)
                writer = VideoWriter(path, *size, info.fps, colours=info.colours)
                writers[track] = stack.enter_context(writer)
            for frame in islice(frames, FRAMES_A_PIECE):
                with clock.stage("encode"):
                    for track, writer in writers.items():
                        writer.write(_picture(frame, track))


def n_pieces(n_frames: int) -> int:
    """Pieces of an edit."""
    return -(-n_frames // FRAMES_A_PIECE)


def join_and_sign(
    n_frames: int,
    work: UnfinishedEdit,
    outputs: Outputs,
    sound: Path,
    credential: EditCredential,
) -> None:
    """Make the videos of their pieces and a file's sound; an older one is replaced by a whole one.

    Raises:
        FootageError: If a video cannot be written or signed.
    """
    for track, output in outputs.tracks.items():
        pieces: Sequence[Path] = [work.piece(track, k) for k in range(n_pieces(n_frames))]
        with signed_when_whole(output, credential) as unsigned:
            join_pieces(pieces, unsigned, outputs.info.fps, sound)


def _picture(frame: PaintedFrame, track: str) -> np.ndarray:
    if track == _COMPARED:
        return beside([frame.footage, frame.edited], ["footage", "edited"])
    return frame.edited
