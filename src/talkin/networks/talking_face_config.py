"""Everything that shapes a model, in one record that is saved with it.

What preprocessing and training assumed travels in the model, so that editing cannot disagree.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from talkin.footage.mfcc import MfccConfig
from talkin.networks.audio_to_expression import AudioToExpressionConfig
from talkin.networks.identity_removal import IdentityRemovalConfig
from talkin.networks.renderer import RendererConfig
from talkin.samples.alignment import CropConfig, mask_box
from talkin.samples.dataset import DatasetConfig
from talkin.samples.lent_mouths import LentMouthsConfig
from talkin.samples.windows import WindowConfig

N_MOUTH_LANDMARKS = 39


class TalkingFaceConfig(BaseModel):
    """Inputs and networks of a `TalkingFace`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: CropConfig = CropConfig()
    mfcc: MfccConfig = MfccConfig()
    window: WindowConfig = WindowConfig()
    frames: int = Field(default=7, ge=2, le=64, description="Frames of a window (section 3.3.1).")
    heatmap_sigma: float = Field(
        default=0.01, gt=0, le=0.2, description="Width of a landmark's bump, share of the crop."
    )
    mask_noise: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="Amplitude of the noise that fills the mouth mask; the paper names none. Faint "
        "noise leaves the sparse heatmaps readable.",
    )
    mask_fill: Literal["noise", "reference"] = Field(
        default="noise",
        description="What lies under the mouth mask when the renderer completes it. reference: the "
        "same person's mouth at another moment, warped to the landmarks (talkin.samples."
        "mouth_warp); not in the paper, sharper, and it carries to people who were not trained on.",
    )
    predict: Literal["expression", "landmarks"] = Field(
        default="expression",
        description="landmarks: the 2D ablation of Table 1a, which knows no geometry or pose.",
    )
    n_expression: int = Field(default=29, ge=1, description="Expression coefficients.")
    n_geometry: int = Field(default=199, ge=1, description="Geometry coefficients.")
    identity_removal: IdentityRemovalConfig = IdentityRemovalConfig()
    audio_to_expression: AudioToExpressionConfig = AudioToExpressionConfig()
    renderer: RendererConfig = RendererConfig()

    @model_validator(mode="after")
    def _crop_halves_evenly(self) -> Self:
        step = 2**self.renderer.depth
        if self.crop.size_px % step:
            raise ValueError(
                f"crop.size_px {self.crop.size_px} does not divide by {step}, that is 2 to the "
                f"power of renderer.depth {self.renderer.depth}"
            )
        return self

    @model_validator(mode="after")
    def _reference_needs_a_mask(self) -> Self:
        if self.mask_fill == "reference" and self.renderer.is_full_face:
            raise ValueError("mask_fill reference needs a mask, which is_full_face has not")
        return self

    @property
    def mask_box(self) -> tuple[int, int, int, int]:
        """The square mouth mask (x0, y0, x1, y1), crop px."""
        return mask_box(self.crop)

    @property
    def dataset(self) -> DatasetConfig:
        """What the samples hold that such a model learns from."""
        lent = LentMouthsConfig(crop=self.crop) if self.mask_fill == "reference" else None
        return DatasetConfig(frames=self.frames, window=self.window, lent_mouths=lent)

    @property
    def heatmap_sigma_px(self) -> float:
        """Width of a landmark's bump, crop px."""
        return self.heatmap_sigma * self.crop.size_px

    @property
    def n_audio_outputs(self) -> int:
        """Numbers that the audio networks predict a frame."""
        return self.n_expression if self.predict == "expression" else 2 * N_MOUTH_LANDMARKS
