import math

import pytest
import torch

from talkin.samples.heatmaps import landmark_heatmap


def test_a_lone_landmark_is_a_gaussian_of_height_one() -> None:
    heatmap = landmark_heatmap(torch.tensor([[[10.0, 20.0]]]), size=32, sigma=2.0)[0, 0]
    assert heatmap.argmax() == 20 * 32 + 10
    assert heatmap[20, 10].item() == pytest.approx(1.0, abs=2e-4)
    assert heatmap[20, 12].item() == pytest.approx(math.exp(-0.5), abs=2e-4)


def test_bumps_are_joined_by_the_root_of_their_summed_squares() -> None:
    points = torch.tensor([[3.0, 4.5], [6.2, 5.0], [20.0, -2.0]])
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    bumps = [torch.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 1.5**2)) for px, py in points]
    wanted = torch.stack(bumps).square().sum(0).sqrt()
    found = landmark_heatmap(points, size=16, sigma=1.5)[0]
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=0)


def test_leading_axes_are_kept() -> None:
    assert landmark_heatmap(torch.zeros(2, 7, 39, 2), 24, 1.0).shape == (2, 7, 1, 24, 24)


def test_descent_on_a_heatmap_draws_its_landmark_to_the_goal() -> None:
    goal = landmark_heatmap(torch.tensor([[9.0, 7.0]]), 16, 2.0)
    point = torch.tensor([[7.0, 8.5]], requires_grad=True)
    for _ in range(200):
        loss = (landmark_heatmap(point, 16, 2.0) - goal).square().sum()
        (slope,) = torch.autograd.grad(loss, point)
        point = (point - 0.1 * slope).detach().requires_grad_(True)
    torch.testing.assert_close(point.detach(), torch.tensor([[9.0, 7.0]]), atol=0.05, rtol=0)


def test_landmarks_far_outside_leave_no_trace_and_no_nan() -> None:
    points = torch.full((3, 2), 1e5, requires_grad=True)
    heatmap = landmark_heatmap(points, 8, 1.0)
    heatmap.sum().backward()
    assert heatmap.abs().max() < 1e-9
    assert points.grad is not None
    assert points.grad.abs().max() == 0
