"""`TalkingFace`: the one forward path that training and editing share.

sound -> MFCC windows -> (Eq. 1) -> expression -> mouth landmarks -> heatmaps -> pictures
"""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkin.errors import ConfigurationError
from talkin.face3d.model import MorphableModel
from talkin.face3d.projection import MouthProjector
from talkin.networks.audio_to_expression import AudioToExpression
from talkin.networks.identity_removal import IdentityRemover
from talkin.networks.renderer import Renderer
from talkin.networks.standardiser import Standardiser
from talkin.networks.talking_face_config import N_MOUTH_LANDMARKS, TalkingFaceConfig
from talkin.samples.heatmaps import landmark_heatmap


class RenderedWindow(NamedTuple):
    """What the renderer made of a window of frames, -1 .. 1.

    Attributes:
        raw: The network's whole pictures.
        pasted: The given frames with the generated square in the place of the mask.
    """

    raw: Float[Tensor, "batch frames 3 size size"]
    pasted: Float[Tensor, "batch frames 3 size size"]


class TalkingFace(nn.Module):
    """The trained networks, their normalisation and the face model that they speak."""

    def __init__(self, config: TalkingFaceConfig, face_model: MorphableModel) -> None:
        """Build untrained networks.

        Raises:
            ConfigurationError: If the face model has other numbers of coefficients.
        """
        super().__init__()
        _check_coefficients(config, face_model)
        self.config = config
        self.face_model = face_model
        n_mfcc = config.mfcc.n_columns
        self.mfcc_scale = Standardiser(n_mfcc)
        self.output_scale = Standardiser(config.n_audio_outputs)
        self.identity_remover = IdentityRemover(n_mfcc, config.identity_removal)
        self.audio_to_expression = AudioToExpression(
            n_mfcc, config.n_audio_outputs, config.audio_to_expression, config.window
        )
        self.renderer = Renderer(config.frames, config.renderer)
        self.projector = MouthProjector(face_model)

    @property
    def audio_networks(self) -> nn.ModuleDict:
        """What hears: identity removal and translation."""
        return nn.ModuleDict(
            {"remover": self.identity_remover, "translator": self.audio_to_expression}
        )

    def normalised_mfcc(
        self, mfcc_windows: Float[Tensor, "*batch rows coefficients"]
    ) -> Float[Tensor, "*batch rows coefficients"]:
        """The paper's x, standardised a coefficient."""
        return self.mfcc_scale.standardised(mfcc_windows)

    def without_identity(
        self, mfcc_windows: Float[Tensor, "*batch rows coefficients"]
    ) -> Float[Tensor, "*batch rows coefficients"]:
        """The paper's x': normalised MFCC in the voice of the global speaker (Eq. 1)."""
        normalised = self.normalised_mfcc(mfcc_windows)
        if not self.config.identity_removal.is_used:
            return normalised
        flat = normalised.flatten(0, -3)
        return self.identity_remover(flat).reshape(normalised.shape)

    def translate(
        self, id_removed: Float[Tensor, "*batch rows coefficients"]
    ) -> Float[Tensor, "*batch outputs"]:
        """Translate x' to expression, or to flat landmarks in crop px (2D ablation)."""
        outputs = self.audio_to_expression(id_removed.flatten(0, -3))
        return self.output_scale.restored(outputs.reshape(*id_removed.shape[:-2], -1))

    def expression_from_audio(
        self, mfcc_windows: Float[Tensor, "*batch rows coefficients"]
    ) -> Float[Tensor, "*batch expression"]:
        """Expression of each frame from its second of sound.

        Args:
            mfcc_windows: As `audio_windows` cuts them, not normalised.

        Raises:
            ConfigurationError: If this model is the 2D ablation, which knows no expression.
        """
        if self.config.predict != "expression":
            raise ConfigurationError(
                "this model predicts landmarks (predict: landmarks), it has no expression; "
                "use a model with predict: expression"
            )
        return self.translate(self.without_identity(mfcc_windows))

    def mouth_landmarks(
        self,
        expression: Float[Tensor, "batch frames expression"],
        geometry: Float[Tensor, "batch geometry"],
        pose: Float[Tensor, "batch frames 6"],
    ) -> Float[Tensor, "batch frames 39 2"]:
        """Project the mouth region: differentiable, linear in the expression. Pose in crop px."""
        return self.projector(geometry, expression, pose)

    def landmarks_from_outputs(
        self,
        outputs: Float[Tensor, "batch frames outputs"],
        geometry: Float[Tensor, "batch geometry"],
        pose: Float[Tensor, "batch frames 6"],
    ) -> Float[Tensor, "batch frames 39 2"]:
        """Landmarks of what `translate` gave, in crop px, whichever it predicts."""
        if self.config.predict == "landmarks":
            return outputs.reshape(*outputs.shape[:-1], N_MOUTH_LANDMARKS, 2)
        return self.mouth_landmarks(outputs, geometry, pose)

    def heatmaps(
        self, landmarks: Float[Tensor, "batch frames 39 2"]
    ) -> Float[Tensor, "batch frames 1 size size"]:
        """Landmarks as the pictures that guide the renderer."""
        return landmark_heatmap(landmarks, self.config.crop.size_px, self.config.heatmap_sigma_px)

    def mask_frames(
        self,
        frames: Float[Tensor, "batch frames 3 size size"],
        noise: Float[Tensor, "batch frames 3 height width"] | None = None,
        generator: torch.Generator | None = None,
        fill: Float[Tensor, "batch frames 3 height width"] | None = None,
    ) -> Float[Tensor, "batch frames 3 size size"]:
        """Hide the mouth region under random noise of amplitude `config.mask_noise`.

        A model of `mask_fill: reference` hides it under `fill`, and draws no noise.

        Args:
            frames: Pictures in -1 .. 1.
            noise: What fills the mask, uniform in -1 .. 1 before its amplitude; drawn if None.
            generator: Where it is drawn from; a fixed one of the CPU if None, so that the same
                frames always give the same pictures.
            fill: The mask's square of each frame as other moments show it, -1 .. 1.

        Raises:
            ConfigurationError: If a model of `mask_fill: reference` gets no `fill`.
        """
        x0, y0, x1, y1 = self.config.mask_box
        if self.config.mask_fill == "reference":
            if fill is None:
                raise ConfigurationError(
                    "this model completes a mouth from other pictures of the same person "
                    "(mask_fill: reference), but none were given"
                )
            masked = frames.to(fill.dtype, copy=True)
            masked[..., y0:y1, x0:x1] = fill
            return masked
        if noise is None:
            drawn_from = generator or torch.Generator().manual_seed(0)
            shape = (*frames.shape[:3], y1 - y0, x1 - x0)
            noise = torch.rand(shape, generator=drawn_from, device=drawn_from.device) * 2 - 1
        masked = frames.clone()
        masked[..., y0:y1, x0:x1] = self.config.mask_noise * noise.to(frames)
        return masked

    def render(
        self,
        frames: Float[Tensor, "batch frames 3 size size"],
        landmarks: Float[Tensor, "batch frames 39 2"],
        noise: Float[Tensor, "batch frames 3 height width"] | None = None,
        generator: torch.Generator | None = None,
        fill: Float[Tensor, "batch frames 3 height width"] | None = None,
    ) -> RenderedWindow:
        """Complete the mouths of a window of frames as the landmarks draw them.

        Args:
            frames: Whole pictures in -1 .. 1; what the mask covers is not seen.
            landmarks: Crop px.
            noise: See `mask_frames`.
            generator: See `mask_frames`.
            fill: See `mask_frames`.

        Returns:
            Pictures of all frames, or of the last one alone in the full-face variant (B.3), where
            `pasted` is the whole generated picture.
        """
        masked = self.mask_frames(frames, noise, generator, fill)
        raw = self.renderer(masked, self.heatmaps(landmarks))
        if self.config.renderer.is_full_face:
            return RenderedWindow(raw=raw, pasted=raw)
        x0, y0, x1, y1 = self.config.mask_box
        pasted = frames.to(raw.dtype).clone()
        pasted[..., y0:y1, x0:x1] = raw[..., y0:y1, x0:x1]
        return RenderedWindow(raw=raw, pasted=pasted)

    def version(self) -> str:
        """First digits of a hash of all weights: which model made an edit, whatever its name."""
        digest = sha256()
        for name, value in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:12]

    def save(self, folder: Path, notes: dict[str, str] | None = None) -> None:
        """Write weights.safetensors, config.json and face_model.safetensors into a folder."""
        from talkin.networks.saved import save_talking_face

        save_talking_face(self, folder, notes)

    @classmethod
    def load(cls, folder: Path) -> "TalkingFace":
        """Read what `save` wrote, in evaluation mode, on the CPU.

        Raises:
            ConfigurationError: If files are missing, damaged or do not belong together.
        """
        from talkin.networks.saved import load_talking_face

        return load_talking_face(folder)


def _check_coefficients(config: TalkingFaceConfig, face_model: MorphableModel) -> None:
    wanted = (config.n_geometry, config.n_expression)
    found = (face_model.n_geometry, face_model.n_expression)
    if wanted != found:
        raise ConfigurationError(
            f"face model {face_model.name} has {found[0]} geometry and {found[1]} expression "
            f"coefficients, but n_geometry and n_expression say {wanted[0]} and {wanted[1]}"
        )
