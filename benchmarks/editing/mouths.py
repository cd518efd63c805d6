"""The footage's own mouths, warped, beside the network's, on frames whose truth is known.

Clips are masked and drawn again from their fitted landmarks: by the network, and from moments of
the same clip at least 0.4 s away. Printed are, in the region that an edit pastes: PSNR; the error
by which an edit chooses (grey levels of pictures and gradients); detail finer than 2 px, as a share
of the truth's; and flicker along the truth's motion, in the whole mask, beside the truth's own.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/mouths.py DATA --model MODEL [--only PATTERN]
where DATA holds `03_primary` of preprocessing, such as a project's data folder.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from quality import flicker

from talkin.editing.deflicker import deflicker
from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.editing.mouth_source import as_lent
from talkin.editing.mouth_trial import Trial, mouth_error
from talkin.editing.painting import PaintingConfig
from talkin.editing.rendering import WindowedRenderer, WindowingConfig, renderer_of
from talkin.evaluation.lent_frames import lent_frames
from talkin.face3d.parameters import FaceParameters
from talkin.networks.talking_face import TalkingFace
from talkin.samples.crops import CropReader
from talkin.samples.dataset import PreparedClip


class Clip:
    """A clip's first frames, as they are and as other moments of it draw them."""

    def __init__(self, data: Path, name: str, model: TalkingFace, n_frames: int) -> None:
        """Read and warp."""
        crops = CropReader(data / f"03_primary/crops/{name}.arrow")
        fitted = FaceParameters.load(data / f"03_primary/face_parameters/{name}.parquet")
        placed = fitted.in_crop(crops.transforms)
        self.points = placed.mouth_landmarks(model.face_model)[:n_frames]
        frames = np.arange(len(self.points))
        self.truth = np.stack([crops[int(t)] for t in frames])
        clip = PreparedClip(name, "", placed, np.zeros((0, 0)), crops)
        config = model.config.crop
        lent = lent_frames(clip, crops, model.face_model, config, self.points, frames)
        self.lent = np.stack([lent[int(t)] for t in frames])

    def by_network(self, model: TalkingFace) -> np.ndarray:
        """Drawn as an edit's windows draw it."""
        windowing = WindowingConfig().of_model(model.config.frames)
        windows, given = WindowedRenderer(renderer_of(model), windowing), []
        for crop, points in zip(self.lent, self.points, strict=True):
            given += list(windows.push(crop, points))
        return np.stack([*given, *windows.flush()])


def scores(drawn: np.ndarray, clip: Clip, model: TalkingFace) -> list[float]:
    """PSNR, error, detail, flicker and the truth's flicker."""
    crop, box, config = model.config.crop, model.config.mask_box, MaskConfig()
    mse, energy = [], []
    for picture, true, points in zip(drawn, clip.truth, clip.points, strict=True):
        mask = mouth_mask(points, points, box, crop.size_px, crop.px_per_mm, config)[..., None]
        apart = np.square(picture.astype(np.float32) - true)
        mse.append((apart * mask).sum() / mask.sum() / 3)
        fine = [p - cv2.GaussianBlur(p, (0, 0), 2.0) for p in (picture + 0.0, true + 0.0)]
        energy.append([(np.square(f) * mask).sum() for f in fine])
    trial = Trial(clip.truth, drawn, clip.points)
    inside = np.s_[box[1] : box[3], box[0] : box[2]]
    return [
        float(np.mean(10 * np.log10(255**2 / np.array(mse)))),
        mouth_error(as_lent, [trial], crop, config),
        float(np.divide(*np.sum(energy, axis=0))),
        flicker(drawn, clip.truth, inside),
        flicker(clip.truth, clip.truth, inside),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=["*_test_*"])
    parser.add_argument("--frames", type=int, default=75)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = TalkingFace.load(chosen.model)
    for pattern in chosen.only:
        names = sorted(p.stem for p in (chosen.data / "03_primary/crops").glob(f"{pattern}.arrow"))
        clips = [Clip(chosen.data, name, model, chosen.frames) for name in names]
        print(f"{pattern}: {len(clips)} clips of at most {chosen.frames} frames")
        print(f"{'':20} PSNR dB   error  detail  flicker  truth's")
        ways = {"network": [clip.by_network(model) for clip in clips]}
        ways["footage"] = [clip.lent for clip in clips]
        box, scale, edit = model.config.mask_box, model.config.crop.px_per_mm, PaintingConfig()
        for way, calming in (("network", edit.deflicker), ("footage", edit.lent_deflicker)):
            calm = [
                deflicker(drawn, clip.points, box, scale, calming)
                for drawn, clip in zip(ways[way], clips, strict=True)
            ]
            ways[f"{way}, deflickered"] = calm
        for way, made in ways.items():
            rows = [scores(d, clip, model) for d, clip in zip(made, clips, strict=True)]
            print(f"{way:20} " + " ".join(f"{v:7.2f}" for v in np.mean(rows, axis=0)), flush=True)


if __name__ == "__main__":
    main()
