"""How well faces are fitted: planted landmarks, rendered people, real clips. One table each.

Run: OMP_NUM_THREADS=1 python benchmarks/face3d/accuracy.py [--clips 2] [--real 22] [--model FILE]

Rendered people need espeak and the landmark nets; real clips are those of the companion data
folder (`TALKIN_REALDATA`, or `../shared/realdata`). What is missing is skipped with a message.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from fitting import INTEROCULAR_PX, as_track, plant, scores

from talkin.errors import TalkinError
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.fitting_person import fit_geometry
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468, LandmarkTrack

if TYPE_CHECKING:
    from rendered import Seen

    from talkin.avatar.motion import View

REALDATA = Path(os.environ.get("TALKIN_REALDATA", "../shared/realdata"))
VIEWS = {"frontal": (0, 0), "yaw 60": (0, 60), "yaw -60": (0, -60), "pitch 30": (30, 0)}
VIEWS |= {"pitch -30": (-30, 0)}
HABITS: tuple[Literal["drawn", "people", "off"], ...] = ("drawn", "people", "off")
RENDERED_VIEWS: "tuple[View, ...]" = ("front", "left60", "right60", "up30", "down30")


def variants(model: MorphableModel) -> dict[str, MorphableModel]:
    """The same model read with fewer and fewer measured correspondences."""
    sparse = np.full(468, -1)
    sparse[IBUG68_IN_MEDIAPIPE468] = model.mesh468[IBUG68_IN_MEDIAPIPE468]
    return {
        "468": model,
        "468, all alike": replace(model, mesh468_error=None),
        "468, nearest vertices": replace(model, mesh468_offset=None, mesh468_error=None),
        "68 of them": replace(model, mesh468=sparse),
        "68, not measured": replace(model, mesh468=np.full(468, -1)),
    }


def planted_table(model: MorphableModel, frames: int, seeds: range) -> None:
    """Landmarks projected from drawn coefficients, exact and with noise."""
    print(
        "| planted landmarks | rotation deg | lip R2 | aperture r | RMSE % | geometry mm | mean |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    cases = [(f"exact, {name}", 0.0, view) for name, view in VIEWS.items()]
    cases += [(f"1.5 % noise, {name}", 0.015, view) for name, view in VIEWS.items()]
    for name, noise, view in cases:
        rows = []
        for seed in seeds:
            truth = plant(model, frames, seed, view)
            picture = truth.picture(model, model.landmarks68)
            stray = np.random.default_rng(90 + seed).normal(size=picture.shape)
            track = as_track(picture + stray * noise * INTEROCULAR_PX, "ibug68")
            rows.append(list(scores(model, truth, fit_clip(track, model)).values()))
        print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in np.mean(rows, axis=0)) + " |")


def lip_gap(model: MorphableModel, parameters: FaceParameters) -> np.ndarray:
    """Distance of the inner lips in the middle, mm; negative when they pass through another."""
    lips = model.points(model.landmarks68[[62, 66]], parameters.geometry, parameters.expression)
    return lips[:, 0, 1] - lips[:, 1, 1]


def rendered_table(model: MorphableModel, people: int, seed: int, clips: int) -> None:
    """The embedded detector on rendered people, with the geometry that their clips share."""
    print("| rendered, detected | rotation deg | lip R2 | aperture r | RMSE % | geometry mm | mean "
          "| gap of closed lips, mm off | gap in p, b, m | found % |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    from rendered import rendered_clips

    seen = rendered_clips(RENDERED_VIEWS, people, clips, seed)
    for geometry in ("clip", "speaker"):
        for habits in HABITS:
            config = FitConfig(detector_habits=habits)
            fitted = _fitted(seen, model, config, geometry == "speaker")
            for view in RENDERED_VIEWS:
                row = _rendered_row(model, [pair for pair in fitted if pair[0].view == view])
                print(f"| {view}, geometry of the {geometry}, {habits} | {row} |", flush=True)


def _fitted(
    seen: "list[Seen]", model: MorphableModel, config: FitConfig, is_shared: bool
) -> "list[tuple[Seen, FaceParameters]]":
    found = []
    for speaker in sorted({one.speaker for one in seen}):
        own = [one for one in seen if one.speaker == speaker]
        tracks = [one.track for one in own]
        known = fit_geometry(tracks, model, config, n_tracks=len(tracks)) if is_shared else None
        found += [(one, fit_clip(one.track, model, config, geometry=known)) for one in own]
    return found


def _rendered_row(model: MorphableModel, fitted: "list[tuple[Seen, FaceParameters]]") -> str:
    rows, gaps, bilabial = [], [], []
    for one, every in fitted:
        count = min(len(every), len(one.truth))
        valid = np.flatnonzero(every.is_valid[:count])
        face, true = every.select(valid), one.truth.select(valid)
        rows.append(list(scores(model, true, face).values()))
        wanted = lip_gap(model, true)
        off = np.abs(lip_gap(model, face) - wanted)
        gaps.append(off[wanted < 0.5])
        bilabial.append(off[one.is_bilabial[valid] & (wanted < 0.5)])
    found_share = np.mean([one.track.is_found.mean() for one, _ in fitted])
    means = [f"{x:.3f}" for x in np.mean(rows, axis=0)]
    gap = [f"{np.mean(np.concatenate(off)):.2f}" for off in (gaps, bilabial)]
    return " | ".join([*means, *gap, f"{100 * found_share:.1f}"])


def real_tracks(count: int) -> list[LandmarkTrack]:
    """One clip of each of many people, as the detector sees them."""
    from talkin.footage.detection import load_detector
    from talkin.footage.tracking import track_landmarks

    first: dict[str, Path] = {}
    for path in sorted((REALDATA / "clips").glob("spk[0-3]*")):
        if path.stat().st_size < 4_000_000:
            first.setdefault(path.name[:5], path)
    tracks = []
    for path in list(first.values())[:count]:
        try:
            tracks.append(track_landmarks(path, load_detector()))
        except TalkinError as error:
            print(f"{path.name} is left out: {error}")
    return tracks


def real_table(model: MorphableModel, count: int) -> None:
    """What the fit leaves of the landmarks of real people: no truth is known."""
    tracks = real_tracks(count)
    print(f"| {len(tracks)} real clips | residual % of the eye distance, median | worst clip | "
          "rms of geometry | least gap of lips mm, median | worst |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- |")
    cases = [(name, used, FitConfig()) for name, used in variants(model).items()]
    cases += [(f"468, habits {name}", model, FitConfig(detector_habits=name)) for name in HABITS]
    for name, used, config in cases:
        errors, sizes, gaps = [], [], []
        for track in tracks:
            fitted = fit_clip(track, used, config)
            fitted = fitted.select(np.flatnonzero(fitted.is_valid))
            errors.append(np.median(fitted.reprojection_error_px / fitted.interocular_px))
            sizes.append(np.sqrt((fitted.geometry**2).mean()))
            gaps.append(lip_gap(used, fitted).min())
        print(f"| {name} | {100 * np.median(errors):.2f} | {100 * max(errors):.2f} | "
              f"{np.median(sizes):.2f} | {np.median(gaps):.2f} | {min(gaps):.2f} |")  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="other planted people")
    parser.add_argument("--clips", type=int, default=2, help="rendered clips a speaker and view")
    parser.add_argument("--people", type=int, default=8, help="rendered speakers")
    parser.add_argument("--rendered-seed", type=int, default=3201, help="other rendered speakers")
    parser.add_argument("--real", type=int, default=22, help="real clips")
    parser.add_argument("--model", type=Path, help="an imported model (no rendered people then)")
    options = parser.parse_args()
    model = load_face_model(FaceModelConfig(file=options.model))
    if options.seeds:
        first = options.first_seed
        planted_table(model, options.frames, range(first, first + options.seeds))
    if options.clips and options.model is None:
        try:
            rendered_table(model, options.people, options.rendered_seed, options.clips)
        except TalkinError as error:
            print(f"no rendered people: {error}")
    if options.real and (REALDATA / "clips").exists():
        real_table(model, options.real)
    else:
        print(f"no real clips: {REALDATA / 'clips'} is not there, or none were wanted")


if __name__ == "__main__":
    main()
