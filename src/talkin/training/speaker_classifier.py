"""Train the judge of identity removal: who speaks in a window of normalised MFCC."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkin.errors import ConfigurationError
from talkin.networks.speaker_classifier import SpeakerClassifier, freeze
from talkin.networks.standardiser import Standardiser
from talkin.networks.vggvox import take_vggvox
from talkin.samples.dataset import TalkingDataset
from talkin.samples.order import spread_order
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import StageName, TrainingConfig
from talkin.training.data_digest import dataset_digest
from talkin.training.events import Report, no_report
from talkin.training.parallel import this_share
from talkin.training.stage import Stage, Validation, chosen_device, step_generator
from talkin.training.stage_run import run_stage


def train_speaker_classifier(
    dataset: TalkingDataset,
    config: TrainingConfig,
    checkpoint_folder: Path,
    report: Report = no_report,
    *,
    mfcc_scale: Standardiser,
    validation: TalkingDataset | None = None,
) -> SpeakerClassifier:
    """Learn to tell the speakers of `dataset` apart.

    Args:
        dataset: Training clips; `dataset.speakers` are the classes.
        config: `config.speaker_classifier` and what all stages share.
        checkpoint_folder: Where the stage keeps its state.
        report: Told of losses, accuracy and progress.
        mfcc_scale: The normalisation of the model that will be judged
            (`TalkingFace.mfcc_scale`).
        validation: Held-out clips of the same speakers.

    Returns:
        The classifier, frozen.

    Raises:
        ConfigurationError: If there is only one speaker, or published weights do not fit.
    """
    if len(dataset.speakers) < 2:
        raise ConfigurationError(
            f"a speaker classifier needs two speakers or more, the corpus has "
            f"{', '.join(dataset.speakers)} alone; set losses.speaker_confusion to 0 and leave "
            "speaker_classifier out of stages, or add footage of others"
        )
    device = chosen_device(config)
    torch.manual_seed(config.seed)
    network = SpeakerClassifier(
        len(mfcc_scale.mean), len(dataset.speakers), config.speaker_classifier.network
    )
    own = config.speaker_classifier
    if own.weights is not None:
        take_vggvox(network, own.weights, own.sha256)
    stage = _SpeakerStage(network.to(device), mfcc_scale, dataset, validation, config, device)
    run_stage(stage, config, checkpoint_folder, dataset_digest(dataset), report)
    return freeze(network.cpu())


class _SpeakerStage(Stage):
    name: StageName = "speaker_classifier"

    def __init__(
        self,
        network: SpeakerClassifier,
        mfcc_scale: Standardiser,
        dataset: TalkingDataset,
        validation: TalkingDataset | None,
        config: TrainingConfig,
        device: torch.device,
    ) -> None:
        self.config, self.own = config, config.speaker_classifier
        self.network, self.device = network, device
        self.n_steps = self.own.steps
        self.networks: Mapping[str, nn.Module] = {"speaker_classifier": network}
        self.learning_rates = {"speaker_classifier": self.own.learning_rate}
        self.corpus = _normalised(AudioCorpus.of(dataset), mfcc_scale).to(device)
        held_out = _normalised(AudioCorpus.of(validation), mfcc_scale) if validation else None
        self.held_out = held_out.to(device) if held_out else None

    def settings(self) -> Mapping[str, object]:
        return {
            "seed": self.config.seed,
            "optimiser": self.config.optimiser_of(self.name).model_dump(mode="json"),
            "own": self.own.model_dump(mode="json", exclude={"steps", "optimiser"}),
        }

    def losses(self, step: int) -> Iterator[tuple[str, Tensor | None, Mapping[str, Tensor]]]:
        self.network.train()
        order = this_share().order(len(self.corpus), self.own.batch_size, self.config.seed, step)
        batch = self.corpus.frames(torch.from_numpy(order).to(self.device))
        generator = step_generator(self.config.seed, self.name, step)
        mfcc = batch.mfcc + _random_loudness(batch.mfcc, generator)
        logits = self.network(mfcc)
        value = functional.cross_entropy(logits, batch.speaker)
        right = (logits.argmax(1) == batch.speaker).float().mean()
        terms = {"speaker_cross_entropy": value, "speaker_accuracy": right}
        yield "speaker_classifier", value, terms

    @torch.no_grad()
    def validate(self) -> Validation:
        if self.held_out is None:
            return Validation(metrics={})
        self.network.eval()
        known = (self.held_out.speaker[self.held_out.clip] >= 0).nonzero().squeeze(1)
        if len(known) == 0:
            return Validation(metrics={})
        chosen = known[list(spread_order(len(known), self.config.validation_frames))]
        right = []
        for numbers in torch.split(chosen, 256):
            batch = self.held_out.frames(numbers)
            right.append(self.network(batch.mfcc).argmax(1) == batch.speaker)
        return Validation(metrics={"speaker_accuracy": torch.cat(right).float().mean().item()})


def _normalised(corpus: AudioCorpus, scale: Standardiser) -> AudioCorpus:
    return replace(corpus, mfcc=scale.cpu().standardised(corpus.mfcc))


def _random_loudness(mfcc: Tensor, generator: torch.Generator) -> Tensor:
    # How loud a recording is says nothing of the voice; the judge must not lean on it.
    change = torch.zeros_like(mfcc[:, :1])
    change[:, 0, 0] = 0.3 * this_share().normal((len(mfcc),), generator).to(mfcc)
    return change
