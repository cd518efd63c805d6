import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from talkin.evaluation.articulation import lip_gap
from talkin.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty
from talkin.losses.identity import speaker_confusion_loss
from talkin.losses.objective import LossWeights, weighted_sum
from talkin.losses.perceptual import perceptual_loss
from talkin.losses.picture import (
    edge_loss,
    pixel_weights,
    reconstruction_loss,
    total_variation_loss,
)
from talkin.losses.translation import expression_loss, lip_closure_loss, mouth_shape_loss


@pytest.mark.parametrize("n_speakers", [2, 7, 1251])
def test_a_judge_who_cannot_tell_gives_the_log_of_the_number_of_speakers(n_speakers: int) -> None:
    value = speaker_confusion_loss(torch.full((3, n_speakers), 2.5))
    assert value.item() == pytest.approx(math.log(n_speakers), rel=1e-6)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=9))
def test_no_judgement_lies_under_the_log_of_the_number_of_speakers(logits: list[float]) -> None:
    value = speaker_confusion_loss(torch.tensor([logits], dtype=torch.float64))
    assert value.item() >= math.log(len(logits)) - 1e-9


def test_confusion_is_the_mean_negative_log_probability() -> None:
    value = speaker_confusion_loss(torch.tensor([[0.9, 0.1]]).log())
    assert value.item() == pytest.approx(-(math.log(0.9) + math.log(0.1)) / 2, rel=1e-5)


def test_expression_and_shape_terms_are_squared_norms_of_a_frame() -> None:
    predicted = torch.tensor([[[1.0, 2.0], [0.0, 0.0]]])
    true = torch.tensor([[[0.0, 0.0], [0.0, 3.0]]])
    assert expression_loss(predicted, true).item() == pytest.approx((5 + 9) / 2)
    points = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]])
    assert mouth_shape_loss(points, torch.zeros(1, 2, 2)).item() == pytest.approx(25 + 1)


def lips(gap_px: float) -> torch.Tensor:
    """Mouth landmarks whose outer lips are 20 px apart and whose inner lips are by a gap."""
    points = torch.zeros(39, 2)
    points[3, 1], points[9, 1] = -10, 10
    points[[13, 14, 15], 1], points[[17, 18, 19], 1] = -gap_px / 2, gap_px / 2
    return points


@pytest.mark.parametrize(
    ("gap", "true_gap", "wanted"),
    [(6.0, -2.0, 9.0), (6.0, 0.4, (3 - 0.2) ** 2), (-4.0, -2.0, 0.0), (6.0, 2.0, 0.0)],
)
def test_only_an_open_mouth_where_lips_met_costs_its_gap_in_mm(
    gap: float, true_gap: float, wanted: float
) -> None:
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])  # a tilted head changes nothing
    value = lip_closure_loss(lips(gap) @ turn, lips(true_gap) @ turn, torch.tensor(2.0))
    assert value.item() == pytest.approx(wanted, abs=1e-5)


def test_the_closure_that_is_learnt_is_the_one_that_is_scored() -> None:
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 39, 2)))
    shut = torch.stack([lips(-1.0)] * 4).double()
    value = lip_closure_loss(points, shut, torch.ones(4))
    wanted = np.mean(np.maximum(lip_gap(points.numpy()), 0) ** 2)
    assert value.item() == pytest.approx(wanted, rel=1e-9)


def test_reconstruction_is_the_mean_absolute_difference() -> None:
    generated = torch.zeros(1, 3, 2, 2)
    true = torch.zeros(1, 3, 2, 2)
    true[..., 0, 0] = 1.0
    assert reconstruction_loss(generated, true).item() == pytest.approx(0.25)


def test_a_pixel_of_weight_four_counts_four_times() -> None:
    true = torch.zeros(1, 3, 2, 2)
    true[..., 0, 0] = 1.0
    weights = torch.ones(1, 1, 2, 2)
    weights[..., 0, 0] = 4.0
    value = reconstruction_loss(torch.zeros_like(true), true, weights)
    assert value.item() == pytest.approx(4 / (4 + 3))
    even = reconstruction_loss(torch.ones_like(true), true * 0, weights)
    assert even.item() == pytest.approx(1.0)


def test_pixels_count_once_outside_the_mask_more_inside_and_most_at_the_lips() -> None:
    landmarks = torch.full((1, 2, 39, 2), 40.0)
    landmarks[:, :, 20:] = 60.0  # cheeks and jaw, which earn no more than the mask
    weights = pixel_weights(landmarks, 64, (16, 24, 64, 64), box_weight=3.0, lip_weight=20.0)
    assert weights.shape == (1, 2, 1, 64, 64)
    assert weights[0, 0, 0, 0, 0].item() == pytest.approx(1.0)
    assert weights[0, 0, 0, 60, 60].item() == pytest.approx(3.0, abs=1e-3)
    assert weights[0, 1, 0, 40, 40].item() == pytest.approx(20.0, abs=0.1)


def test_edges_do_not_ask_for_brightness_but_for_borders_in_their_place() -> None:
    left, right = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    left[..., 1:], right[..., 2:] = 1, 1
    assert edge_loss(left + 0.5, left).item() == pytest.approx(0, abs=1e-6)
    assert edge_loss(left, right).item() == pytest.approx(2 / 3)  # 2 of 3 steps across are wrong


def test_edges_count_by_the_weight_of_their_pixels() -> None:
    left, right = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    left[..., 1:], right[..., 2:] = 1, 1
    weights = torch.ones(1, 1, 4, 4)
    weights[..., 1:3] = 5  # the two columns where the borders are
    assert edge_loss(left, right, weights).item() == pytest.approx(4 * 10 / (4 * 12))


def test_total_variation_of_a_ramp_is_its_slope_and_of_a_plain_picture_zero() -> None:
    ramp = torch.arange(5.0).mul(0.5).expand(1, 3, 4, 5)
    assert total_variation_loss(ramp).item() == pytest.approx(0.5)
    assert total_variation_loss(torch.ones(2, 3, 4, 4)).item() == 0


def test_least_squares_game_by_hand() -> None:
    real, fake = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 2.0])
    assert generator_loss(fake).item() == pytest.approx((1 + 1) / 2 / 2)
    assert discriminator_loss(real, fake).item() == pytest.approx((0.25 / 2 + 4 / 2) / 2)
    assert discriminator_loss(torch.ones(4), torch.zeros(4)).item() == 0


def test_gradient_penalty_of_a_linear_judge_is_its_distance_from_slope_one() -> None:
    weights = torch.full((3, 2, 2), 0.5)  # norm sqrt(12 / 4)
    real, fake = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
    value = gradient_penalty(lambda x: (x * weights).sum((1, 2, 3)), real, fake, mix=torch.rand(4))
    assert value.item() == pytest.approx((math.sqrt(3) - 1) ** 2, rel=1e-5)


def test_gradient_penalty_is_taken_between_footage_and_generated() -> None:
    seen = []

    def judge(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.square().sum(1) / 2

    real, fake = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    value = gradient_penalty(judge, real, fake, mix=torch.tensor([0.25]))
    torch.testing.assert_close(seen[0], torch.tensor([[1.0, 3.0]]))
    assert value.item() == pytest.approx((math.sqrt(10) - 1) ** 2, rel=1e-5)


def test_gradient_penalty_teaches_the_judge_and_not_the_generator() -> None:
    weight = torch.tensor([2.0], requires_grad=True)
    fake = torch.zeros(1, 1, requires_grad=True)
    gradient_penalty(lambda x: x * weight, torch.ones(1, 1), fake, torch.rand(1)).backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(2 * (2 - 1))
    assert fake.grad is None


def test_perceptual_loss_sums_the_mean_differences_of_all_maps() -> None:
    value = perceptual_loss(
        lambda x: [x, 2 * x[..., ::2, ::2]], torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    )
    assert value.item() == pytest.approx(1 + 2)


def test_a_term_of_weight_zero_cannot_reach_the_sum_even_as_nan() -> None:
    terms = {"expression": torch.tensor(2.0), "perceptual": torch.tensor(float("nan"))}
    weights = LossWeights(expression=3.0, perceptual=0.0)
    assert weighted_sum(terms, weights).item() == pytest.approx(6.0)


def test_nothing_to_learn_is_an_error() -> None:
    with pytest.raises(ValueError, match="all of the loss weights expression are 0"):
        weighted_sum({"expression": torch.tensor(1.0)}, LossWeights(expression=0))
