"""Windows of a held-out clip, one after another, through the renderer; and through the encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from talkin.errors import ConfigurationError
from talkin.footage.video import VideoWriter, iter_frames
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import FaceCrops, PreparedClip
from talkin.samples.sample import frames_to_unit
from talkin.scratch import scratch_folder


@dataclass(frozen=True, eq=False)
class HeldOutWindows:
    """Non-overlapping windows in which every frame is valid.

    Each frame is painted once, as training paints it: in a window whose other mouths are hidden
    as well.

    Attributes:
        ends: Last frame of each window.
        n: Frames of a window.
        crops: Where the pictures come from.
    """

    ends: Int[np.ndarray, "windows"]
    n: int
    crops: FaceCrops

    @classmethod
    def of(cls, prepared: PreparedClip, n: int, at_most: int | None) -> Self:
        """Lay windows of `n` frames over a clip; `at_most` so many, evenly spread.

        There are none where the clip never has `n` valid frames in a row.

        Raises:
            ConfigurationError: If the clip has no pictures.
        """
        if prepared.crops is None:
            raise ConfigurationError(
                f"clip {prepared.clip} was prepared without its crops, so no picture can be scored"
            )
        ends, length = [], 0
        for t, is_valid in enumerate(prepared.parameters.is_valid):
            length = length + 1 if is_valid else 0
            if length == n:
                ends.append(t)
                length = 0
        if at_most is not None and len(ends) > at_most:
            ends = [ends[i * len(ends) // at_most] for i in range(at_most)]
        return cls(np.array(ends, dtype=np.int64), n, prepared.crops)

    def stretches(self, n_frames: int, is_last_only: bool) -> list[Int[np.ndarray, "windows"]]:
        """The `ends` in parts, each of as many windows as have at most `n_frames` painted ones."""
        at_once = max(1, n_frames // (1 if is_last_only else self.n))
        return [self.ends[i : i + at_once] for i in range(0, len(self.ends), at_once)]

    def kept_frames(self, is_last_only: bool) -> Int[np.ndarray, "frames"]:
        """Numbers of the painted frames; the full-face variant paints the last of each window."""
        offsets = np.array([0]) if is_last_only else np.arange(1 - self.n, 1)
        return (self.ends[:, None] + offsets).ravel()

    def true_frames(self, is_last_only: bool) -> UInt8[np.ndarray, "frames size size 3"]:
        """The footage's crops of `kept_frames`."""
        windows = [self.crops.window(int(end), self.n) for end in self.ends]
        return np.concatenate([window[-1:] if is_last_only else window for window in windows])

    def rendered(
        self,
        model: TalkingFace,
        landmarks: Float[np.ndarray, "rows 39 2"],
        row_of: Int[np.ndarray, "clip_frames"],
        lent: Mapping[int, UInt8[np.ndarray, "size size 3"]] | None = None,
    ) -> UInt8[np.ndarray, "frames size size 3"]:
        """Paint every window as the landmarks draw its mouths.

        Args:
            model: Trained networks.
            landmarks: Crop px.
            row_of: Row of `landmarks` that belongs to each frame of the clip.
            lent: Crops whose masks a model of `mask_fill: reference` starts from (`lent_frames`).
        """
        x0, y0, x1, y1 = model.config.mask_box
        device = next(model.parameters()).device
        painted = []
        for end in self.ends:
            numbers = np.arange(int(end) - self.n + 1, int(end) + 1)
            crops = torch.from_numpy(self.crops.window(int(end), self.n)).to(device)
            points = np.ascontiguousarray(landmarks[row_of[numbers]], dtype=np.float32)
            fill = None
            if lent is not None:
                filled = np.stack([lent[int(number)][y0:y1, x0:x1] for number in numbers])
                fill = frames_to_unit(torch.from_numpy(filled).to(device).movedim(-1, 1))[None]
            with torch.inference_mode():
                pictures = model.render(
                    frames_to_unit(crops.movedim(-1, 1))[None],
                    torch.from_numpy(points).to(device)[None],
                    fill=fill,
                ).pasted[0]
            painted.append(_to_bytes(pictures))
        return np.concatenate(painted)


def reencoded(
    frames: UInt8[np.ndarray, "frames size size 3"], fps: float
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Write frames as the project writes video (H.264) and read them back."""
    height, width = frames.shape[1:3]
    with scratch_folder("encode") as folder:
        path = folder / "truth.mp4"
        with VideoWriter(path, width, height, fps) as writer:
            for frame in frames:
                writer.write(frame)
        back = np.stack([frame.image for frame in iter_frames(path)])
    return back[:, :height, :width]


def _to_bytes(pictures: torch.Tensor) -> UInt8[np.ndarray, "frames size size 3"]:
    grey = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return grey.movedim(1, -1).cpu().numpy()
