"""Eq. 3: expression and mouth shape that the sound shall give; and lips that close where they did.

Squared errors are least for the mean of all mouths that a sound may come with, and the mean of a
shut and an open mouth is open. What a viewer misses first is the closure on p, b and m, so
`lip_closure_loss` asks for it alone. It is not in the paper.
"""

from jaxtyping import Float
from torch import Tensor

_UPPER_OUTER, _LOWER_OUTER = 3, 9  # middles of the outer lip line: iBUG 51 and 57
_UPPER_INNER, _LOWER_INNER = (13, 14, 15), (19, 18, 17)
_SHUT_MM = 0.25  # a true gap up to this is a closure


def expression_loss(
    predicted: Float[Tensor, "*batch expression"], true: Float[Tensor, "*batch expression"]
) -> Float[Tensor, ""]:
    """L_exp = ||e_hat - e||^2 of a frame, mean over frames; in squared standard deviations."""
    return (predicted - true).square().sum(-1).mean()


def mouth_shape_loss(
    predicted: Float[Tensor, "*batch points 2"], true: Float[Tensor, "*batch points 2"]
) -> Float[Tensor, ""]:
    """L_shape = ||l_hat - l||^2 of a frame, mean over frames; in squared crop px."""
    return (predicted - true).square().sum((-2, -1)).mean()


def lip_closure_loss(
    predicted: Float[Tensor, "*batch 39 2"],
    true: Float[Tensor, "*batch 39 2"],
    px_per_mm: Float[Tensor, "*batch"],
) -> Float[Tensor, ""]:
    """Squared excess of the inner lips' gap where the true lips touch, mean over all frames; mm^2.

    Lips that are predicted to press harder than they did cost nothing.

    Args:
        predicted: Mouth landmarks, px.
        true: The same as they were, px.
        px_per_mm: The pose's scale. A turned head foreshortens the gap.
    """
    gap, true_gap = (lip_gap(points) / px_per_mm for points in (predicted, true))
    excess = (gap - true_gap.clamp_min(0)).clamp_min(0)
    return ((true_gap <= _SHUT_MM) * excess.square()).mean()


def lip_gap(points: Float[Tensor, "*batch 39 xy"]) -> Float[Tensor, "*batch"]:
    """Signed gap of the inner lips: negative where they press into each other.

    The three middle pairs of inner-lip points, measured along the line from the lower to the upper
    outer lip, which the lips' own thickness keeps apart. A distance has no sign: lips pressed
    together by 1 mm would count as open by 1 mm, and of exact synthetic speakers only half the
    closures would be seen.

    In px for points of the picture, in mm for points (x, y, z) of the face.
    """
    up = points[..., _UPPER_OUTER, :] - points[..., _LOWER_OUTER, :]
    up = up / up.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    apart = points[..., _UPPER_INNER, :] - points[..., _LOWER_INNER, :]
    return (apart * up.unsqueeze(-2)).sum(-1).mean(-1)
