"""The renderer as an edit runs it: only what will be shown, in the arithmetic that is fastest.

Most of the renderer's work lies in its last, finest layers, and most of their pixels lie outside
the pasted region and in frames whose picture is thrown away. A pixel of a convolution depends on a
few pixels around it alone, so these layers are run on a box around the region, wider by one pixel a
layer, and the last one for the wanted frames only. What comes out is the same to rounding.
"""

from copy import deepcopy
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from talkin.editing.rendering import RenderWindow, renderer_of
from talkin.networks.blocks import encode, lay_channels_last
from talkin.networks.precision import has_fast_bfloat16
from talkin.networks.renderer import Renderer
from talkin.samples.sample import frames_to_unit

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

Box = tuple[int, int, int, int]


class EngineConfig(BaseModel):
    """How the renderer is run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="auto: bfloat16 where the processor multiplies it in hardware, else float32.",
    )
    only_what_is_shown: bool = Field(
        default=True,
        description="Leave out pixels and frames that nobody will see; else all is run in the "
        "model's own precision.",
    )


class ShownRenderer(nn.Module):
    """A renderer's pictures inside a box; shares no memory with the renderer it is made of."""

    def __init__(self, renderer: Renderer, size: int, box: Box) -> None:
        """Plan which part each layer computes.

        Args:
            renderer: The trained network; not the full-face variant.
            size: Side of the crop, px.
            box: Part of the crop (x0, y0, x1, y1) that will be shown.
        """
        super().__init__()
        self._n_frames = renderer.n_outputs
        self._encoder = deepcopy(renderer.encoder).requires_grad_(False)
        self._decoder = deepcopy(renderer.decoder).requires_grad_(False)
        n_blocks = len(self._decoder)
        # From the last block to the first: the part of its result that is wanted, and the part of
        # its input that this depends on, which is what is wanted of the block before.
        self._parts: list[tuple[Box, Box]] = []
        wanted = box
        for number in range(n_blocks - 1, -1, -1):
            seen = _seen(wanted, size >> (n_blocks - number))
            self._parts.insert(0, (wanted, seen))
            wanted = seen

    def forward(
        self, pictures: Float[Tensor, "1 channels size size"], n_last: int
    ) -> Float[Tensor, "1 outputs height width"]:
        """Complete the last frames; `pictures` are laid as `Renderer` lays frames and heatmaps."""
        maps = encode(self._encoder, pictures)
        decoded = _cut(maps.pop(), self._parts[0][1])
        first_row = 0
        for number, (given, seen) in enumerate(self._parts):
            if number:
                decoded = torch.cat([_cut(maps.pop(), seen), decoded], dim=1)
            if number == len(self._parts) - 1:  # 3 colours a frame, 4 rows a colour
                first_row = 12 * (self._n_frames - n_last)
            decoded = self._convolved(number, decoded, given, seen, first_row)
        return torch.tanh(decoded.float())

    def _convolved(
        self, number: int, part: Tensor, given: Box, seen: Box, first_row: int
    ) -> Tensor:
        """One decoder block on the part of its input that the wanted part of its result sees."""
        block = cast(nn.Sequential, self._decoder[number])
        layer, activation = cast(nn.Conv2d, block[0]), block[2]
        assert layer.bias is not None
        x0, y0, x1, y1 = (given[0] // 2, given[1] // 2, -(-given[2] // 2), -(-given[3] // 2))
        # Where the box ends at the border of the picture, zeros follow, as in the whole network.
        beyond = (seen[0] - x0 + 1, x1 + 1 - seen[2], seen[1] - y0 + 1, y1 + 1 - seen[3])
        if any(beyond):
            part = functional.pad(part, beyond)
        drawn = functional.conv2d(part, layer.weight[first_row:], layer.bias[first_row:])
        shuffled = activation(functional.pixel_shuffle(drawn, 2))
        return _cut(shuffled, given, (2 * x0, 2 * y0))


class Engine:
    """A model's renderer as a function of one window, in grey levels."""

    def __init__(self, model: "TalkingFace", config: EngineConfig, box: Box) -> None:
        """Make it ready.

        Args:
            model: Trained networks.
            config: How to run them.
            box: Part of the crop that will be shown, inside the mask.
        """
        self._model, self._box = model, box
        self._device = next(model.parameters()).device
        self.precision = _precision(config, self._device)
        self._dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        network = ShownRenderer(model.renderer, model.config.crop.size_px, box)
        network.to(device=self._device, dtype=self._dtype).eval()
        lay_channels_last(network)
        self._network = network

    def __call__(
        self,
        crops: UInt8[np.ndarray, "window size size 3"],
        landmarks: Float[np.ndarray, "window 39 2"],
        n_last: int | None = None,
    ) -> Float32[np.ndarray, "outputs size size 3"]:
        """Complete a window's last frames; all of them where `n_last` is None.

        A model of `mask_fill: reference` starts from what the crops show inside the mask.
        """
        n_last = n_last or len(crops)
        x0, y0, x1, y1 = self._box
        frames = torch.from_numpy(crops).movedim(-1, 1).contiguous().to(self._device)
        points = torch.from_numpy(np.ascontiguousarray(landmarks, dtype=np.float32))
        with torch.inference_mode():
            unit = frames_to_unit(frames)[None]
            masked = self._model.mask_frames(unit, fill=unit[..., y0:y1, x0:x1])
            heatmaps = self._model.heatmaps(points[None].to(self._device))
            seen = torch.cat([masked, heatmaps], dim=2).flatten(1, 2).to(self._dtype)
            laid = seen.contiguous(memory_format=torch.channels_last)
            drawn = self._network(laid, n_last)[0].unflatten(0, (n_last, 3))
            if self._model.config.renderer.is_residual:
                drawn = drawn + masked[0, -n_last:, :, y0:y1, x0:x1]
        shown = ((drawn.clamp(-1, 1) + 1) * 127.5).movedim(1, -1).cpu().numpy()
        pasted = crops[-n_last:].astype(np.float32)
        pasted[:, y0:y1, x0:x1] = shown
        return pasted


def engine_of(model: "TalkingFace", config: EngineConfig, box: Box) -> RenderWindow:
    """How a model's renderer is run for an edit; the full-face variant runs as it is."""
    if model.config.renderer.is_full_face or not config.only_what_is_shown:
        return renderer_of(model)
    return Engine(model, config, box)


def _precision(config: EngineConfig, device: torch.device) -> str:
    if config.precision != "auto":
        return config.precision
    return "bfloat16" if has_fast_bfloat16(device) else "float32"


def _seen(given: Box, side: int) -> Box:
    """The part of a decoder block's input that a part of its result depends on.

    Args:
        given: Part of the result, px of twice the resolution of the input.
        side: Of the input, px.
    """
    x0, y0, x1, y1 = given
    low = max(0, x0 // 2 - 1), max(0, y0 // 2 - 1)
    return *low, min(side, -(-x1 // 2) + 1), min(side, -(-y1 // 2) + 1)


def _cut(pictures: Tensor, wanted: Box, corner: tuple[int, int] = (0, 0)) -> Tensor:
    """A part of pictures whose own upper left corner lies at `corner`."""
    x0, y0, x1, y1 = wanted
    left, top = corner
    return pictures[..., y0 - top : y1 - top, x0 - left : x1 - left]
