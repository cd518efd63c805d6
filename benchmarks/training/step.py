"""A step of a picture stage: its time in every way to run it, its parts, and the data's rate.

    python benchmarks/training/step.py --project . --env demo           # this CPU, the demo's size
    python benchmarks/training/step.py --env base --device cuda         # one command on a GPU
    torchrun --nproc-per-node 2 benchmarks/training/step.py --env base --device cuda --ways compiled

Settings are those of the environment; the stage is the real one with its loop, Adam and adversary.
A project's own prepared clips are read where it has any, else clips of noise, made in memory at the
crop's size. Floating-point operations are counted (convolutions and matrix products, forward and
backward; the gradient penalty's are left out) and divided by the rate of a large matrix product on
the same device in the same precision; `--peak` sets the data sheet's figure beside it. `plain` is
full float32: cuDNN's TF32, which torch uses unless told otherwise, counts from `tf32` on (on a GPU
alone). On one CPU thread times are the processor's, which other programs disturb little.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from clocks import Timed, run_of
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from noise_clips import noise_clip
from torch.utils.flop_counter import FlopCounterMode

from pipelines.training.corpus import dataset_of_split
from pipelines.variants.plan import laid_over
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.networks.size import count_parameters
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import TalkingDataset
from talkin.training.config import TrainingConfig
from talkin.training.joint import JointStage
from talkin.training.parallel import process_group, this_share
from talkin.training.picture_stage import PictureStage
from talkin.training.renderer import RendererStage
from talkin.training.whole import new_talking_face

WAYS: dict[str, dict[str, Any]] = {
    "plain": {"precision": "fp32", "channels_last": False, "is_compiled": False},
    "tf32": {"precision": "fp32", "channels_last": False, "is_compiled": False},
    "channels_last": {"precision": "fp32", "channels_last": True, "is_compiled": False},
    "bf16_planes": {"precision": "bf16", "channels_last": False, "is_compiled": False},
    "bf16": {"precision": "bf16", "channels_last": True, "is_compiled": False},
    "compiled": {"precision": "bf16", "channels_last": True, "is_compiled": True},
}


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="demo")
    parser.add_argument("--stage", choices=["renderer", "joint"], default="renderer")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, help="windows a step, if not as configured")
    parser.add_argument("--vgg19", type=Path, help="its weights; else the filter bank")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--turns", type=int, default=3, help="rounds over the ways on one CPU")
    parser.add_argument("--peak", type=float, help="TFLOP/s of the data sheet, dense bf16")
    options = parser.parse_args()
    if not options.ways:  # compiling takes a compiler on a CPU, TF32 a GPU
        left_out = {"compiled", "tf32"} if options.device == "cpu" else {"bf16_planes"}
        options.ways = [way for way in WAYS if way not in left_out]
    torch.set_num_threads(options.threads)
    with process_group() as share:
        bench = Bench(options)
        told = print if share.is_first else _silent
        told(bench.described())
        runs = bench.runs()
        for line in [*rates(bench, runs), "", *parts(runs)]:
            told(line)
        if share.is_first:
            told("\n" + bench.reading())


class Bench:
    """Data, shape and settings that all ways share."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Read the environment and its clips, or make some up."""
        os.chdir(options.project)  # the catalog's paths are relative
        loader = OmegaConfigLoader("conf", base_env="base", default_run_env=options.env)
        loader.merge_strategy["parameters"] = "soft"
        parameters = dict(loader["parameters"])
        self.options, self.device = options, torch.device(options.device)
        prepare = parameters["preprocess"]
        self.face_model = load_face_model(FaceModelConfig.model_validate(prepare["face_model"]))
        prepared = {"crop": prepare["crop"], "mfcc": prepare["mfcc"]}
        self.shape = TalkingFaceConfig.model_validate(
            {**parameters["training"]["model"], **prepared}
        )
        own = {"batch_size": options.batch} if options.batch else {}
        backbone: dict[str, Any] = {"backbone": "filters"}
        if options.vgg19:
            backbone = {"backbone": "vgg19", "weights": options.vgg19}
        self.settings = laid_over(
            parameters["training"]["train"],
            {
                "device": options.device,
                "threads": options.threads,
                "renderer": own,
                "joint": own,
                "perceptual": backbone,
            },
        )
        self.data, self.source = self._data(DataCatalog.from_config(loader["catalog"]))
        settings = self.settings
        self.flops = self._counted()
        self.settings = settings

    def runs(self) -> dict[str, Timed]:
        """Every way's steps: by turns on a CPU, one after another on a GPU (its memory counts)."""
        found: dict[str, Timed] = {}
        for way in self.options.ways:
            found[way] = Timed(self.stage(way), self.config(way), is_whole=way == "plain")
            if self.device.type == "cuda":
                found[way].go(self.options.steps * self.options.turns)
                found[way].release()
        for _ in range(self.options.turns if self.device.type == "cpu" else 0):
            for run in found.values():
                run.go(self.options.steps)
        return found

    def stage(self, way: str) -> PictureStage:
        """The stage in one of the ways, on a new model."""
        model = new_talking_face(self.shape, self.data)
        config = self.config(way)
        if self.options.stage == "joint":
            return JointStage(model, None, self.data, None, config)
        return RendererStage(model, self.data, None, config)

    def config(self, way: str) -> TrainingConfig:
        """All settings."""
        return TrainingConfig.model_validate(laid_over(self.settings, WAYS[way]))

    def described(self) -> str:
        """What is measured, on what."""
        name = (
            torch.cuda.get_device_name(self.device)
            if self.device.type == "cuda"
            else f"{self.options.threads} CPU thread(s)"
        )
        model = new_talking_face(self.shape, self.data)
        return (
            f"{self.options.env}, {self.options.stage} stage on {name}: crop "
            f"{self.shape.crop.size_px} px, windows of {self.shape.frames}, renderer "
            f"{count_parameters(model.renderer) / 1e6:.2f} M parameters, {self.flops / 1e9:.1f} "
            f"GFLOP a step; clips {self.source}; {this_share().size} process(es)"
        )

    def reading(self) -> str:
        """Windows a second that the loader gives by itself."""
        n = self.stage("plain").batch_size
        firsts = np.unique(self.data.index[:, 0], return_index=True)[1]
        self.data.batch(firsts, (0, 0))  # files opened, crops that fit in memory decoded
        began, clock, read = time.process_time(), time.perf_counter(), 0
        while time.perf_counter() - clock < 2.0:
            numbers = np.random.default_rng(read).integers(len(self.data), size=n)
            self.data.batch(numbers, (0, read))
            read += n
        spent = time.process_time() - began
        return f"reading alone: {read / spent:.0f} windows a processor second, {self.source}"

    def _counted(self) -> float:
        self.settings = laid_over(self.settings, {"losses": {"gradient_penalty": 0.0}})
        stage, config = self.stage("plain"), self.config("plain")
        with FlopCounterMode(display=False) as counter:  # it cannot count what is derived twice
            run_of(stage, config).step(0)
        stage.end()
        return float(counter.get_total_flops())

    def _data(self, catalog: DataCatalog) -> tuple[TalkingDataset, str]:
        if Path("data/05_model_input/training_index.parquet").exists():
            names = ("training_index", "face_parameters", "mfcc", "crops")
            sources = [catalog.load(name) for name in names]
            found = dataset_of_split("train", *sources, self.face_model, self.shape)
            assert found is not None
            return found, "of the project"
        clips = [noise_clip(seed, self.shape, self.face_model) for seed in range(4)]
        return TalkingDataset(clips, self.face_model, self.shape.dataset), "of noise, in memory"


def rates(bench: Bench, runs: dict[str, Timed]) -> list[str]:
    """Time, rate and share of the peak in every way; a GPU's clocks stop it between parts."""
    lines = [f"{'way':15} {'first s':>8} {'ms':>8} {'steps/s':>8} {'TFLOP/s':>8} "
             f"{'of product':>10} {'of sheet':>9} {'GB':>6}"]  # fmt: skip
    for way, run in runs.items():
        spent = float(np.median(run.steps))
        rate = bench.flops / spent / 1e12
        dtype = torch.bfloat16 if run.precision == "bf16" else torch.float32
        torch.backends.cuda.matmul.allow_tf32 = way != "plain"
        torch.backends.cuda.matmul.allow_tf32 = way != "plain"
        product = matrix_rate(bench.device, dtype)
        sheet = f"{rate / bench.options.peak:9.1%}" if bench.options.peak else f"{'':>9}"
        lines.append(
            f"{way:15} {run.first_s:8.1f} {1000 * spent:8.1f} {1 / spent:8.2f} {rate:8.3f} "
            f"{rate / product:10.1%} {sheet} {run.memory:6.1f}"
        )
    return lines


def parts(runs: dict[str, Timed]) -> list[str]:
    """Mean ms of each part of a step."""
    names = ["reading", "guide", "painting", "losses", "judging", "backward", "Adam", "rest"]
    lines = [f"{'ms a step':15} " + " ".join(f"{name:>9}" for name in names)]
    for way, run in runs.items():
        n = len(run.steps)
        mean = {part: 1000 * sum(times) / n for part, times in run.parts.items()}
        mean["backward"] = mean.pop("descent") - mean["Adam"]
        mean["rest"] = 1000 * sum(run.steps) / n - sum(mean.values())
        lines.append(f"{way:15} " + " ".join(f"{mean[name]:9.1f}" for name in names))
    return lines


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """TFLOP/s of a large matrix product, the best of some: what the device gives at most."""
    n = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if alone else time.perf_counter
    for _ in range(10):
        began = clock()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, clock() - began)
    return 2 * n**3 / best / 1e12


def _silent(line: str) -> None:
    del line


if __name__ == "__main__":
    main()
