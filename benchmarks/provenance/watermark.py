"""What the invisible mark survives, how often it is seen where there is none, and what it costs.

    python benchmarks/provenance/watermark.py [CLIP ...] [--strength 1.5] [--frames 75] [--mouth]

Clips are footage files; without any, three synthetic scenes are used. Each is marked, written as
an edit is (H.264, crf 17), and attacked: encoded anew at four qualities, resized, cropped. The
same clip unmarked, and the marked one under wrong keys, must not be found. Prints a table a clip
(the scores), the detection rate of each attack, the highest score without a mark, the PSNR that
the mark costs, and milliseconds a frame. `--mouth` marks only 30 % x 40 % of the frame, where a
mouth might be, to compare. Set OMP_NUM_THREADS=1 to compare between machines.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.provenance.watermark import (
    Watermark,
    WatermarkConfig,
    average_residual,
    detect,
    search,
)

Images = list[np.ndarray]
_WRONG_KEYS = ("a", "b", "c")


def main() -> None:
    """Attack every clip and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--strength", type=float, default=WatermarkConfig().strength)
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--mouth", action="store_true", help="mark a mouth's place alone")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = WatermarkConfig(strength=options.strength)
    print(f"strength {config.strength}, threshold {config.threshold}, {options.frames} frames")
    print("clip                 size       mark ms  detect ms   PSNR dB without -> with  scores")
    scores: dict[str, list[float]] = {}
    chance: list[float] = []
    for name, images in _footage(options.clips, options.frames):
        row, unmarked = _attacked(name, images, config, options.mouth)
        chance += unmarked
        for attack, score in row.items():
            scores.setdefault(attack, []).append(score)
    print("\nattack      found   weakest  median")
    for attack, found in scores.items():
        rate = np.mean([score >= config.threshold for score in found])
        print(f"{attack:10} {rate:6.1%}  {min(found):7.1f} {np.median(found):7.1f}")
    false = sum(score >= config.threshold for score in chance)
    print(f"\nwithout a mark, or under a wrong key: {false} of {len(chance)} found, ", end="")
    print(f"highest score {max(chance):.2f}, mean {np.mean(chance):.2f}, sd {np.std(chance):.2f}")


def _footage(clips: list[Path], n: int) -> Iterator[tuple[str, Images]]:
    for path in clips:
        fps = probe_video(path).fps
        yield path.stem, [frame.image for frame in islice(iter_frames(path, fps), n)]
    if not clips:
        for seed, (width, height) in enumerate(((640, 360), (854, 480), (1280, 720))):
            yield f"synthetic {height}p", _scene(width, height, n, seed)


def _scene(width: int, height: int, n: int, seed: int) -> Images:
    """Smooth shapes and fine grain, with a camera that is not quite still."""
    rng = np.random.default_rng(seed)
    size = (height + 40, width + 40, 3)
    scene = cv2.GaussianBlur(rng.uniform(0, 255, size), (0, 0), 8) * 6 - 5 * 127
    scene += cv2.GaussianBlur(rng.normal(0, 30, size), (0, 0), 1.2)
    found = []
    for t in range(n):
        x, y = round(6 * np.sin(t / 9)) + 10, round(4 * np.cos(t / 7)) + 10
        noisy = scene[y : y + height, x : x + width] + rng.normal(0, 1.5, (height, width, 3))
        found.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return found


def _attacked(
    name: str, images: Images, config: WatermarkConfig, mouth: bool
) -> tuple[dict[str, float], list[float]]:
    height, width = images[0].shape[:2]
    mark = Watermark(width, height, config)
    start = time.perf_counter()
    marked = [mark.embed(image) for image in images]
    mark_ms = 1e3 * (time.perf_counter() - start) / len(images)
    if mouth:
        marked = [_mouth_alone(*pair) for pair in zip(images, marked, strict=True)]
    edit, plain = _encoded(marked, 17), _encoded(images, 17)
    scores = {}
    for attack, change in _attacks(width, height).items():
        scores[attack] = detect(change(edit), config).score
    average, _ = average_residual(edit, len(edit))
    chance = [detect(change, config).score for change in (images, _encoded(plain, 28))]
    if average is not None:
        chance += [
            search(average, config.model_copy(update={"key": key}))[0] for key in _WRONG_KEYS
        ]
    start = time.perf_counter()
    detect(plain, config)
    detect_ms = 1e3 * (time.perf_counter() - start) / len(images)
    shown = " ".join(f"{attack} {score:.1f}" for attack, score in scores.items())
    print(
        f"{name[:20]:20} {width:4}x{height:<4} {mark_ms:9.2f} {detect_ms:10.1f}   "
        f"{_psnr(images, plain):.2f} -> {_psnr(images, edit):.2f} "
        f"(mark alone {_psnr(images, marked):.2f})  {shown}",
        flush=True,
    )
    return scores, chance


def _mouth_alone(image: np.ndarray, marked: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    place = np.s_[int(0.4 * height) : int(0.8 * height), int(0.35 * width) : int(0.65 * width)]
    result = image.copy()
    result[place] = marked[place]
    return result


def _attacks(width: int, height: int) -> dict[str, Callable[[Images], Images]]:
    def resized(scale: float) -> Callable[[Images], Images]:
        size = (int(width * scale) // 2 * 2, int(height * scale) // 2 * 2)
        return lambda images: _encoded(
            [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images], 23
        )

    def cropped(images: Images) -> Images:
        x, y = width // 20, height // 20
        w, h = int(width * 0.9) // 2 * 2, int(height * 0.9) // 2 * 2
        return _encoded([np.ascontiguousarray(i[y : y + h, x : x + w]) for i in images], 23)

    attacks: dict[str, Callable[[Images], Images]] = {"as edited": list}
    for crf in (18, 23, 28, 33):
        attacks[f"crf {crf}"] = lambda images, crf=crf: _encoded(images, crf)
    attacks |= {"x 0.5": resized(0.5), "x 0.75": resized(0.75), "cropped": cropped}
    return attacks


def _encoded(images: Images, crf: float) -> Images:
    height, width = images[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, width, height, 25, crf=crf) as writer:
            for image in images:
                writer.write(image)
        return [frame.image[:height, :width] for frame in iter_frames(path)]


def _psnr(truth: Images, other: Images) -> float:
    errors = [
        np.mean(np.square(a.astype(np.float32) - b))
        for a, b in zip(truth[::10], other[::10], strict=True)
    ]
    return float(10 * np.log10(255**2 / np.mean(errors)))


if __name__ == "__main__":
    main()
