"""Train identity removal and translation alone, on sound and face without pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from talkin.losses.identity import judges_loss, speaker_confusion_loss
from talkin.losses.objective import weighted_sum
from talkin.losses.translation import expression_loss, lip_closure_loss, mouth_shape_loss
from talkin.networks.speaker_classifier import SpeakerClassifier, freeze
from talkin.networks.speaker_judges import JudgePanel, StatisticsJudge, WindowJudge
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.training.audio_corpus import AudioBatch, AudioCorpus
from talkin.training.cepstral_warp import cepstral_warp
from talkin.training.config import StageName, TrainingConfig
from talkin.training.data_digest import dataset_digest
from talkin.training.events import Report, no_report
from talkin.training.parallel import this_share
from talkin.training.stage import Stage, Validation, chosen_device, step_generator
from talkin.training.stage_configs import AudioStageConfig, OptimiserConfig
from talkin.training.stage_run import run_stage
from talkin.training.validation import hearing_errors


def train_audio(  # noqa: PLR0913 - what a stage learns with
    model: TalkingFace,
    dataset: TalkingDataset,
    config: TrainingConfig,
    checkpoint_folder: Path,
    report: Report = no_report,
    *,
    classifier: SpeakerClassifier | None = None,
    validation: TalkingDataset | None = None,
    spoken: TalkingDataset | None = None,
) -> TalkingFace:
    """Train the audio networks of `model` on Eq. 2 and Eq. 3.

    Args:
        model: Changed in place.
        dataset: Training clips; all valid frames are heard.
        config: `config.audio` and what all stages share.
        checkpoint_folder: Where the stage keeps its state.
        report: Told of losses, errors and progress.
        classifier: Frozen judge of Eq. 2; without it, or without identity removal, that term is
            left out.
        validation: Held-out clips.
        spoken: Synthetic speech, from which `config.audio.spoken_steps` steps learn first.

    Returns:
        `model`, on the CPU.
    """
    device = chosen_device(config)
    stage = _AudioStage(model.to(device), classifier, dataset, validation, config, device, spoken)
    digest = dataset_digest(dataset)
    if stage.n_spoken and spoken is not None:
        digest += dataset_digest(spoken)
    run_stage(stage, config, checkpoint_folder, digest, report)
    return model.cpu()


def hearing_terms(
    model: TalkingFace, classifier: nn.Module | None, batch: AudioBatch, id_removed: Tensor
) -> dict[str, Tensor]:
    """L_norm, L_exp and L_shape of some frames heard as x'; the 2D ablation has no L_exp."""
    outputs = model.translate(id_removed).unsqueeze(1)
    pose = batch.pose.unsqueeze(1)
    true_expression = batch.expression.unsqueeze(1)
    predicted = model.landmarks_from_outputs(outputs, batch.geometry, pose)
    true = model.mouth_landmarks(true_expression, batch.geometry, pose)
    terms = translation_terms(model, outputs, true_expression, predicted, true, pose)
    return terms | confusion_term(model, classifier, id_removed)


def translation_terms(
    model: TalkingFace,
    outputs: Tensor,
    expression: Tensor,
    predicted: Tensor,
    true: Tensor,
    pose: Tensor,
) -> dict[str, Tensor]:
    """Eq. 3, pixels counted at a crop of 100 px, and the closure of the lips."""
    px_at_100 = 100.0 / model.config.crop.size_px
    terms = {
        "mouth_shape": mouth_shape_loss(predicted * px_at_100, true * px_at_100),
        "lip_closure": lip_closure_loss(predicted, true, pose[..., 5]),
    }
    if model.config.predict == "expression":
        terms["expression"] = expression_loss(outputs, expression)
    return terms


def confusion_term(
    model: TalkingFace, classifier: nn.Module | None, id_removed: Tensor
) -> dict[str, Tensor]:
    """Eq. 2, where there is a judge and something to be judged."""
    if classifier is None or not model.config.identity_removal.is_used:
        return {}
    return {"speaker_confusion": speaker_confusion_loss(classifier(id_removed.flatten(0, -3)))}


def augmented(
    batch: AudioBatch, model: TalkingFace, own: AudioStageConfig, generator: torch.Generator
) -> AudioBatch:
    """Another voice, loudness, microphone, noise and past for every window.

    In cepstra loudness is a constant added to the first coefficient, a microphone's response a
    constant added to each, and a longer vocal tract a matrix.
    """
    mfcc, share = batch.mfcc, this_share()
    n, _, n_mfcc = mfcc.shape
    if own.voice_std:
        stretch = own.voice_std * share.normal((n,), generator)
        mfcc = mfcc @ cepstral_warp(stretch, n_mfcc).to(mfcc).transpose(1, 2)
    change = torch.zeros(n, 1, n_mfcc)
    if own.channel_std:
        change = own.channel_std * share.normal((n, 1, n_mfcc), generator)
    if own.gain_std:
        change[:, 0, 0] += own.gain_std * share.normal((n,), generator)
    if own.noise_std:
        change = change + own.noise_std * share.normal(tuple(mfcc.shape), generator)
    mfcc = mfcc + change.to(mfcc) * model.mfcc_scale.std
    if own.forgotten_rows:
        mfcc = _forgotten(mfcc, own.forgotten_rows, generator)
    return replace(batch, mfcc=mfcc)


def _forgotten(mfcc: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Silence the beginning of every other window: its quietest row stands there instead."""
    n, n_rows, _ = mfcc.shape
    until = (2 * this_share().uniform((n,), generator) - 1) * most
    is_kept = (torch.arange(n_rows) >= until[:, None]).to(mfcc.device).unsqueeze(-1)
    quietest = mfcc[torch.arange(n), mfcc[:, :, 0].argmin(dim=1)].unsqueeze(1)
    return torch.where(is_kept, mfcc, quietest)


class _AudioStage(Stage):
    name: StageName = "audio"

    def __init__(
        self,
        model: TalkingFace,
        classifier: SpeakerClassifier | None,
        dataset: TalkingDataset,
        validation: TalkingDataset | None,
        config: TrainingConfig,
        device: torch.device,
        spoken: TalkingDataset | None = None,
    ) -> None:
        self.config, self.own, self.model = config, config.audio, model
        self.classifier = freeze(classifier.to(device)) if classifier else None
        self.n_spoken = self.own.spoken_steps if spoken and self.own.steps else 0
        self.n_steps = self.n_spoken + self.own.steps
        self.networks: dict[str, nn.Module] = {"audio": model.audio_networks}
        self.learning_rates = {"audio": self.own.learning_rate}
        self.device = device
        self.rival = self._rival(len(dataset.speakers))
        if self.rival is not None:
            self.networks["judge"] = self.rival
            self.learning_rates["judge"] = self.own.judge_learning_rate
        self.corpus = AudioCorpus.of(dataset).to(device)
        self.spoken, self.spoken_rival = self.corpus, None
        if spoken is not None and self.n_spoken:
            self.spoken = AudioCorpus.of(spoken).to(device)
            self.spoken_rival = self._rival(len(spoken.speakers))
        if self.spoken_rival is not None:
            self.networks["spoken_judge"] = self.spoken_rival
            self.learning_rates["spoken_judge"] = self.own.judge_learning_rate
        self.held_out = AudioCorpus.of(validation).to(device) if validation else None

    def settings(self) -> Mapping[str, object]:
        return {
            "seed": self.config.seed,
            "optimiser": self.config.optimiser_of(self.name).model_dump(mode="json"),
            "own": self.own.model_dump(mode="json", exclude={"steps", "optimiser"}),
            "losses": self.config.losses.model_dump(mode="json"),
            "model": self.model.config.model_dump(mode="json"),
            "judged": self.classifier is not None,
            "n_spoken": self.n_spoken,
        }

    def rate_factor(self, step: int, schedule: OptimiserConfig) -> float:
        if step >= self.n_spoken:
            return schedule.rate_factor(step - self.n_spoken, self.n_steps - self.n_spoken)
        every = self.own.spoken_decay_every or schedule.decay_every
        spoken = schedule.model_copy(update={"decay_every": every})
        return spoken.rate_factor(step, self.n_spoken)

    def losses(self, step: int) -> Iterator[tuple[str, Tensor | None, Mapping[str, Tensor]]]:
        self.model.train()
        generator = step_generator(self.config.seed, self.name, step)
        share, jitter = this_share(), self.own.time_jitter_rows
        corpus, judge, rival = self.corpus, "judge", self.rival
        classifier = self.classifier
        if step < self.n_spoken:  # the classifier knows none of these voices
            corpus, judge, rival, classifier = self.spoken, "spoken_judge", self.spoken_rival, None
        order = share.order(len(corpus), self.own.batch_size, self.config.seed, step)
        shift = (share.uniform((len(order),), generator) * (2 * jitter + 1)).long() - jitter
        batch = corpus.frames(
            torch.from_numpy(order).to(self.device), shift.to(self.device) if jitter else None
        )
        batch = augmented(batch, self.model, self.own, generator)
        id_removed = self.model.without_identity(batch.mfcc)
        terms = hearing_terms(self.model, rival or classifier, batch, id_removed)
        yield "audio", weighted_sum(terms, self.config.losses), terms
        if rival is not None:
            value = judges_loss(rival(id_removed.detach()), batch.speaker)
            yield judge, value, {"judge_cross_entropy": value}

    def _rival(self, n_speakers: int) -> nn.Module | None:
        """The judges that learn along, where they are wanted and there is something to judge."""
        is_judged = self.model.config.identity_removal.is_used and n_speakers > 1
        if self.own.judge == "frozen" or not is_judged or not self.config.losses.speaker_confusion:
            return None
        torch.manual_seed(self.config.seed + 2)
        n_mfcc = self.model.config.mfcc.n_columns
        judge = StatisticsJudge(n_mfcc, n_speakers)
        if self.own.judge == "refreshed":
            return judge.to(self.device)
        other = WindowJudge(n_mfcc, n_speakers, self.own.judge_channels)
        return JudgePanel(judge, other).to(self.device)

    def validate(self) -> Validation:
        if self.held_out is None:
            return Validation(metrics={})
        errors = hearing_errors(self.model, self.held_out, self.config.validation_frames)
        return Validation(metrics=errors)
