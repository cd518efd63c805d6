"""Parameter counts of a configuration's networks, without the memory to hold them."""

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from talkin.networks.talking_face_config import TalkingFaceConfig


def count_parameters(module: nn.Module) -> int:
    """Number of trained values of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def network_sizes(config: "TalkingFaceConfig | None" = None) -> dict[str, int]:
    """Parameters of each network of a configuration (the paper's if None)."""
    import torch

    from talkin.networks.audio_to_expression import AudioToExpression
    from talkin.networks.discriminator import Discriminator, DiscriminatorConfig
    from talkin.networks.identity_removal import IdentityRemover
    from talkin.networks.renderer import Renderer
    from talkin.networks.talking_face_config import TalkingFaceConfig

    config = config or TalkingFaceConfig()
    n_mfcc = config.mfcc.n_columns
    judge = DiscriminatorConfig(width=config.renderer.width, depth=config.renderer.depth)
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "identity_removal": IdentityRemover(n_mfcc, config.identity_removal),
            "audio_to_expression": AudioToExpression(
                n_mfcc, config.n_audio_outputs, config.audio_to_expression, config.window
            ),
            "renderer": Renderer(config.frames, config.renderer),
            "discriminator": Discriminator(config.frames, judge),
        }
    return {name: count_parameters(network) for name, network in networks.items()}
