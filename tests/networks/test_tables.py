"""Tables 7 and 8."""

import pytest
import torch
from torch import nn

from talkin.networks.blocks import block_channels, encode
from talkin.networks.discriminator import Discriminator, DiscriminatorConfig
from talkin.networks.renderer import Renderer, RendererConfig
from talkin.networks.size import count_parameters, network_sizes

TABLE_7_ENCODER = [(64, 192), (128, 96), (256, 48), (512, 24), (512, 12), (512, 6), (512, 3)]
TABLE_7_DECODER = [(512, 6), (512, 12), (512, 24), (256, 48), (128, 96), (64, 192), (21, 384)]


def paper_renderer(config: RendererConfig | None = None) -> Renderer:
    with torch.device("meta"):
        return Renderer(7, config or RendererConfig())


def sizes_of(blocks: nn.ModuleList, run: object) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    hooks = [
        block.register_forward_hook(lambda _m, _i, out: seen.append((out.shape[1], out.shape[2])))
        for block in blocks
    ]
    run()  # type: ignore[operator]
    for hook in hooks:
        hook.remove()
    return seen


def test_the_papers_renderer_has_75_million_parameters() -> None:
    assert count_parameters(paper_renderer()) == 75_043_604
    assert network_sizes()["renderer"] == 75_043_604


def test_resolutions_and_channels_are_those_of_table_7() -> None:
    renderer = paper_renderer()
    frames = torch.zeros(1, 7, 3, 384, 384, device="meta")
    heatmaps = torch.zeros(1, 7, 1, 384, 384, device="meta")
    run = lambda: renderer(frames, heatmaps)  # noqa: E731
    assert sizes_of(renderer.encoder, run) == TABLE_7_ENCODER
    assert sizes_of(renderer.decoder, run) == TABLE_7_DECODER
    assert renderer(frames, heatmaps).shape == (1, 7, 3, 384, 384)


def test_activations_are_those_of_table_7() -> None:
    renderer = paper_renderer()
    encoder = [type(block[1]) for block in renderer.encoder]
    assert encoder == [nn.LeakyReLU] * 5 + [nn.ReLU] * 2
    assert {block[1].negative_slope for block in renderer.encoder[:5]} == {0.2}
    decoder = [type(block[2]) for block in renderer.decoder]
    assert decoder == [nn.ReLU] * 6 + [nn.Identity]


def test_the_discriminator_is_that_of_table_8() -> None:
    with torch.device("meta"):
        discriminator = Discriminator(7, DiscriminatorConfig())
    frames = torch.zeros(2, 7, 3, 384, 384, device="meta")
    assert sizes_of(discriminator.encoder, lambda: discriminator(frames)) == TABLE_7_ENCODER
    assert discriminator.encoder[0][0].in_channels == 21
    assert (discriminator.to_scores.in_features, discriminator.to_scores.out_features) == (512, 7)
    assert discriminator(frames).shape == (2, 7)


def test_the_full_face_variant_never_sees_the_last_frame_and_gives_it_alone() -> None:
    renderer = Renderer(7, RendererConfig(width=4, depth=2, is_full_face=True))
    assert renderer.encoder[0][0].in_channels == 24
    frames, heatmaps = torch.rand(1, 7, 3, 8, 8), torch.rand(1, 7, 1, 8, 8)
    before = renderer(frames, heatmaps)
    frames[:, 6], heatmaps[:, 6] = 0, 0
    assert before.shape == (1, 1, 3, 8, 8)
    assert torch.equal(renderer(frames, heatmaps), before)


@pytest.mark.parametrize(("width", "depth", "size"), [(4, 2, 12), (6, 3, 16)])
def test_smaller_renderers_keep_the_resolution_and_every_weight_learns(
    width: int, depth: int, size: int
) -> None:
    torch.manual_seed(0)
    renderer = Renderer(7, RendererConfig(width=width, depth=depth))
    out = renderer(torch.randn(2, 7, 3, size, size), torch.rand(2, 7, 1, size, size))
    assert out.shape == (2, 7, 3, size, size)
    assert out.abs().max() <= 1
    out.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in renderer.parameters())


def test_width_64_and_depth_7_double_up_to_512() -> None:
    assert block_channels(64, 7) == [64, 128, 256, 512, 512, 512, 512]


def test_channels_last_changes_the_order_in_memory_and_not_the_result() -> None:
    from talkin.networks.blocks import lay_channels_last

    torch.manual_seed(1)
    renderer = Renderer(7, RendererConfig(width=4, depth=2))
    frames, heatmaps = torch.randn(1, 7, 3, 8, 8), torch.rand(1, 7, 1, 8, 8)
    before = renderer(frames, heatmaps)
    lay_channels_last(renderer)
    assert renderer.encoder[1][0].weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(renderer(frames, heatmaps), before)


def test_decoder_blocks_read_the_map_of_their_own_resolution() -> None:
    torch.manual_seed(0)
    renderer = Renderer(2, RendererConfig(width=4, depth=3))
    maps = encode(renderer.encoder, torch.randn(1, 8, 16, 16))
    assert [m.shape[2] for m in maps] == [8, 4, 2]
    assert [b[0].in_channels for b in renderer.decoder] == [16, 8 + 8, 4 + 4]
