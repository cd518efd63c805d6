from pathlib import Path

import pytest
import torch
from toy_corpus import toy_clip, toy_config, toy_dataset, toy_face_model, toy_training

from pipelines.training.start import check_preparation, model_to_start_from
from talkin.errors import ConfigurationError
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.best_state import DECIDING, BestState
from talkin.training.config import StageName
from talkin.training.events import TrainingEvent
from talkin.training.validation import hearing_errors
from talkin.training.whole import fine_tuned_start, new_talking_face, train_talking_face


def of_one_speaker(first_seed: int, n_clips: int) -> TalkingDataset:
    clips = [toy_clip(first_seed + i, "new") for i in range(n_clips)]
    return TalkingDataset(clips, toy_face_model())


def saved_model(folder: Path) -> Path:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    config = toy_training(audio={"steps": 60, "batch_size": 32, "learning_rate": 1e-2})
    train_talking_face(model, dataset, config, folder / "checkpoints")
    model.save(folder / "model")
    return folder / "model"


def tuned(start: TalkingFace, folder: Path, rate: float) -> tuple[TalkingFace, list[TrainingEvent]]:
    train, held_out = of_one_speaker(100, 3), of_one_speaker(200, 2)
    config = toy_training(
        stages=("speaker_classifier", "audio"),
        audio={"steps": 40, "batch_size": 32, "learning_rate": rate},
        keep_best=True,
        validate_every=10,
    )
    model, events = fine_tuned_start(start, train), []
    train_talking_face(model, train, config, folder, events.append, validation=held_out)
    return model, events


def error_of(model: TalkingFace) -> float:
    corpus = AudioCorpus.of(of_one_speaker(200, 2))
    return hearing_errors(model, corpus, 2000)["landmark_error_px"]


def test_a_trained_model_learns_a_new_speaker_and_stays_as_it_was(tmp_path: Path) -> None:
    start = model_to_start_from(str(saved_model(tmp_path)))
    before = {key: value.clone() for key, value in start.state_dict().items()}
    model, _ = tuned(start, tmp_path / "tuning", 3e-3)
    assert error_of(model) < error_of(start)
    assert all(torch.equal(value, before[key]) for key, value in start.state_dict().items())


def test_validation_picks_the_best_state(tmp_path: Path) -> None:
    start = model_to_start_from(str(saved_model(tmp_path)))
    model, events = tuned(start, tmp_path / "tuning", 1e-2)
    seen = [e.metrics["landmark_error_px"] for e in events if e.metrics]
    assert error_of(model) == pytest.approx(min([*seen, error_of(start)]), rel=1e-5)


@pytest.mark.parametrize(("stage", "best"), [("audio", 0), ("renderer", 2)])
def test_a_worse_state_is_forgotten(tmp_path: Path, stage: StageName, best: int) -> None:
    network = torch.nn.Linear(1, 1)
    states = BestState(stage, {"network": network}, tmp_path / "best.safetensors")
    for number, value in enumerate([1.0, 2.0, 3.0]):
        torch.nn.init.constant_(network.weight, number)
        states.show({DECIDING[stage][0]: value, "other": 0.0})
    BestState(stage, {"network": network}, tmp_path / "best.safetensors").restore()
    assert network.weight.item() == best


def test_the_best_state_survives_a_finished_stage_that_is_asked_again(tmp_path: Path) -> None:
    start = model_to_start_from(str(saved_model(tmp_path)))
    first, _ = tuned(start, tmp_path / "tuning", 1e-2)
    again, events = tuned(start, tmp_path / "tuning", 1e-2)
    assert all(not event.losses for event in events)
    assert error_of(first) == error_of(again)


def test_a_model_of_another_face_model_is_refused() -> None:
    start = new_talking_face(toy_config(), toy_dataset())
    other = of_one_speaker(0, 1)
    object.__setattr__(other.face_model, "name", "other")
    with pytest.raises(ConfigurationError, match="start_from speaks face model toy"):
        fine_tuned_start(start, other)


def test_footage_prepared_otherwise_is_refused_by_the_names_of_the_settings() -> None:
    shape = toy_config()
    prepared = {"crop": shape.crop.model_dump(), "mfcc": shape.mfcc.model_dump()}
    check_preparation(shape, prepared)
    prepared["mfcc"]["n_mfcc"] = 28
    with pytest.raises(ConfigurationError, match=r"preprocess\.mfcc\.n_mfcc is 28, .* has 6"):
        check_preparation(shape, prepared)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing_here"):
        model_to_start_from(str(tmp_path / "nothing_here"))
