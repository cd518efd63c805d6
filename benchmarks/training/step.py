"""Milliseconds of one training step by size of crop and renderer, and where they go.

    python benchmarks/training/step.py                      # candidate sizes on the CPU
    python benchmarks/training/step.py --sizes 384x7x64 --device cuda --precision bf16

A size is <crop px>x<depth>x<width>. Data are random; decoding is not counted. The parts are timed
apart, so their sum differs a little from the whole step.
"""

import argparse
import time
from collections.abc import Callable

import torch

from talkin.losses.adversarial import gradient_penalty
from talkin.losses.perceptual import perceptual_loss
from talkin.networks.blocks import lay_channels_last
from talkin.networks.discriminator import Discriminator, DiscriminatorConfig
from talkin.networks.perceptual import PerceptualConfig, PerceptualFeatures
from talkin.networks.renderer import Renderer, RendererConfig
from talkin.networks.size import count_parameters
from talkin.samples.heatmaps import landmark_heatmap

CPU_SIZES = ("96x5x16", "96x5x24", "96x5x32", "128x5x16", "128x5x24")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=list(CPU_SIZES))
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--perceptual-frames", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.device}, {options.threads} threads, batch {options.batch}, ms a step")
    names = ("M param.", "heatmap", "renderer", "+filters", "judge", "penalty")
    print(" ".join([f"{'size':>10}", *(f"{name:>8}" for name in names)]))
    for size in options.sizes:
        parts = measure(size, options)
        times = " ".join(f"{value:8.1f}" for value in parts.values())
        print(f"{size:>10} {times}", flush=True)


def measure(size: str, options: argparse.Namespace) -> dict[str, float]:
    """Times of the parts of one size, ms."""
    px, depth, width = (int(value) for value in size.split("x"))
    device, batch = torch.device(options.device), options.batch
    renderer = Renderer(7, RendererConfig(width=width, depth=depth)).to(device)
    judge = Discriminator(7, DiscriminatorConfig(width=width, depth=depth)).to(device)
    for network in (renderer, judge):
        lay_channels_last(network)
    features = PerceptualFeatures(PerceptualConfig(backbone="filters")).to(device)
    frames = torch.rand(batch, 7, 3, px, px, device=device) * 2 - 1
    points = torch.rand(batch, 7, 39, 2, device=device) * px
    heatmaps = landmark_heatmap(points, px, 0.01 * px)
    mix = torch.rand(batch, device=device)

    def painted() -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
            return renderer(frames, heatmaps).float()

    def compared() -> None:
        generated = painted()
        seen = slice(0, options.perceptual_frames)
        value = perceptual_loss(
            features, generated[:, seen].flatten(0, 1), frames[:, seen].flatten(0, 1)
        )
        (value + (generated - frames).abs().mean()).backward()

    def judged() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bf16"):
            scores = judge(frames).square().mean() + judge(frames).square().mean()
        scores.backward()

    timed = {
        "heatmap": lambda: landmark_heatmap(points, px, 0.01 * px),
        "renderer": lambda: (painted() - frames).abs().mean().backward(),
        "filters": compared,
        "discriminator": judged,
        "penalty": lambda: gradient_penalty(judge, frames, frames.flip(0), mix).backward(),
    }
    return {
        "parameters": count_parameters(renderer) / 1e6,
        **{name: milliseconds(run, device, options.repeats) for name, run in timed.items()},
    }


def milliseconds(run: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Least time of a call after one to warm up.

    On one CPU thread it is the processor's time, which other programs disturb little.
    """
    clock = time.process_time if is_alone(device) else time.perf_counter
    times = []
    for repeat in range(repeats + 1):
        began = clock()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if repeat:
            times.append(clock() - began)
    return 1000 * min(times)


def is_alone(device: torch.device) -> bool:
    """Whether a step runs on a single CPU thread."""
    return device.type == "cpu" and torch.get_num_threads() == 1


if __name__ == "__main__":
    main()
