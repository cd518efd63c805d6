"""What the two picture stages share: batches ahead of time, the adversary, Eq. 4."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor, nn

from talkin.errors import ConfigurationError
from talkin.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty
from talkin.losses.perceptual import perceptual_loss
from talkin.losses.picture import (
    edge_loss,
    pixel_weights,
    reconstruction_loss,
    total_variation_loss,
)
from talkin.networks.blocks import lay_channels_last
from talkin.networks.discriminator import Discriminator
from talkin.networks.perceptual import PerceptualFeatures
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.samples.sample import Sample, frames_to_unit
from talkin.training.config import StageName, TrainingConfig
from talkin.training.parallel import this_share


class BatchesAhead:
    """Batches of a run in their fixed order, decoded while the step before them runs."""

    def __init__(
        self,
        dataset: TalkingDataset,
        batch_size: int,
        seed: int,
        n_threads: int,
        *,
        is_pinned: bool = False,
    ) -> None:
        """Remember the order; threads start with the first batch.

        Args:
            dataset: What is read.
            batch_size: Windows of a step.
            seed: Decides the order.
            n_threads: How many read ahead; 0 reads when asked.
            is_pinned: Lay batches where a GPU fetches them while it computes.
        """
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.is_pinned = is_pinned
        self.n_ahead = 2 * n_threads
        self.pool = ThreadPoolExecutor(n_threads) if n_threads else None
        self.coming: dict[int, Future[Sample]] = {}

    def take(self, step: int) -> Sample:
        """The batch of a step."""
        if self.pool is None:
            return self._read(step)
        for ahead in range(step, step + self.n_ahead):
            if ahead not in self.coming:
                self.coming[ahead] = self.pool.submit(self._read, ahead)
        return self.coming.pop(step).result()

    def close(self) -> None:
        """Drop what is still coming."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def _read(self, step: int) -> Sample:
        order = this_share().order(len(self.dataset), self.batch_size, self.seed, step)
        batch = self.dataset.batch(order, (self.seed, step))
        return batch.pinned() if self.is_pinned else batch


class Adversary:
    """The discriminator and its side of the game."""

    def __init__(
        self,
        network: Discriminator,
        config: TrainingConfig,
        device: torch.device,
        is_wanted: bool = True,
    ) -> None:
        """Take a discriminator to the device; it is changed in place."""
        self.config, self.is_wanted = config, is_wanted
        self.network = network.to(device)
        if config.channels_last:
            lay_channels_last(self.network)

    @property
    def is_playing(self) -> bool:
        """False where its weight is 0 or the stage goes without: it neither learns nor judges."""
        return self.is_wanted and self.config.losses.adversarial > 0

    def judge(self, generated: Tensor) -> Tensor:
        """L_adv of the renderer; the discriminator itself is not changed by its gradient."""
        self.network.requires_grad_(False)
        value = generator_loss(self.network(generated).float())
        self.network.requires_grad_(True)
        return value

    def learn(
        self, real: Tensor, fake: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the discriminator descends, and its terms."""
        fake = fake.detach()
        value = discriminator_loss(self.network(real).float(), self.network(fake).float())
        terms = {"discriminator": value}
        every, weight = self.config.gradient_penalty_every, self.config.losses.gradient_penalty
        if weight and step % every == 0:
            mix = this_share().uniform((len(real),), generator).to(real)
            with torch.autocast(real.device.type, enabled=False):
                penalty = gradient_penalty(self.network, real.float(), fake.float(), mix)
            terms["gradient_penalty"] = penalty
            value = value + weight * every * penalty
        return value, terms


def new_discriminator(model: TalkingFace, config: TrainingConfig) -> Discriminator:
    """An untrained judge of what a model's renderer gives; the same seed, the same weights."""
    torch.manual_seed(config.seed + 1)
    n_frames = 1 if model.config.renderer.is_full_face else model.config.frames
    return Discriminator(n_frames, config.discriminator)


class PictureObjective:
    """The terms of Eq. 4 that the renderer descends."""

    def __init__(self, model: TalkingFace, config: TrainingConfig, device: torch.device) -> None:
        """Load the perceptual features, unless their weight is 0.

        Raises:
            ConfigurationError: If VGG-19 is chosen and its weights are missing.
        """
        self.model, self.config = model, config
        self.features: nn.Module | None = None
        if config.losses.perceptual > 0:
            self.features = PerceptualFeatures(config.perceptual).to(device)

    def terms(
        self,
        generated: Tensor,
        true: Tensor,
        landmarks: Tensor,
        adversary: Adversary,
        step: int,
    ) -> dict[str, Tensor]:
        """Reconstruction, perceptual, variation and adversarial terms of raw pictures."""
        weights = self._weights(landmarks)
        terms = {
            "reconstruction": reconstruction_loss(generated, true, weights),
            "total_variation": total_variation_loss(generated),
        }
        if self.config.losses.edges > 0:
            terms["edges"] = edge_loss(generated, true, weights)
        if self.features is not None:
            seen = self._compared(generated, step), self._compared(true, step)
            terms["perceptual"] = perceptual_loss(self.features, *seen)
        if adversary.is_playing:
            terms["adversarial"] = adversary.judge(generated)
        return terms

    def _weights(self, landmarks: Tensor) -> Tensor | None:
        config, model = self.config, self.model.config
        if config.mask_weight == config.lip_weight == 1.0:
            return None
        return pixel_weights(
            landmarks, model.crop.size_px, model.mask_box, config.mask_weight, config.lip_weight
        )

    def _compared(self, pictures: Tensor, step: int) -> Tensor:
        """The pictures whose features count in a step: some frames of every window, by turns."""
        config, n = self.config.perceptual, pictures.shape[1]
        wanted = min(n, config.frames)
        turns = [(step + k * n // wanted) % n for k in range(wanted)]
        chosen = pictures if wanted == n else pictures[:, turns]
        if config.is_mouth_only and not self.model.config.renderer.is_full_face:
            x0, y0, x1, y1 = self.model.config.mask_box
            chosen = chosen[..., y0:y1, x0:x1]
        return chosen.flatten(0, 1)


def true_outputs(model: TalkingFace, frames: Tensor) -> Tensor:
    """The frames that the renderer shall give: all, or the last one in the full-face variant."""
    return frames[:, -1:] if model.config.renderer.is_full_face else frames


def lent_fill(model: TalkingFace, sample: Sample) -> Tensor | None:
    """Mouths of other moments for the mouth mask, where the model fills it with them.

    Raises:
        ConfigurationError: If the dataset lends none.
    """
    if model.config.mask_fill != "reference":
        return None
    if sample.fill.numel() == 0:
        raise ConfigurationError(
            "the model fills its mask with mouths of other moments (mask_fill: reference), which "
            "the dataset does not lend; give it DatasetConfig.lent_mouths"
        )
    return frames_to_unit(sample.fill)


def mask_noise(model: TalkingFace, frames: Tensor, generator: torch.Generator) -> Tensor | None:
    """Noise of one step for the mouth mask, where the model fills it with noise."""
    if model.config.mask_fill != "noise":
        return None
    x0, y0, x1, y1 = model.config.mask_box
    noise = this_share().uniform((*frames.shape[:3], y1 - y0, x1 - x0), generator) * 2 - 1
    return (noise.pin_memory() if frames.is_cuda else noise).to(frames.device, non_blocking=True)


def picture_settings(config: TrainingConfig, stage: StageName) -> Mapping[str, object]:
    """Settings that both picture stages depend on, for their digests."""
    wanted = {
        "seed",
        "losses",
        "mask_weight",
        "lip_weight",
        "perceptual",
        "discriminator",
        "gradient_penalty_every",
        "channels_last",
    }
    optimiser = config.optimiser_of(stage).model_dump(mode="json")
    return {"optimiser": optimiser, **config.model_dump(mode="json", include=wanted)}
