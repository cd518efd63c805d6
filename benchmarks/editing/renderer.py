"""The full-size renderer (75 M parameters, 384 px): time of a window, and frames/s.

All ways run in one process in turns, and the least time of each counts. Processor time is taken, so
that what else the machine does falls on all alike; with `--idle` wall time, which needs cores that
do nothing else. The engine's rows are everything from pictures in grey
levels to pictures in grey levels; the other rows are the network alone. Averaged windows give as
many new frames as the stride.
`--engines` adds torch.compile, ONNX Runtime and OpenVINO (pip install onnx onnxruntime openvino).

Run: OMP_NUM_THREADS=1 python benchmarks/editing/renderer.py [--turns 3] [--engines]
or OMP_NUM_THREADS=2 python benchmarks/editing/renderer.py --idle [--engines]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from wav2lip_work import Wav2LipGenerator

from talkin.editing.engine import Engine, EngineConfig, ShownRenderer
from talkin.face3d.loading import load_face_model
from talkin.networks.blocks import lay_channels_last
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.alignment import mask_box

SIZE, N = 384, 7
WAV2LIP = "Wav2Lip generator, fp32, 96 px"


def full_model() -> TalkingFace:
    """The paper's size, untrained."""
    face_model = load_face_model()
    settings = {"n_geometry": face_model.n_geometry, "n_expression": face_model.n_expression}
    torch.manual_seed(0)
    return TalkingFace(TalkingFaceConfig.model_validate(settings), face_model).eval()


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Time of one call."""
    start = clock()
    with torch.inference_mode():
        work()
    return clock() - start


def plain(model: TalkingFace, dtype: torch.dtype, last: bool) -> Callable[[], object]:
    """The whole network on whole pictures."""
    from copy import deepcopy

    network = deepcopy(model.renderer).to(dtype)
    if last:
        lay_channels_last(network)
    frames, maps = torch.rand(1, N, 3, SIZE, SIZE).to(dtype), torch.rand(1, N, 1, SIZE, SIZE)
    return lambda: network(frames, maps.to(dtype))


def exported(model: TalkingFace, box: tuple[int, int, int, int]) -> dict[str, Callable[[], object]]:
    """The network of the shown part, compiled and exported."""
    import onnxruntime
    import openvino

    class AllFrames(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = ShownRenderer(model.renderer, SIZE, box).eval()

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return self.network(pictures, N)

    pictures = torch.rand(1, 4 * N, SIZE, SIZE)
    laid = pictures.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
    torch._inductor.config.freezing = True  # weights laid out once, for the kernels that use them
    compiled = torch.compile(AllFrames().to(torch.bfloat16))
    found: dict[str, Callable[[], object]] = {"torch.compile, bf16": partial(compiled, laid)}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "renderer.onnx")
        torch.onnx.export(AllFrames(), (pictures,), path, dynamo=False, input_names=["x"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options)
        feed = {"x": pictures.numpy()}
        found["ONNX Runtime, fp32"] = partial(session.run, None, feed)
        for kind in ("f32", "bf16"):
            settings = {
                "INFERENCE_PRECISION_HINT": kind,
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "PERFORMANCE_HINT": "LATENCY",
            }
            found[f"OpenVINO, {kind}"] = partial(
                openvino.Core().compile_model(path, "CPU", settings), feed
            )
    return found


def ways_of(model: TalkingFace, has_engines: bool) -> dict[str, tuple[int, Callable[[], object]]]:
    """What is compared: frames that a call gives, and the call."""
    box = mask_box(model.config.crop)
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (N, SIZE, SIZE, 3)).astype(np.uint8)
    points = rng.uniform(100, 300, (N, 39, 2))
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "whole network, fp32": (N, plain(model, torch.float32, False)),
        "whole network, fp32, channels last": (N, plain(model, torch.float32, True)),
        "whole network, bf16, channels last": (N, plain(model, torch.bfloat16, True)),
    }
    for precision in ("float32", "bfloat16"):
        engine = Engine(model, EngineConfig.model_validate({"precision": precision}), box)
        for stride, shown in ((7, 7), (3, 7), (1, 7), (1, 1)):
            how = "averaged" if shown > stride else "last"
            work = partial(engine, crops, points, shown)
            ways[f"engine, {precision}, stride {stride}, {how}"] = stride, work
    if has_engines:
        ways |= {name: (N, work) for name, work in exported(model, box).items()}
    wav2lip = Wav2LipGenerator().eval()
    mel, faces = torch.rand(1, 1, 80, 16), torch.rand(1, 6, 96, 96)
    ways[WAV2LIP] = 1, partial(wav2lip, mel, faces)
    return ways


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", action="store_true")
    parser.add_argument("--idle", action="store_true", help="wall time")
    chosen = parser.parse_args()
    clock = time.perf_counter if chosen.idle else time.process_time
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    ways = ways_of(full_model(), chosen.engines)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(chosen.turns + 1):
        for name, (_, work) in ways.items():
            spent = seconds(work, clock)
            if turn:
                took[name].append(spent)
    print(f"{torch.get_num_threads()} threads, {'wall' if chosen.idle else 'processor'} time")
    print(f"{'way':44}  s a window  frames/s  Mpixel/s")
    for name, (frames, _) in ways.items():
        rate = frames / float(np.min(took[name]))
        side = 96 if name == WAV2LIP else SIZE
        print(f"{name:44}  {frames / rate:10.3f}  {rate:8.2f}  {rate * side**2 / 1e6:8.2f}")


if __name__ == "__main__":
    main()
