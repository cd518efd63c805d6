"""Which footage frame each output frame shows, and reading them in that order."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.frame_selection import (
    SelectionConfig,
    liveliness,
    play_back_and_forth,
    select_frames,
)
from talkin.editing.head_motion import head_motion, is_blink
from talkin.errors import FootageError
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.video import iter_frames

_SPOOL_QUALITY = 98


class TimingConfig(BaseModel):
    """How footage is laid under the new speech."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["keep", "select"] = Field(
        default="keep",
        description="keep: footage in its own order from its start; select: Algorithm 1.",
    )
    when_footage_is_short: Literal["back_and_forth", "refuse"] = Field(
        default="back_and_forth", description="What `keep` does where the speech is longer."
    )
    selection: SelectionConfig = SelectionConfig()
    blink_threshold: float = Field(
        default=0.6, gt=0, lt=1, description="Eye opening below this part of the usual is a blink."
    )


def plan_frames(
    parameters: FaceParameters,
    model: MorphableModel,
    is_speaking: Bool[np.ndarray, "frames"],
    config: TimingConfig,
    cuts: Sequence[int] = (),
) -> Int[np.ndarray, "frames"]:
    """Choose the footage frame of each output frame.

    Args:
        parameters: The fitted footage.
        model: Its face model.
        is_speaking: Utterance flag of each output frame.
        config: Which way.
        cuts: Footage frames with which a new shot begins.

    Returns:
        Footage frame numbers, one an output frame.

    Raises:
        FootageError: If the footage is too short for the mode.
    """
    n_footage, n_output = len(parameters), len(is_speaking)
    if config.mode == "select":
        motion = head_motion(parameters, model, cuts)
        blinking = is_blink(parameters.landmarks, config.blink_threshold)
        lively = liveliness(motion, blinking, config.selection)
        return select_frames(is_speaking, lively, config.selection, parameters.is_valid)
    if n_output > n_footage and config.when_footage_is_short == "refuse":
        raise FootageError(
            f"the footage has {n_footage} frames and the new speech needs {n_output}; use longer "
            "footage, or let it play back and forth (when_footage_is_short: back_and_forth)"
        )
    return play_back_and_forth(n_footage, n_output)


def frames_in_order(
    video: Path, order: Int[np.ndarray, "frames"], fps: float, folder: Path
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Read footage frames in a planned order, streaming.

    Where the order turns back, frames that come again are kept as JPEG of quality 98 in a nameless
    temporary file, because inter-coded video cannot be read backwards.

    Args:
        video: The footage.
        order: Footage frame numbers; a new one is at most one beyond the largest before it, save
            for the first.
        fps: Rate at which the frames are counted.
        folder: Where the temporary file lies.

    Yields:
        RGB pictures, one a number of the order.
    """
    again = _needed_again(order)
    source = enumerate(frame.image for frame in iter_frames(video, fps))
    at, image = -1, np.zeros((0, 0, 3), dtype=np.uint8)
    with tempfile.TemporaryFile(dir=folder) as opened:
        spool = _Spool(opened, folder)
        for wanted in order.tolist():
            if wanted < at:
                yield spool.read(wanted)
                continue
            while at < wanted:
                at, image = next(source, (wanted, image))
                if again[at]:
                    spool.write(at, image)
            yield image


def _needed_again(order: np.ndarray) -> Bool[np.ndarray, "footage"]:
    """True for frames that are shown after the order has already gone beyond them."""
    needed = np.zeros(int(order.max(initial=0)) + 1, dtype=bool)
    needed[order[order < np.maximum.accumulate(order)]] = True
    return needed


class _Spool:
    """Pictures on disk, by number."""

    def __init__(self, opened: BinaryIO, folder: Path) -> None:
        self._folder = folder
        self._file = opened
        self._places: dict[int, tuple[int, int]] = {}

    def write(self, number: int, image: np.ndarray) -> None:
        settings = [cv2.IMWRITE_JPEG_QUALITY, _SPOOL_QUALITY]
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
        try:
            self._places[number] = (self._file.seek(0, 2), len(encoded))
            self._file.write(encoded.tobytes())
            self._file.flush()
        except OSError as error:
            raise FootageError(
                f"{self._folder}: frames that play back and forth cannot be kept there for the "
                f"time of the edit: {error.strerror}"
            ) from error

    def read(self, number: int) -> UInt8[np.ndarray, "height width 3"]:
        start, length = self._places[number]
        self._file.seek(start)
        encoded = np.frombuffer(self._file.read(length), dtype=np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise FootageError("the temporary frames of this edit were damaged; is the disk full?")
        return image
