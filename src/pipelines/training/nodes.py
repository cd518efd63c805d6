"""The nodes of training: a stage each. A stage that is not chosen passes its model through."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.code_version import code_digest
from pipelines.consent import require_consent_for_clips
from pipelines.lazy import configured
from pipelines.rows import Table
from pipelines.training.corpus import CorpusChoice, chosen_clips, dataset_of_split
from pipelines.training.finished import mark_finished, set_aside_outdated
from pipelines.training.judge import SpeakerJudge
from pipelines.training.progress import TrainingProgress, curves_of
from pipelines.training.start import check_preparation, model_to_start_from

if TYPE_CHECKING:
    from talkin.avatar.spoken import SpokenConfig
    from talkin.face3d.loading import FaceModelConfig
    from talkin.footage.mfcc import MfccConfig
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.samples.alignment import CropConfig
    from talkin.samples.dataset import PreparedClip, TalkingDataset
    from talkin.training.config import StageName, TrainingConfig
else:
    TalkingFace = TalkingDataset = PreparedClip = StageName = Any
    SpokenConfig = configured("talkin.avatar.spoken:SpokenConfig")
    FaceModelConfig = configured("talkin.face3d.loading:FaceModelConfig")
    MfccConfig = configured("talkin.footage.mfcc:MfccConfig")
    TalkingFaceConfig = configured("talkin.networks.talking_face_config:TalkingFaceConfig")
    CropConfig = configured("talkin.samples.alignment:CropConfig")
    TrainingConfig = configured("talkin.training.config:TrainingConfig")

STAGES = ("speaker_classifier", "audio", "renderer", "joint")


def gather_training_data(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    index: Table,
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    crops: Mapping[str, Any],
    consent_register: Any,
    face_model: FaceModelConfig,
    model: TalkingFaceConfig,
    crop: CropConfig,
    mfcc_config: MfccConfig,
    config: TrainingConfig,
    choice: CorpusChoice,
) -> dict[str, Any]:
    """Training and validation clips as datasets of windows, and the shape of the model to train.

    What preparation used (crop, MFCC) becomes part of the model's configuration, so that editing
    cannot disagree with it. A model to start from brings its own shape, to which the preparation
    must fit.

    Raises:
        ConsentError: If a speaker has no valid consent for training any more.
        ConfigurationError: If there is no such model to start from, or it does not fit.
    """
    from talkin.face3d.loading import load_face_model

    index = chosen_clips(index, choice)
    require_consent_for_clips(index[index["split"] != "test"], consent_register)
    start = model_to_start_from(config.start_from) if config.start_from else None
    if start is not None:
        check_preparation(start.config, _prepared(crop, mfcc_config))
    shape = start.config if start else shape_as_prepared(model, crop, mfcc_config)
    basis = load_face_model(face_model)
    sources = (index, face_parameters, mfcc, crops, basis, shape)
    return {
        "shape": shape,
        "start": start,
        "train": dataset_of_split("train", *sources),
        "validation": dataset_of_split("validation", *sources),
    }


def shape_as_prepared(
    model: TalkingFaceConfig, crop: CropConfig, mfcc_config: MfccConfig
) -> TalkingFaceConfig:
    """The configuration of a model with what preparation used for crop and MFCC."""
    return type(model).model_validate(model.model_dump() | _prepared(crop, mfcc_config))


def speak_for_training(
    spoken: SpokenConfig, crop: CropConfig, mfcc_config: MfccConfig, folder: Path
) -> list[PreparedClip]:
    """Synthetic speech with exact faces, on which the audio networks begin; none if not wanted.

    It is kept in `folder`, so that a run that is repeated or goes on does not speak again.

    Raises:
        TalkinError: If espeak-ng is not installed.
    """
    from pipelines.training.kept_speech import spoken_once

    return spoken_once(spoken.corpus, crop, mfcc_config, folder) if spoken.is_used else []


def train_speaker_classifier(
    data: dict[str, Any], checkpoints: Path, config: TrainingConfig
) -> SpeakerJudge:
    """Who speaks: the judge against which identity removal is trained."""
    train: TalkingDataset = data["train"]
    model = _model_at_start(data, config)
    _, classifier = _train("speaker_classifier", model, data, checkpoints, config)
    network = config.speaker_classifier.network
    return SpeakerJudge(classifier, train.speakers, data["shape"].mfcc.n_columns, network)


def train_audio_networks(
    data: dict[str, Any],
    judge: SpeakerJudge,
    spoken: list[PreparedClip],
    checkpoints: Path,
    config: TrainingConfig,
) -> TalkingFace:
    """Identity removal and translation to expression, from sound and fitted faces.

    A model to start from has learnt to hear already: it goes on with the footage alone.
    """
    from talkin.samples.dataset import TalkingDataset as Dataset

    model = _model_at_start(data, config)
    if spoken and data["start"] is None:
        train = data["train"]
        data = {**data, "spoken": Dataset(spoken, train.face_model, train.config)}
    return _train("audio", model, data, checkpoints, config, judge)[0]


def train_renderer(
    model: TalkingFace, data: dict[str, Any], checkpoints: Path, config: TrainingConfig
) -> TalkingFace:
    """The renderer alone, guided by the fitted mouth landmarks."""
    return _train("renderer", model, data, checkpoints, config)[0]


def train_jointly(
    model: TalkingFace,
    data: dict[str, Any],
    judge: SpeakerJudge,
    checkpoints: Path,
    config: TrainingConfig,
) -> TalkingFace:
    """All networks end to end; pictures teach the audio networks through the heatmaps."""
    return _train("joint", model, data, checkpoints, config, judge)[0]


def collect_curves(model: TalkingFace, checkpoints: Path) -> Table:
    """Losses and validation of all stages over their steps, once the model is trained."""
    del model  # only orders the graph: curves are whole when the last stage is done
    return curves_of(checkpoints, STAGES)


def _prepared(crop: CropConfig, mfcc_config: MfccConfig) -> dict[str, dict[str, Any]]:
    return {"crop": crop.model_dump(), "mfcc": mfcc_config.model_dump()}


def _model_at_start(data: dict[str, Any], config: TrainingConfig) -> TalkingFace:
    """An untrained model, or the trained one to go on from."""
    from talkin.training.whole import fine_tuned_start, new_talking_face

    if data["start"] is not None:
        return fine_tuned_start(data["start"], data["train"])
    return new_talking_face(data["shape"], data["train"], config.seed)


def _train(
    stage: StageName,
    model: TalkingFace,
    data: dict[str, Any],
    checkpoints: Path,
    config: TrainingConfig,
    judge: SpeakerJudge | None = None,
) -> tuple[TalkingFace, Any]:
    from pipelines.training.launch import run_in_processes
    from talkin.training.parallel import this_share
    from talkin.training.whole import train_talking_face

    chosen = config.model_copy(update={"stages": (stage,) if stage in config.stages else ()})
    code, share = code_digest(train_talking_face), this_share()
    if share.is_first:
        set_aside_outdated(stage, checkpoints, code)
    share.wait()
    is_launched = config.processes > 1 and share.size == 1  # else torchrun has launched them
    is_shared = is_launched and stage in chosen.stages and stage != "speaker_classifier"
    with TrainingProgress(stage, checkpoints) as progress:

        def work() -> tuple[TalkingFace, Any]:
            return train_talking_face(
                model,
                data["train"],
                chosen,
                checkpoints,
                progress,
                validation=data["validation"],
                classifier=judge.classifier if judge else None,
                spoken=data.get("spoken"),
            )

        if is_shared:
            run_in_processes(config.processes, {"model": model}, work)
            trained: tuple[TalkingFace, Any] = model.eval(), judge.classifier if judge else None
        else:
            trained = work()
    if share.is_first:
        mark_finished(stage, checkpoints, code)
    return trained
