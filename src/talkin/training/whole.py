"""The chosen stages in a row, from footage to a trained model."""

from copy import deepcopy
from pathlib import Path

import torch

from talkin.errors import ConfigurationError
from talkin.networks.speaker_classifier import SpeakerClassifier
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import TalkingDataset
from talkin.training.audio import train_audio
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.config import TrainingConfig
from talkin.training.events import Report, no_report
from talkin.training.joint import train_jointly
from talkin.training.kept_adversary import adversary_of, keep_adversary
from talkin.training.parallel import this_share
from talkin.training.renderer import train_renderer
from talkin.training.speaker_classifier import train_speaker_classifier


def new_talking_face(
    config: TalkingFaceConfig, dataset: TalkingDataset, seed: int = 0
) -> TalkingFace:
    """An untrained model that holds the normalisation of the training data.

    Args:
        config: Its networks.
        dataset: Training clips; their face model becomes the model's.
        seed: The same seed gives the same weights.

    Raises:
        ConfigurationError: If the dataset's windows are not as the configuration says.
    """
    if dataset.config.window != config.window or dataset.config.frames != config.frames:
        raise ConfigurationError(
            f"the dataset has {dataset.config.frames} frames with sound {dataset.config.window}, "
            f"the model wants {config.frames} with {config.window}; give both the same"
        )
    torch.manual_seed(seed)
    model = TalkingFace(config, dataset.face_model)
    corpus = AudioCorpus.of(dataset)
    n_mfcc = corpus.mfcc.shape[1]
    if n_mfcc != config.mfcc.n_columns:
        raise ConfigurationError(
            f"the corpus holds {n_mfcc} values a row of sound, mfcc says {config.mfcc.n_columns}; "
            "run preprocess again or change the setting"
        )
    model.mfcc_scale.fit(corpus.mfcc)
    model.output_scale.fit(_true_outputs(model, corpus))
    return model


def fine_tuned_start(start: TalkingFace, dataset: TalkingDataset) -> TalkingFace:
    """A trained model, ready to learn from other footage; `start` itself stays as it is.

    Its normalisation stays too: it belongs to the weights.

    Raises:
        ConfigurationError: If the footage was fitted with another face model.
    """
    if start.face_model.name != dataset.face_model.name:
        raise ConfigurationError(
            f"start_from speaks face model {start.face_model.name}, but the footage was fitted "
            f"with {dataset.face_model.name}; prepare it with the model's own (face_model in "
            "parameters_preprocess.yml)"
        )
    return deepcopy(start)


def train_talking_face(  # noqa: PLR0913 - what training learns from
    model: TalkingFace,
    dataset: TalkingDataset,
    config: TrainingConfig,
    checkpoint_folder: Path,
    report: Report = no_report,
    *,
    validation: TalkingDataset | None = None,
    classifier: SpeakerClassifier | None = None,
    spoken: TalkingDataset | None = None,
) -> tuple[TalkingFace, SpeakerClassifier | None]:
    """Run the stages that `config.stages` names, in its order.

    Args:
        model: From `new_talking_face`, or a trained one to fine-tune; changed in place.
        dataset: Training clips.
        config: All settings.
        checkpoint_folder: A folder a stage is made in it.
        report: Told of everything.
        validation: Held-out clips.
        classifier: A trained judge, where the stages do not train one.
        spoken: Synthetic speech that the audio stage learns from first.

    Returns:
        The model in evaluation mode, and the judge it was trained against.
    """
    told = (dataset, config, checkpoint_folder, report)
    for stage in config.stages:
        if stage == "speaker_classifier":
            if len(dataset.speakers) > 1 and config.losses.speaker_confusion > 0:
                classifier = train_speaker_classifier(
                    *told, mfcc_scale=model.mfcc_scale, validation=validation
                )
        elif stage == "audio":
            train_audio(model, *told, classifier=classifier, validation=validation, spoken=spoken)
        elif (config.renderer if stage == "renderer" else config.joint).steps > 0:
            judge = adversary_of(model, config, checkpoint_folder)
            if stage == "renderer":
                train_renderer(model, *told, validation=validation, discriminator=judge)
            else:
                train_jointly(
                    model, *told, classifier=classifier, validation=validation, discriminator=judge
                )
            if this_share().is_first:
                keep_adversary(judge, model, checkpoint_folder, stage)
            this_share().wait()  # the next stage reads it
    return model.eval(), classifier


def _true_outputs(model: TalkingFace, corpus: AudioCorpus) -> torch.Tensor:
    if model.config.predict == "expression":
        return corpus.expression
    landmarks = model.mouth_landmarks(
        corpus.expression.unsqueeze(1), corpus.geometry[corpus.clip], corpus.pose.unsqueeze(1)
    )
    return landmarks.flatten(1)
