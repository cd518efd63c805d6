"""Train the renderer alone, guided by the true landmarks."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from talkin.networks.discriminator import Discriminator
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.samples.sample import Sample
from talkin.training.config import StageName, TrainingConfig
from talkin.training.data_digest import dataset_digest
from talkin.training.events import Report, no_report
from talkin.training.picture_stage import PictureStage
from talkin.training.stage_run import run_stage


def train_renderer(
    model: TalkingFace,
    dataset: TalkingDataset,
    config: TrainingConfig,
    checkpoint_folder: Path,
    report: Report = no_report,
    *,
    validation: TalkingDataset | None = None,
    discriminator: Discriminator | None = None,
) -> TalkingFace:
    """Train the renderer of `model` on Eq. 4 with true landmarks.

    Args:
        model: Changed in place.
        dataset: Training clips with their crops.
        config: `config.renderer` and what all stages share.
        checkpoint_folder: Where the stage keeps its state.
        report: Told of losses, errors, pictures and progress.
        validation: Held-out clips.
        discriminator: The adversary, changed in place; an untrained one if not given.

    Returns:
        `model`, on the CPU.

    Raises:
        ConfigurationError: If VGG-19 is chosen and its weights are missing.
    """
    if config.renderer.steps == 0:
        return model
    stage = RendererStage(model, dataset, validation, config, discriminator)
    run_stage(stage, config, checkpoint_folder, dataset_digest(dataset), report)
    return model.cpu()


class RendererStage(PictureStage):
    """One descent of Eq. 4 with true landmarks, one of the discriminator if it plays."""

    name: StageName = "renderer"
    trained = "renderer"

    def __init__(
        self,
        model: TalkingFace,
        dataset: TalkingDataset,
        validation: TalkingDataset | None,
        config: TrainingConfig,
        discriminator: Discriminator | None = None,
    ) -> None:
        """Prepare the networks on the device of the configuration."""
        self.is_adversarial = config.renderer.is_adversarial
        super().__init__(model, dataset, validation, config, discriminator)
        self.n_steps, self.batch_size = config.renderer.steps, config.renderer.batch_size
        self.networks = self.trained_networks()
        self.learning_rates = dict.fromkeys(self.networks, config.renderer.learning_rate)

    def guide(self, sample: Sample, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The true landmarks, with no terms of their own."""
        return sample.mouth_landmarks, {}

    def settings(self) -> Mapping[str, object]:
        """All of the renderer stage's settings."""
        own = self.config.renderer.model_dump(mode="json", exclude={"steps", "optimiser"})
        return {**super().settings(), "own": own}
