"""How constant a fitted face's expression is off: own geometry or the speaker's, mean tied or free.

Run: OMP_NUM_THREADS=1 python benchmarks/face3d/shared.py [--seed 5001] [--noise 0.5] [--clips 4]

The synthetic corpus' truth with noise is fitted; nothing is drawn. The exact expression is put on
the fitted face and pose, and its 39 mouth points are compared with those of the fitted expression,
as a share of how far a mouth held still is off. Then the same after one constant is taken away from
all expressions alike (which networks can learn), one a speaker, or one a clip (which they cannot).
"""

import argparse

import numpy as np

from talkin.avatar.corpus import ClipPlan, CorpusConfig, plan_corpus, truth_of_clip
from talkin.avatar.performance import perform
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.fitting_person import fit_geometry
from talkin.face3d.loading import load_face_model
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import LandmarkTrack

Fitted = tuple[str, FaceParameters, FaceParameters]
Corpus = dict[str, list[FaceParameters]]
_BILABIALS = frozenset("pbm")
_CLOSED_MM = 0.5


def truths(seed: int, speakers: int, clips: int) -> tuple[Corpus, list[np.ndarray]]:
    """Exact clips by speaker, and the frames of each clip in which p, b or m is said."""
    config = CorpusConfig(
        seed=seed, n_speakers=speakers, n_unseen_speakers=0, train_clips=clips,
        validation_clips=0, test_clips=0, sentences_per_clip=2, views=("front",), size_px=224,
    )  # fmt: skip
    plans, corpus = plan_corpus(config), Corpus()
    for plan in plans:
        corpus.setdefault(plan.speaker, []).append(truth_of_clip(plan, config))
    return corpus, [_bilabial(plan, config) for plan in plans]


def _bilabial(plan: ClipPlan, config: CorpusConfig) -> np.ndarray:
    spoken = perform(plan, config)
    time_s, is_said = np.arange(len(spoken)) / config.fps, np.zeros(len(spoken), bool)
    for phone in spoken.speech.phonemes:
        if phone.symbol in _BILABIALS:
            is_said |= (time_s >= phone.start_s) & (time_s < phone.end_s)
    return is_said


def closure(found: list[Fitted], is_bilabial: list[np.ndarray], model: MorphableModel) -> float:
    """Mean error, mm, of the inner lips' gap in p, b and m, where the true lips are closed."""
    off = []
    for (_, face, true), is_said in zip(found, is_bilabial, strict=True):
        wanted = _gap(true, model)
        off.append(np.abs(_gap(face, model) - wanted)[is_said & (wanted < _CLOSED_MM)])
    return float(np.concatenate(off).mean())


def _gap(face: FaceParameters, model: MorphableModel) -> np.ndarray:
    lips = model.points(model.landmarks68[[62, 66]], face.geometry, face.expression)
    return lips[:, 0, 1] - lips[:, 1, 1]


def noisy_track(truth: FaceParameters, percent: float, seed: int) -> LandmarkTrack:
    """The truth's 68 points with a detector's trembling."""
    stray = np.random.default_rng(seed).normal(size=truth.landmarks.shape)
    points = truth.landmarks + stray * percent / 100 * truth.interocular_px[:, None, None]
    frames = len(truth)
    return LandmarkTrack(
        points.astype(np.float32), "ibug68", np.ones(frames, bool), np.ones(frames, np.float32),
        truth.time_s, truth.fps, 224, 224,
    )  # fmt: skip


def fitted(corpus: Corpus, model: MorphableModel, config: FitConfig, noise: float, is_shared: bool
           ) -> list[Fitted]:  # fmt: skip
    """Every clip fitted, with its own geometry or its speaker's."""
    found = []
    for speaker, clips in corpus.items():
        tracks = [noisy_track(clip, noise, number) for number, clip in enumerate(clips)]
        known = fit_geometry(tracks, model, config, n_tracks=len(tracks)) if is_shared else None
        for track, truth in zip(tracks, clips, strict=True):
            found.append((speaker, fit_clip(track, model, config, geometry=known), truth))
    return found


def constants(found: list[Fitted], model: MorphableModel) -> list[float]:
    """Share of a still mouth's error: as it is, less a constant of all, a speaker, a clip."""
    still = np.concatenate([face.expression for _, face, _ in found]).mean(0)
    off = [(face.expression - true.expression).mean(0) for _, face, true in found]
    of_all = np.mean(off, axis=0)
    rows = []
    for (speaker, face, true), own in zip(found, off, strict=True):
        same = [way for way, (name, _, _) in zip(off, found, strict=True) if name == speaker]
        heard = [true.expression + way for way in (0, of_all, np.mean(same, axis=0), own)]
        unit = _away(face, still[None], model)
        rows.append([_away(face, expression, model) / unit for expression in heard])
    return [float(value) for value in np.mean(rows, axis=0)]


def _away(face: FaceParameters, expression: np.ndarray, model: MorphableModel) -> float:
    shown = np.broadcast_to(expression, face.expression.shape).astype(np.float32)
    ways = face.with_expression(shown).mouth_landmarks(model) - face.mouth_landmarks(model)
    return float((np.linalg.norm(ways, axis=2).mean(1) / face.interocular_px).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=5001)
    parser.add_argument("--speakers", type=int, default=8)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--noise", type=float, default=0.5, help="percent of the eye distance")
    options = parser.parse_args()
    model = load_face_model()
    corpus, is_bilabial = truths(options.seed, options.speakers, options.clips)
    print("| geometry | mean expression | as it is | less one of all | a speaker | a clip | "
          "gap in p, b, m, mm off |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for is_shared in (False, True):
        for name, config in (
            ("free", FitConfig(mean_expression_prior=1e-3)),
            ("tied", FitConfig()),
        ):
            found = fitted(corpus, model, config, options.noise, is_shared)
            shares = [*constants(found, model), closure(found, is_bilabial, model)]
            row = " | ".join(f"{value:.3f}" for value in shares)
            print(f"| {'speaker' if is_shared else 'clip'} | {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
