"""The renderer's step, alone or end to end."""

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from talkin.losses.objective import weighted_sum
from talkin.networks.blocks import lay_channels_last
from talkin.networks.discriminator import Discriminator
from talkin.networks.talking_face import RenderedWindow, TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.samples.order import spread_order
from talkin.samples.sample import Sample, frames_to_unit
from talkin.training.config import TrainingConfig
from talkin.training.pictures import (
    Adversary,
    BatchesAhead,
    PictureObjective,
    lent_fill,
    mask_noise,
    new_discriminator,
    picture_settings,
    true_outputs,
)
from talkin.training.stage import (
    Stage,
    Validation,
    chosen_device,
    chosen_precision,
    step_generator,
)
from talkin.training.validation import grid_of, picture_errors

_VALIDATION_BATCH = 4


class PictureStage(Stage):
    """Descends Eq. 4; what guides the renderer, and which other terms count, subclasses say."""

    batch_size: int
    is_adversarial = True

    def __init__(
        self,
        model: TalkingFace,
        dataset: TalkingDataset,
        validation: TalkingDataset | None,
        config: TrainingConfig,
        discriminator: Discriminator | None,
    ) -> None:
        """Build the adversary, where none is given, and lay out the renderer's memory."""
        device = chosen_device(config)
        self.model, self.config, self.device = model.to(device), config, device
        self.precision = chosen_precision(config, device)
        self.dataset, self.held_out = dataset, validation
        if config.channels_last:
            lay_channels_last(model.renderer)
        judge = discriminator or new_discriminator(model, config)
        self.adversary = Adversary(judge, config, device, self.is_adversarial)
        self.objective = PictureObjective(model, config, device)
        self.batches: BatchesAhead | None = None

    @abstractmethod
    def guide(self, sample: Sample, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Landmarks that guide the renderer, and the terms that came with them."""

    @property
    @abstractmethod
    def trained(self) -> str:
        """Names of the networks that descend together, joined by "+"."""

    def begin(self, step: int) -> None:
        """Start reading ahead; compile the renderer where that is asked for."""
        if self.config.is_compiled:
            self.model.renderer.compile(dynamic=False)
        self.batches = BatchesAhead(
            self.dataset,
            self.batch_size,
            self.config.seed,
            self.config.loader_threads,
            is_pinned=self.device.type == "cuda",
        )

    def end(self) -> None:
        """Stop reading ahead; the renderer is left as it came.

        Compiled, it would be compiled again for whatever shape it is given next, perhaps on a
        machine without a compiler.
        """
        self.model.renderer._compiled_call_impl = None
        if self.batches is not None:
            self.batches.close()

    def losses(self, step: int) -> Iterator[tuple[str, Tensor | None, Mapping[str, Tensor]]]:
        """Renderer's descent, then the discriminator's."""
        self.model.train()
        sample = self._take(step)
        generator = step_generator(self.config.seed, self.name, step)
        frames = frames_to_unit(sample.frames)
        noise = mask_noise(self.model, frames, generator)
        true = true_outputs(self.model, frames)
        landmarks, terms = self.guide(sample, step)  # bfloat16 cannot tell half a pixel
        with self._autocast():
            generated = self._rendered(sample, frames, landmarks.float(), noise).raw.float()
            terms = {**terms, **self._picture_terms(generated, true, sample, step)}
        yield self.trained, weighted_sum(terms, self.config.losses), terms
        if self.adversary.is_playing:
            with self._autocast():
                value, terms = self.adversary.learn(true, generated, step, generator)
            yield "discriminator", value, terms

    def _rendered(
        self, sample: Sample, frames: Tensor, landmarks: Tensor, noise: Tensor | None = None
    ) -> RenderedWindow:
        return self.model.render(frames, landmarks, noise, fill=lent_fill(self.model, sample))

    def _picture_terms(
        self, generated: Tensor, true: Tensor, sample: Sample, step: int
    ) -> dict[str, Tensor]:
        landmarks = sample.mouth_landmarks[:, -true.shape[1] :].float()
        return self.objective.terms(generated, true, landmarks, self.adversary, step)

    @torch.no_grad()
    def validate(self) -> Validation:
        """Mouth PSNR on held-out windows, and a grid of pictures of the first ones."""
        if self.held_out is None:
            return Validation(metrics={})
        self.model.eval()
        with torch.compiler.set_stance("force_eager"):  # other shapes: no compiling for them
            return self._validated(self.held_out)

    def _validated(self, held_out: TalkingDataset) -> Validation:
        order = list(spread_order(len(held_out), self.config.validation_windows))
        errors, grid = [], None
        for first in range(0, len(order), _VALIDATION_BATCH):
            batch = order[first : first + _VALIDATION_BATCH]
            sample = held_out.batch(batch).to(self.device)
            frames = frames_to_unit(sample.frames)
            landmarks = self.guide(sample, 0)[0].float()
            pasted = self._rendered(sample, frames, landmarks).pasted
            box = self.model.config.mask_box
            errors.append(
                picture_errors(true_outputs(self.model, frames), pasted, box)["mouth_psnr_db"]
            )
            grid = grid if grid is not None else grid_of(self.model, sample, landmarks)
        return Validation(metrics={"mouth_psnr_db": float(np.mean(errors))}, pictures=grid)

    def settings(self) -> Mapping[str, object]:
        """Settings of Eq. 4 and the networks."""
        return {
            **picture_settings(self.config, self.name),
            "precision": self.precision,
            "model": self.model.config.model_dump(mode="json"),
        }

    def trained_networks(self) -> dict[str, nn.Module]:
        """Networks by the names that learning rates use."""
        networks: dict[str, nn.Module] = {"renderer": self.model.renderer}
        if self.adversary.is_playing:
            networks["discriminator"] = self.adversary.network
        return networks

    def _take(self, step: int) -> Sample:
        began = time.monotonic()
        if self.batches is None:
            self.begin(step)
        assert self.batches is not None
        sample = self.batches.take(step)
        self.waited_s += time.monotonic() - began
        return sample.to(self.device)

    def _autocast(self) -> torch.autocast:
        is_used = self.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=is_used)
