import pytest
import torch

from talkin.networks.audio_to_expression import AudioToExpression, AudioToExpressionConfig
from talkin.networks.identity_removal import IdentityRemovalConfig, IdentityRemover
from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig, freeze
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
