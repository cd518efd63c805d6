"""Train all networks end to end: L_total = L_norm + L_trans + L_render (section 3.3.2)."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from talkin.networks.discriminator import Discriminator
from talkin.networks.speaker_classifier import SpeakerClassifier, freeze
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.samples.sample import Sample
from talkin.training.audio import confusion_term, translation_terms
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import StageName, TrainingConfig
from talkin.training.data_digest import dataset_digest
from talkin.training.events import Report, no_report
from talkin.training.picture_stage import PictureStage
from talkin.training.stage import Validation, step_generator
from talkin.training.stage_run import run_stage
from talkin.training.validation import hearing_errors


def train_jointly(  # noqa: PLR0913 - what a stage learns with
    model: TalkingFace,
    dataset: TalkingDataset,
    config: TrainingConfig,
    checkpoint_folder: Path,
    report: Report = no_report,
    *,
    classifier: SpeakerClassifier | None = None,
    validation: TalkingDataset | None = None,
    discriminator: Discriminator | None = None,
) -> TalkingFace:
    """Train audio networks and renderer together, pictures' gradients reaching the former.

    Args:
        model: Changed in place.
        dataset: Training clips with their crops.
        config: `config.joint` and what all stages share.
        checkpoint_folder: Where the stage keeps its state.
        report: Told of losses, errors, pictures and progress.
        classifier: Frozen judge of Eq. 2; without it that term is left out.
        validation: Held-out clips.
        discriminator: The adversary, changed in place; an untrained one if not given.

    Returns:
        `model`, on the CPU.

    Raises:
        ConfigurationError: If VGG-19 is chosen and its weights are missing.
    """
    if config.joint.steps == 0:
        return model
    stage = JointStage(model, classifier, dataset, validation, config, discriminator)
    run_stage(stage, config, checkpoint_folder, dataset_digest(dataset), report)
    return model.cpu()


class JointStage(PictureStage):
    """One descent of L_total for audio networks and renderer, one of the discriminator."""

    name: StageName = "joint"
    trained = "audio+renderer"

    def __init__(
        self,
        model: TalkingFace,
        classifier: SpeakerClassifier | None,
        dataset: TalkingDataset,
        validation: TalkingDataset | None,
        config: TrainingConfig,
        discriminator: Discriminator | None = None,
    ) -> None:
        """Prepare all networks on the device of the configuration."""
        super().__init__(model, dataset, validation, config, discriminator)
        self.own = config.joint
        self.n_steps, self.batch_size = self.own.steps, self.own.batch_size
        self.classifier = freeze(classifier.to(self.device)) if classifier else None
        self.networks = {"audio": model.audio_networks, **self.trained_networks()}
        self.learning_rates = {
            name: self.own.audio_learning_rate
            if name == "audio"
            else self.own.renderer_learning_rate
            for name in self.networks
        }
        self.heard = AudioCorpus.of(validation).to(self.device) if validation else None

    def guide(self, sample: Sample, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Landmarks heard from the sound, with the terms of Eq. 2 and 3."""
        model = self.model
        id_removed = model.without_identity(sample.mfcc)
        outputs = model.translate(id_removed).float()
        heard = model.landmarks_from_outputs(outputs, sample.geometry, sample.pose)
        terms = translation_terms(
            model, outputs, sample.expression, heard, sample.mouth_landmarks, sample.pose
        ) | confusion_term(model, self.classifier, id_removed)
        if model.training and self._is_guided_by_truth(step):
            return sample.mouth_landmarks, terms
        return heard if self.own.picture_gradients_reach_audio else heard.detach(), terms

    def validate(self) -> Validation:
        """Errors of the pictures as heard, and of the hearing."""
        found = super().validate()
        if self.heard is None:
            return found
        heard = hearing_errors(self.model, self.heard, self.config.validation_frames)
        return Validation(metrics={**found.metrics, **heard}, pictures=found.pictures)

    def settings(self) -> Mapping[str, object]:
        """All of the joint stage's settings."""
        own = self.own.model_dump(mode="json", exclude={"steps", "optimiser"})
        return {**super().settings(), "own": own, "judged": self.classifier is not None}

    def _is_guided_by_truth(self, step: int) -> bool:
        if self.own.true_landmarks == 0:
            return False
        generator = step_generator(self.config.seed, "guide", step)
        return bool(torch.rand((), generator=generator) < self.own.true_landmarks)
