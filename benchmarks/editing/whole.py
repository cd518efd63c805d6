"""A whole edit of a real clip: frames/s of everything, or of everything but the renderer.

All is what a user's edit does: decoding, following the face with the default detector, fitting,
planning with networks for sound of the paper's size, crop, deflicker, mask, composite, encoding,
joining and signing; loading the networks is not counted. The renderer has the paper's size (75
million parameters, 384 px, random weights), or with `--free` gives back the crops that it was
shown, at no cost. `--mouth warp` lets the footage draw the mouths instead.

Run on idle cores: python benchmarks/editing/whole.py CLIP [--free] [--mouth warp] [--seconds 8]
[--stride 7] [--threads 2] [--profile]
"""

import argparse
import cProfile
import pstats
import resource
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch

from talkin.editing.edit_clip import EditConfig, edit_clip
from talkin.editing.report import EditReport
from talkin.face3d.loading import load_face_model
from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.detection import load_detector
from talkin.footage.video import probe_video
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig


def networks(has_renderer: bool) -> TalkingFace:
    """The paper's size; the renderer as small as can be where it is never run."""
    face_model = load_face_model()
    settings: dict[str, object] = {
        "n_geometry": face_model.n_geometry,
        "n_expression": face_model.n_expression,
    }
    if not has_renderer:
        settings["renderer"] = {"width": 4, "depth": 2}
    torch.manual_seed(0)
    return TalkingFace(TalkingFaceConfig.model_validate(settings), face_model).eval()


def unchanged(crops: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A renderer that costs nothing."""
    return crops.astype(np.float32)


def processor_s() -> float:
    """Processor time of all threads so far, s."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def edit(
    clip: Path, seconds: float, folder: Path, stride: int, source: str, is_free: bool
) -> EditReport:
    """Let the clip speak the sound that it has, repeated to the wanted length."""
    sound = read_audio(clip, 16_000)
    wanted = round(seconds * 16_000)
    write_wav(folder / "speech.wav", Audio(np.resize(sound.samples, wanted), 16_000))
    model = networks(not is_free)
    detector = load_detector()
    painting = {"windowing": {"stride": stride}, "mouth": {"source": source}}
    config = EditConfig.model_validate({"painting": painting})
    start, spent = time.perf_counter(), processor_s()
    free = patch("talkin.editing.mouth_source.engine_of", lambda *_: unchanged)
    with free if is_free else nullcontext():
        report = edit_clip(
            clip, folder / "speech.wav", folder / "edited.mp4", model, model.face_model, detector,
            config,
        )  # fmt: skip
    took, spent = time.perf_counter() - start, processor_s() - spent
    print(
        f"{report.n_frames} frames in {took:.2f} s: {report.n_frames / took:.1f} frames/s; "
        f"processor {spent:.2f} s, {1000 * spent / report.n_frames:.1f} ms a frame"
    )
    return report


def main() -> None:
    """Print the rate, and each stage's milliseconds a frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, help="of the edit; else the clip's own length")
    parser.add_argument("--free", action="store_true", help="a renderer that costs nothing")
    parser.add_argument("--mouth", choices=["network", "warp", "auto"], default="network")
    parser.add_argument("--stride", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--profile", action="store_true", help="the dearest calls of each thread")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(chosen.threads)
    info = probe_video(chosen.clip)
    print(f"{chosen.clip.name}: {info.width} x {info.height}, {info.fps:.2f} frames/s")
    profiles: list[cProfile.Profile] = []
    if chosen.profile:
        run = threading.Thread.run

        def profiled(thread: threading.Thread) -> None:
            profiles.append(cProfile.Profile())
            profiles[-1].runcall(run, thread)

        threading.Thread.run = profiled  # type: ignore[method-assign, assignment]
        profiles.append(cProfile.Profile())
        profiles[0].enable()
    with tempfile.TemporaryDirectory() as name:
        seconds = chosen.seconds or info.duration_s
        how = (chosen.stride, chosen.mouth, chosen.free)
        report = edit(chosen.clip, seconds, Path(name), *how)
    for stage, ms in report.ms_per_frame.items():
        print(f"  {stage:24} {ms:7.2f} ms a frame")
    for profile in profiles:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(14)


if __name__ == "__main__":
    main()
