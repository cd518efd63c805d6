"""Does the teeth proxy win at full resolution? Real footage speaks its own words with soft teeth.

The clip's own crops (384 px), softened inside the lips as a network trained on L1 softens them,
stand for a renderer's pictures, so the truth of every frame is known. Mouths of the first half fill
the database; those of the second half are sharpened. Per frame with an open mouth, inside the
inner lips: PSNR, detail (energy of what is finer than 1.2 mm, as a share of the truth's), and how
far that detail is the truth's (correlation; made-up detail has none).

Run: OMP_NUM_THREADS=1 python benchmarks/editing/teeth.py CLIP... [--soft-mm 0.6 1.0]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from talkin.editing.teeth import TeethConfig, TeethDatabase
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.loading import load_face_model
from talkin.footage.detection import load_detector
from talkin.footage.tracking import track_landmarks
from talkin.footage.video import iter_frames
from talkin.samples.alignment import CropConfig, crop_frame, crop_transforms

CROP = CropConfig()
DETAIL_PX = 1.2 * CROP.px_per_mm


def open_mouths(clip: Path, database: TeethDatabase) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Frame number, crop and points of each frame whose mouth is open, and fill the database."""
    model = load_face_model()
    track = track_landmarks(clip, load_detector())
    fitted = fit_clip(track, model, FitConfig(), cuts=list(track.cuts), clip=clip.name)
    transforms = crop_transforms(fitted, CROP)
    # Where the lips really are, not where the fit puts them: a renderer's lips follow its points.
    points = fitted.in_crop(transforms).mouth_landmarks(model)
    points[:, :20] = np.einsum("tij,tpj->tpi", transforms[:, :, :2], track.subset68()[:, 48:])
    points[:, :20] += transforms[:, None, :, 2]
    is_open = fitted.is_valid & track.is_found
    is_open[is_open] = database.shows_teeth(points[is_open])
    found, half = [], len(track) // 2
    wanted = np.flatnonzero(is_open[:half])
    lent = set(wanted[:: max(1, -(-len(wanted) // 256))].tolist())
    for number, frame in enumerate(iter_frames(clip, track.fps)):
        if number in lent or (number >= half and is_open[number]):
            crop = crop_frame(frame.image, transforms[number], CROP.size_px)
            if number in lent:
                database.add(crop, points[number])
            else:
                found.append((number, crop, points[number]))
    return found


def inside(points: np.ndarray) -> np.ndarray:
    """1 within the inner lips."""
    mask = np.zeros((CROP.size_px, CROP.size_px), np.uint8)
    cv2.fillPoly(mask, [np.rint(points[12:20]).astype(np.int32)], 1)
    return mask.astype(bool)


def fine(picture: np.ndarray) -> np.ndarray:
    """What is finer than 1.2 mm."""
    values = picture.astype(np.float32)
    return values - cv2.GaussianBlur(values, (0, 0), DETAIL_PX)


def scores(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> tuple[float, ...]:
    """Squared error, energy of the detail, its product with the truth's, and the truth's energy."""
    wrong = np.square(picture.astype(np.float32) - truth)[mask].mean()
    own, true = fine(picture)[mask], fine(truth)[mask]
    return float(wrong), float((own**2).mean()), float((own * true).mean()), float((true**2).mean())


def main() -> None:
    """Print a line a clip and softness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--soft-mm", type=float, nargs="+", default=[0.6, 1.0])
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{'':28} mouths  lent    PSNR, dB          detail            like the truth's")
    print(f"{'':28}                 soft   teeth     soft   teeth     soft   teeth")
    for clip in chosen.clips:
        database = TeethDatabase(CROP.px_per_mm, TeethConfig())
        mouths = open_mouths(clip, database)
        for soft_mm in chosen.soft_mm:
            rows: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
            n_lent, shown = 0, []
            for _, truth, points in mouths:
                mask = inside(points)
                share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)[..., None]
                blurred = cv2.GaussianBlur(truth, (0, 0), soft_mm * CROP.px_per_mm)
                soft = np.rint(truth + share * (blurred.astype(np.float32) - truth))
                soft = soft.astype(np.uint8)
                made = database.transfer(soft, points)
                n_lent += made is not soft
                rows.append((scores(soft, truth, mask), scores(made, truth, mask)))
                x, y = np.rint(points[:12].mean(axis=0)).astype(int)
                shown.append(
                    np.vstack([p[y - 40 : y + 40, x - 60 : x + 60] for p in (truth, soft, made)])
                )
            if not rows:
                print(f"{clip.name}: no open mouth")
                continue
            wrong, own, shared, true = np.mean(rows, axis=0).T
            psnr, share = 10 * np.log10(255**2 / wrong), own / true
            like = shared / np.sqrt(own * true)
            print(
                f"{clip.name:20} {soft_mm:.1f} mm {len(mouths):6} {n_lent:5}"
                f" {psnr[0]:9.2f} {psnr[1]:7.2f} {share[0]:8.3f} {share[1]:7.3f}"
                f" {like[0]:8.3f} {like[1]:7.3f}",
                flush=True,
            )
            if chosen.pictures is not None:
                chosen.pictures.mkdir(parents=True, exist_ok=True)
                wide = np.hstack(shown[:: max(1, len(shown) // 8)][:8])
                path = chosen.pictures / f"{clip.stem}_{soft_mm:g}.png"
                cv2.imwrite(str(path), cv2.cvtColor(wide, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
