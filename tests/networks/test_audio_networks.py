import math

import pytest
import torch
from torch.nn import functional

from talkin.losses.identity import judges_loss, speaker_confusion_loss
from talkin.networks.audio_to_expression import AudioToExpression, AudioToExpressionConfig
from talkin.networks.identity_removal import IdentityRemovalConfig, IdentityRemover
from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig, freeze
from talkin.networks.speaker_judges import JudgePanel, StatisticsJudge, WindowJudge
from talkin.networks.standardiser import Standardiser
from talkin.networks.window_encoder import WindowEncoder
from talkin.samples.windows import WindowConfig

N_MFCC = 5


def remover(n_components: int = 3) -> IdentityRemover:
    torch.manual_seed(0)
    config = IdentityRemovalConfig(n_components=n_components, hidden=4, rows_per_step=5)
    return IdentityRemover(N_MFCC, config)


def test_equation_1_agrees_with_explicit_loops() -> None:
    network = remover()
    torch.nn.init.normal_(network.to_weights.weight)
    torch.nn.init.normal_(network.to_weights.bias)
    x = torch.randn(2, 20, N_MFCC)
    found, weights = network(x), network.basis_weights(x)
    for window in range(2):
        w = torch.cat([torch.eye(N_MFCC), torch.zeros(N_MFCC, 1)], dim=1)
        for j in range(3):
            w = w + weights[window, j] * network.basis[j]
        for row in range(20):
            wanted = w @ torch.cat([x[window, row], torch.ones(1)])
            torch.testing.assert_close(found[window, row], wanted)


def test_at_first_the_sound_is_left_as_it_is() -> None:
    x = torch.randn(2, 20, N_MFCC)
    assert torch.equal(remover()(x), x)


def test_a_correction_begins_as_equation_1_and_sees_50_ms_about_a_row() -> None:
    config = IdentityRemovalConfig(n_components=3, hidden=4, rows_per_step=5, correction_channels=8)
    torch.manual_seed(0)
    network, x = IdentityRemover(N_MFCC, config), torch.randn(1, 60, N_MFCC)
    assert torch.equal(network(x), x)
    torch.nn.init.normal_(network.correction.to_rows.weight)  # type: ignore[union-attr, arg-type]
    before = x.clone().requires_grad_()
    # GroupNorm looks at the whole window; what it divides by is left out of the reach here.
    network.correction.layers[1] = torch.nn.Identity()  # type: ignore[union-attr, index]
    network.correction(before)[0, 30].sum().backward()
    assert before.grad is not None
    moved = before.grad[0].abs().sum(1).nonzero().squeeze(1)
    assert (int(moved.min()), int(moved.max())) == (25, 35)


def test_a_panel_is_confused_only_when_each_judge_is() -> None:
    speakers = 4
    panel = JudgePanel(StatisticsJudge(N_MFCC, speakers), WindowJudge(N_MFCC, speakers, 8)).eval()
    logits = panel(torch.randn(6, 40, N_MFCC))
    assert logits.shape == (2, 6, speakers)
    least = math.log(speakers)
    assert speaker_confusion_loss(torch.zeros_like(logits)).item() == pytest.approx(least)
    one_sure = torch.stack([torch.zeros(6, speakers), 5 * torch.eye(speakers)[[0, 1, 2, 3, 0, 1]]])
    assert speaker_confusion_loss(one_sure).item() > least + 0.1


def test_each_judge_of_a_panel_descends_its_own_cross_entropy() -> None:
    logits, speaker = torch.randn(2, 6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    wanted = sum(functional.cross_entropy(one, speaker) for one in logits)
    torch.testing.assert_close(judges_loss(logits, speaker), wanted)
    torch.testing.assert_close(
        judges_loss(logits[0], speaker), functional.cross_entropy(logits[0], speaker)
    )


def test_a_judge_of_windows_hears_what_means_and_deviations_do_not_say() -> None:
    """Two voices of the same statistics, one of which plays every window backwards."""
    torch.manual_seed(0)
    ramp = torch.linspace(-1, 1, 10).repeat(4)[None, :, None] * torch.ones(1, 1, N_MFCC)
    windows = torch.cat([ramp.repeat(32, 1, 1), ramp.flip(1).repeat(32, 1, 1)])
    windows = windows + 0.05 * torch.randn_like(windows)
    speaker = torch.arange(64) // 32
    right = {}
    for name, judge in {
        "window": WindowJudge(N_MFCC, 2, 8),
        "statistics": StatisticsJudge(N_MFCC, 2),
    }.items():
        optimiser = torch.optim.Adam(judge.parameters(), lr=1e-2)
        for _ in range(40):
            optimiser.zero_grad()
            judges_loss(judge(windows), speaker).backward()
            optimiser.step()
        fresh = windows + 0.05 * torch.randn_like(windows)
        right[name] = float((judge.eval()(fresh).argmax(1) == speaker).float().mean())
    assert right["window"] > 0.95
    assert right["statistics"] < 0.8


def test_weights_and_basis_both_learn_from_the_start() -> None:
    network = remover()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    x = torch.randn(4, 20, N_MFCC)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for _ in range(3):
        optimiser.zero_grad()
        (network(x) - 2).square().mean().backward()
        optimiser.step()
    unmoved = [name for name, p in network.named_parameters() if torch.equal(p, before[name])]
    assert unmoved == []


def test_all_rows_of_a_window_are_carried_by_one_matrix() -> None:
    network = remover()
    torch.nn.init.normal_(network.to_weights.weight)
    x = torch.randn(1, 40, N_MFCC)
    y = network(x)
    ones = torch.ones(40, 1)
    fitted = torch.linalg.lstsq(torch.cat([x[0], ones], dim=1), y[0]).solution
    torch.testing.assert_close(torch.cat([x[0], ones], dim=1) @ fitted, y[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("n_outputs", [29, 78])
def test_only_the_last_layer_knows_what_is_predicted(n_outputs: int) -> None:
    config = AudioToExpressionConfig(hidden=6, layers=2)
    network = AudioToExpression(N_MFCC, n_outputs, config)
    assert network(torch.randn(3, 100, N_MFCC)).shape == (3, n_outputs)
    other = AudioToExpression(N_MFCC, 3, config)
    differing = [
        name
        for (name, a), b in zip(
            network.state_dict().items(), other.state_dict().values(), strict=True
        )
        if a.shape != b.shape
    ]
    assert differing == ["to_outputs.weight", "to_outputs.bias"]


def test_convolutions_hear_nothing_beyond_their_reach() -> None:
    torch.manual_seed(0)
    config = AudioToExpressionConfig(encoder="convolution", hidden=8, channels=8, reach_s=0.1)
    network = AudioToExpression(N_MFCC, 3, config, WindowConfig(before_s=0.6, after_s=0.4))
    x = torch.randn(2, 100, N_MFCC)
    far, near = x.clone(), x.clone()
    far[:, :50] += 1
    far[:, 71:] += 1
    near[:, 70] += 1
    assert torch.equal(network(far), network(x))
    assert not torch.equal(network(near), network(x))


def test_convolutions_answer_a_window_alike_whoever_else_is_in_the_batch() -> None:
    torch.manual_seed(0)
    config = AudioToExpressionConfig(encoder="convolution", hidden=8, channels=8)
    network = AudioToExpression(N_MFCC, 3, config).train()
    x = torch.randn(5, 100, N_MFCC)
    torch.testing.assert_close(network(x)[:1], network(x[:1]))


def test_rows_that_do_not_fill_a_step_are_completed_by_the_first_one() -> None:
    encoder = WindowEncoder(N_MFCC, 4, rows_per_step=4)
    x = torch.randn(2, 10, N_MFCC)
    completed = torch.cat([x[:, :1], x[:, :1], x], dim=1)
    assert torch.equal(encoder(x), encoder(completed))


@pytest.mark.parametrize("n_mfcc", [13, 28, 40])
def test_the_judge_answers_for_any_number_of_coefficients(n_mfcc: int) -> None:
    judge = freeze(SpeakerClassifier(n_mfcc, 11, SpeakerClassifierConfig(width=3)))
    x = torch.randn(2, 100, n_mfcc, requires_grad=True)
    logits = judge(x)
    assert logits.shape == (2, 11)
    logits.sum().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    assert all(p.grad is None for p in judge.parameters())


def test_a_frozen_judge_keeps_its_statistics() -> None:
    judge = freeze(SpeakerClassifier(13, 2, SpeakerClassifierConfig(width=3)))
    before = {key: value.clone() for key, value in judge.state_dict().items()}
    judge(torch.randn(4, 100, 13))
    assert all(torch.equal(value, before[key]) for key, value in judge.state_dict().items())


def test_standardised_and_restored_are_inverses_with_unit_deviation() -> None:
    values = torch.randn(500, 3) * torch.tensor([1.0, 5.0, 0.0]) + 7
    scale = Standardiser(3)
    scale.fit(values)
    standardised = scale.standardised(values)
    torch.testing.assert_close(standardised.std(0, correction=0)[:2], torch.ones(2))
    torch.testing.assert_close(scale.restored(standardised), values)
    assert standardised[:, 2].abs().max() == 0
