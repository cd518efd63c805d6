from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy_corpus import toy_clip, toy_config, toy_dataset, toy_face_model, toy_training

from talkin.errors import ConfigurationError
from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig, freeze
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import TalkingDataset
from talkin.training.audio import train_audio
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.events import Report, TrainingEvent, no_report
from talkin.training.joint import JointStage, train_jointly
from talkin.training.kept_adversary import adversary_of
from talkin.training.pictures import new_discriminator
from talkin.training.renderer import train_renderer
from talkin.training.speaker_classifier import train_speaker_classifier
from talkin.training.stage import step_generator
from talkin.training.validation import hearing_errors
from talkin.training.whole import new_talking_face, train_talking_face

STAGES = ("speaker_classifier", "audio", "renderer", "joint")


def trained(folder: Path, changes: dict[str, object] | None = None) -> TalkingFace:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    return train_talking_face(model, dataset, toy_training(**(changes or {})), folder)[0]


def assert_same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    a, b = one.state_dict(), other.state_dict()
    differing = [key for key in a if not torch.equal(a[key], b[key])]
    assert differing == []


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


def stop_at(stage: str, step: int):
    def report(event: TrainingEvent) -> None:
        if (event.stage, event.step) == (stage, step):
            raise Stopped

    return report


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path: Path) -> None:
    one, two = trained(tmp_path / "1"), trained(tmp_path / "2")
    assert_same_weights(one, two)
    other = trained(tmp_path / "3", {"seed": 1})
    assert not torch.equal(one.renderer.encoder[0][0].weight, other.renderer.encoder[0][0].weight)


@pytest.mark.parametrize("stage", STAGES)
def test_stopping_and_going_on_equals_not_stopping_bit_for_bit(tmp_path: Path, stage: str) -> None:
    whole = trained(tmp_path / "whole")
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    config = toy_training(report_every=3)  # a checkpoint stands at step 2, the stop comes at 3
    with pytest.raises(Stopped):
        train_talking_face(model, dataset, config, tmp_path / "parts", stop_at(stage, 3))
    assert_same_weights(whole, trained(tmp_path / "parts", {"loader_threads": 0}))


@pytest.mark.parametrize("stage", ["renderer", "joint"])
def test_lent_mouths_are_the_same_after_a_stop(tmp_path: Path, stage: str) -> None:
    renderer = {"width": 4, "depth": 2, "is_residual": True}
    shape = toy_config(mask_fill="reference", renderer=renderer)
    clips = [toy_clip(seed, "a" if seed % 2 else "bb", n=40) for seed in range(4)]
    dataset = TalkingDataset(clips, toy_face_model(), shape.dataset)
    stages = {"stages": ["renderer", "joint"], "report_every": 3}

    def run(folder: Path, report: Report = no_report, **changes: object) -> TalkingFace:
        model = new_talking_face(shape, dataset)
        config = toy_training(**stages, **changes)
        return train_talking_face(model, dataset, config, folder, report, validation=dataset)[0]

    whole = run(tmp_path / "whole")
    with pytest.raises(Stopped):
        run(tmp_path / "parts", stop_at(stage, 3))
    assert_same_weights(whole, run(tmp_path / "parts", loader_threads=0))


def test_training_on_lent_mouths_needs_a_dataset_that_lends(tmp_path: Path) -> None:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(mask_fill="reference"), dataset)
    with pytest.raises(ConfigurationError, match="lent_mouths"):
        train_renderer(model, dataset, toy_training(), tmp_path)


def test_a_finished_stage_is_not_run_again(tmp_path: Path) -> None:
    first = trained(tmp_path)
    events: list[TrainingEvent] = []
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    train_talking_face(model, dataset, toy_training(), tmp_path, events.append)
    assert [(e.stage, e.step, dict(e.losses)) for e in events] == [(s, 4, {}) for s in STAGES]
    assert_same_weights(first, model)


def test_changed_settings_begin_anew_instead_of_going_on(tmp_path: Path) -> None:
    trained(tmp_path)
    changed = trained(tmp_path, {"losses": {"mouth_shape": 3.0}})
    assert_same_weights(changed, trained(tmp_path / "fresh", {"losses": {"mouth_shape": 3.0}}))


def test_more_steps_go_on_from_where_training_ended(tmp_path: Path) -> None:
    stages = {"stages": ("renderer",)}
    longer = {**stages, "renderer": {"steps": 6, "batch_size": 2}}
    trained(tmp_path, stages)
    assert_same_weights(trained(tmp_path, longer), trained(tmp_path / "fresh", longer))


def test_one_sample_is_learnt_by_heart(tmp_path: Path) -> None:
    dataset = TalkingDataset([toy_clip(0, "a", n=7)], toy_face_model())
    losses: list[float] = []
    config = toy_training(
        renderer={"steps": 150, "batch_size": 1, "learning_rate": 3e-3},
        losses={"adversarial": 0, "perceptual": 0, "total_variation": 0},
        report_every=50,
        checkpoint_every=1000,
    )
    model = new_talking_face(toy_config(renderer={"width": 16, "depth": 2}), dataset)
    train_renderer(
        model, dataset, config, tmp_path, lambda e: losses.append(e.losses["reconstruction"])
    )
    assert losses[-1] < 0.35 * losses[0]


def test_the_audio_networks_learn_what_sound_decides(tmp_path: Path) -> None:
    dataset, held_out = toy_dataset(6), toy_dataset(2, first_seed=50)
    config = toy_training(
        audio={"steps": 300, "batch_size": 64, "learning_rate": 5e-3},
        checkpoint_every=1000,
        validate_every=300,
    )
    changes = {"audio_to_expression": {"hidden": 32, "layers": 1, "rows_per_step": 20}}
    model = new_talking_face(toy_config(**changes), dataset)
    events: list[TrainingEvent] = []
    train_audio(model, dataset, config, tmp_path, events.append, validation=held_out)
    corpus = AudioCorpus.of(dataset)
    assert hearing_errors(model, corpus, 200)["landmark_error_ratio"] < 0.8
    assert set(events[-1].metrics) >= {"landmark_error_px", "mouth_opening_correlation"}


def test_a_mouth_held_still_has_the_errors_of_the_still_baseline() -> None:
    dataset = toy_dataset(2)
    model = new_talking_face(toy_config(), dataset)
    torch.nn.init.zeros_(model.audio_to_expression.to_outputs.weight)
    torch.nn.init.zeros_(model.audio_to_expression.to_outputs.bias)
    errors = hearing_errors(model, AudioCorpus.of(dataset), 100)
    assert errors["landmark_error_ratio"] == pytest.approx(1.0, abs=1e-5)


def test_the_speaker_classifier_learns_voices_and_comes_back_frozen(tmp_path: Path) -> None:
    dataset, held_out = toy_dataset(16), toy_dataset(2, first_seed=50)
    model = new_talking_face(toy_config(), dataset)
    config = toy_training(
        speaker_classifier={"steps": 60, "batch_size": 16, "network": {"width": 3}},
        validate_every=60,
        report_every=10,
    )
    events: list[TrainingEvent] = []
    network = train_speaker_classifier(
        dataset,
        config,
        tmp_path,
        events.append,
        mfcc_scale=model.mfcc_scale,
        validation=held_out,
    )
    assert events[-1].metrics["speaker_accuracy"] > 0.9
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_one_speaker_alone_cannot_be_told_apart(tmp_path: Path) -> None:
    dataset = TalkingDataset([toy_clip(0, "a")], toy_face_model())
    scale = new_talking_face(toy_config(), dataset).mfcc_scale
    with pytest.raises(ConfigurationError, match="two speakers or more"):
        train_speaker_classifier(dataset, toy_training(), tmp_path, mfcc_scale=scale)


def judge() -> SpeakerClassifier:
    torch.manual_seed(3)
    return freeze(SpeakerClassifier(6, 2, SpeakerClassifierConfig(width=3)))


def gradients_of_pictures(reach_audio: bool) -> list[float]:
    """Largest gradient of each audio parameter from Eq. 4 alone."""
    dataset = toy_dataset()
    torch.manual_seed(0)
    model = new_talking_face(toy_config(), dataset)
    torch.nn.init.normal_(model.identity_remover.to_weights.weight, std=0.1)
    config = toy_training(
        joint={"steps": 4, "picture_gradients_reach_audio": reach_audio},
        losses={"speaker_confusion": 0, "expression": 0, "mouth_shape": 0},
    )
    stage = JointStage(model, judge(), dataset, None, config)
    _, value, _ = next(stage.losses(0))
    assert value is not None
    value.backward()
    stage.end()
    return [
        0.0 if p.grad is None else p.grad.abs().max().item()
        for p in model.audio_networks.parameters()
    ]


def test_gradients_of_the_picture_losses_reach_the_audio_networks() -> None:
    assert min(gradients_of_pictures(reach_audio=True)) > 0


def test_that_can_be_switched_off() -> None:
    assert max(gradients_of_pictures(reach_audio=False)) == 0


def test_the_frozen_judge_is_never_changed_by_what_it_judges(tmp_path: Path) -> None:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    classifier, untouched = judge(), judge()
    train_audio(model, dataset, toy_training(), tmp_path, classifier=classifier)
    train_jointly(model, dataset, toy_training(), tmp_path, classifier=classifier)
    assert_same_weights(classifier, untouched)


def test_a_stage_of_no_steps_and_terms_of_no_weight_change_nothing(tmp_path: Path) -> None:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    train_jointly(model, dataset, toy_training(joint={"steps": 0}), tmp_path)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    events: list[TrainingEvent] = []
    losses = {"adversarial": 0, "perceptual": 0, "total_variation": 0}
    config = toy_training(losses=losses, report_every=1)
    train_renderer(model, dataset, config, tmp_path, events.append)
    assert set(events[0].losses) == {"reconstruction", "total_variation"}


def test_the_schedule_multiplies_the_rate_at_every_tenth_step(tmp_path: Path) -> None:
    dataset = toy_dataset()
    rates: list[float] = []
    config = toy_training(
        audio={"steps": 5, "batch_size": 4, "learning_rate": 0.01},
        optimiser={"decay": 0.5, "decay_every": 2},
        report_every=1,
    )
    train_audio(
        new_talking_face(toy_config(), dataset),
        dataset,
        config,
        tmp_path,
        lambda e: rates.append(e.learning_rates["audio"]),
    )
    assert rates == [0.01, 0.01, 0.005, 0.005, 0.0025]


def test_rates_rise_at_the_start_and_fade_to_nothing_at_the_end(tmp_path: Path) -> None:
    rates: list[float] = []
    config = toy_training(
        renderer={"steps": 8, "batch_size": 2, "learning_rate": 1.0},
        optimiser={"warm_up": 2, "fade": 0.5},
        report_every=1,
    )
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    train_renderer(
        model, dataset, config, tmp_path, lambda e: rates.append(e.learning_rates["renderer"])
    )
    assert rates == [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]


def test_a_fading_stage_of_more_steps_begins_anew(tmp_path: Path) -> None:
    for steps in (2, 4):
        renderer = {"steps": steps, "batch_size": 2}
        dataset = toy_dataset()
        model = new_talking_face(toy_config(), dataset)
        config = toy_training(renderer=renderer, optimiser={"fade": 0.5})
        train_renderer(model, dataset, config, tmp_path)
    assert len(list(tmp_path.glob("renderer-*"))) == 2


def test_speech_comes_before_footage_and_the_schedule_begins_anew(tmp_path: Path) -> None:
    dataset, spoken = toy_dataset(), toy_dataset(3, first_seed=50)
    rates: list[float] = []
    config = toy_training(
        audio={"steps": 3, "spoken_steps": 4, "batch_size": 4, "learning_rate": 0.01},
        optimiser={"decay": 0.5, "decay_every": 2},
        report_every=1,
    )
    train_audio(
        new_talking_face(toy_config(), dataset),
        dataset,
        config,
        tmp_path,
        lambda e: rates.append(e.learning_rates["audio"]),
        spoken=spoken,
    )
    assert rates == [0.01, 0.01, 0.005, 0.005, 0.01, 0.01, 0.005]


def test_speech_may_have_a_decay_of_its_own(tmp_path: Path) -> None:
    dataset, spoken = toy_dataset(), toy_dataset(3, first_seed=50)
    rates: list[float] = []
    own = {"steps": 3, "spoken_steps": 4, "batch_size": 4, "learning_rate": 0.01}
    train_audio(
        new_talking_face(toy_config(), dataset),
        dataset,
        toy_training(
            audio={**own, "spoken_decay_every": 3},
            optimiser={"decay": 0.5, "decay_every": 2},
            report_every=1,
        ),
        tmp_path,
        lambda e: rates.append(e.learning_rates["audio"]),
        spoken=spoken,
    )
    assert rates == [0.01, 0.01, 0.01, 0.005, 0.01, 0.01, 0.005]


@pytest.mark.parametrize(("stopped_after", "judge"), [(2, "refreshed"), (6, "panel")])
def test_speech_then_footage_resumes_exactly(
    tmp_path: Path, stopped_after: int, judge: str
) -> None:
    dataset, spoken = toy_dataset(), toy_dataset(3, first_seed=50)
    own = {"steps": 4, "spoken_steps": 4, "batch_size": 8, "noise_std": 0.1, "judge": judge}
    whole, stopped = (new_talking_face(toy_config(), dataset) for _ in range(2))
    train_audio(whole, dataset, toy_training(audio=own), tmp_path / "whole", spoken=spoken)

    def stop(event: TrainingEvent) -> None:
        if event.step == stopped_after + 1:
            raise KeyboardInterrupt

    config = toy_training(audio=own, report_every=1)
    with pytest.raises(KeyboardInterrupt):
        train_audio(stopped, dataset, config, tmp_path / "stopped", stop, spoken=spoken)
    resumed = new_talking_face(toy_config(), dataset)
    train_audio(resumed, dataset, config, tmp_path / "stopped", spoken=spoken)
    assert_same_weights(whole, resumed)


def test_without_speech_its_steps_are_left_out(tmp_path: Path) -> None:
    dataset = toy_dataset()
    models = [new_talking_face(toy_config(), dataset) for _ in range(2)]
    for model, spoken_steps in zip(models, (0, 9), strict=True):
        config = toy_training(audio={"steps": 3, "spoken_steps": spoken_steps})
        train_audio(model, dataset, config, tmp_path / str(spoken_steps))
    assert_same_weights(*models)


def test_events_tell_progress_time_left_and_pictures(tmp_path: Path) -> None:
    dataset = toy_dataset()
    events: list[TrainingEvent] = []
    config = toy_training(report_every=2, validate_every=4, validation_windows=3)
    model = new_talking_face(toy_config(), dataset)
    train_jointly(model, dataset, config, tmp_path, events.append, validation=dataset)
    assert [(e.step, e.n_steps) for e in events] == [(2, 4), (4, 4)]
    assert events[0].seconds_left > 0 == events[-1].seconds_left
    assert events[-1].pictures is not None
    assert events[-1].pictures.shape == (3 * 16, 5 * 16, 3)
    assert events[-1].pictures.dtype == np.uint8
    assert {"mouth_psnr_db", "landmark_error_px"} <= set(events[-1].metrics)


def test_watching_does_not_change_what_is_learnt(tmp_path: Path) -> None:
    dataset = toy_dataset()
    models = []
    for number, every in enumerate((1, 1000)):
        model = new_talking_face(toy_config(), dataset)
        config = toy_training(validate_every=every, report_every=every)
        train_talking_face(model, dataset, config, tmp_path / str(number), validation=dataset)
        models.append(model)
    assert_same_weights(*models)


def test_a_budget_of_time_ends_a_stage_early_with_a_checkpoint(tmp_path: Path) -> None:
    dataset = toy_dataset()
    events: list[TrainingEvent] = []
    config = toy_training(renderer={"steps": 10**6, "batch_size": 1}, max_minutes=1e-9)
    model = new_talking_face(toy_config(), dataset)
    train_renderer(model, dataset, config, tmp_path, events.append)
    assert events[-1].step == 1
    assert len(list(tmp_path.glob("renderer-*/checkpoint.safetensors"))) == 1


def test_random_numbers_of_a_step_depend_on_seed_stage_and_step_alone() -> None:
    def first(seed: int, stage: str, step: int) -> float:
        return torch.rand((), generator=step_generator(seed, stage, step)).item()

    assert first(0, "joint", 5) == first(0, "joint", 5)
    drawn = {first(s, name, n) for s in (0, 1) for name in ("joint", "audio") for n in (0, 1)}
    assert len(drawn) == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"predict": "landmarks"},
        {"renderer": {"width": 4, "depth": 2, "is_full_face": True}},
        {"identity_removal": {"is_used": False}},
    ],
)
def test_ablations_are_settings(tmp_path: Path, changes: dict[str, object]) -> None:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(**changes), dataset)
    events: list[TrainingEvent] = []
    train_talking_face(
        model,
        dataset,
        toy_training(validate_every=4, validation_windows=2),
        tmp_path,
        events.append,
        validation=dataset,
    )
    assert events[-1].stage == "joint"
    assert np.isfinite(list(events[-1].metrics.values())).all()


def test_vgg_without_weights_stops_before_the_first_step(tmp_path: Path) -> None:
    dataset = toy_dataset()
    config = toy_training(perceptual={"backbone": "vgg19"})
    with pytest.raises(ConfigurationError, match=r"perceptual\.weights is not set"):
        train_renderer(new_talking_face(toy_config(), dataset), dataset, config, tmp_path)


def test_the_joint_stage_plays_on_against_the_adversary_of_the_renderer_stage(
    tmp_path: Path,
) -> None:
    config = toy_training(stages=("renderer",))
    model = new_talking_face(toy_config(), toy_dataset())
    train_talking_face(model, toy_dataset(), config, tmp_path)
    kept = load_file(tmp_path / "discriminator_after_renderer.safetensors")
    found = adversary_of(model, config, tmp_path).state_dict()
    assert all(torch.equal(found[key], value) for key, value in kept.items())
    untrained = new_discriminator(model, config).state_dict()
    assert not torch.equal(found["to_scores.weight"], untrained["to_scores.weight"])


def test_an_adversary_of_another_renderer_is_not_taken(tmp_path: Path) -> None:
    config = toy_training(stages=("renderer",))
    trained_model = new_talking_face(toy_config(), toy_dataset())
    train_talking_face(trained_model, toy_dataset(), config, tmp_path)
    other = new_talking_face(toy_config(), toy_dataset(), seed=9)
    found = adversary_of(other, config, tmp_path).state_dict()
    untrained = new_discriminator(other, config).state_dict()
    assert all(torch.equal(found[key], value) for key, value in untrained.items())


def test_stages_one_by_one_equal_stages_in_a_row(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", {"stages": ("renderer", "joint")})
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    for stage in ("renderer", "joint"):
        train_talking_face(model, dataset, toy_training(stages=(stage,)), tmp_path / "parts")
    assert_same_weights(whole, model)


def test_a_refreshed_judge_learns_along_and_resumes_exactly(tmp_path: Path) -> None:
    audio = {"steps": 4, "batch_size": 8, "judge": "refreshed"}
    changes: dict[str, object] = {"stages": ("audio",), "audio": audio, "report_every": 3}
    whole = trained(tmp_path / "whole", changes)
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    with pytest.raises(Stopped):
        train_talking_face(
            model, dataset, toy_training(**changes), tmp_path / "parts", stop_at("audio", 3)
        )
    assert_same_weights(whole, trained(tmp_path / "parts", changes))


def test_hiding_from_a_refreshed_judge_hides_who_speaks(tmp_path: Path) -> None:
    dataset = toy_dataset(8)
    told: dict[float, float] = {}
    for weight in (0.0, 3.0):
        remover = {"n_components": 8, "hidden": 16, "rows_per_step": 20}
        model = new_talking_face(toy_config(identity_removal=remover), dataset)
        config = toy_training(
            audio={"steps": 120, "batch_size": 32, "learning_rate": 3e-2, "judge": "refreshed"},
            losses={"speaker_confusion": weight, "expression": 0.01, "mouth_shape": 0},
            checkpoint_every=1000,
        )
        train_audio(model, dataset, config, tmp_path)
        batch = AudioCorpus.of(dataset).frames(torch.arange(160))
        with torch.no_grad():
            heard = model.without_identity(batch.mfcc)[:, :, -1].mean(dim=1)
        one, other = (heard[batch.speaker == number] for number in (0, 1))
        told[weight] = (abs(one.mean() - other.mean()) / (one.std() + other.std())).item()
    assert told[3.0] < 0.5 * told[0.0]
