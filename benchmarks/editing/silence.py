"""How far the mouth is open where the new sound is silent, with a trained model.

Test clips speak each other's sound, into which a second of silence is set. The opening is the inner
lips' distance in mm on the face seen from the front; beside it the target's own closed mouth.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/silence.py DATA
where DATA is the data folder of a project after training, such as that of `make demo`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from talkin.editing.driving import DrivingConfig, closed_mouth, mouth_of_speech
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio, read_audio
from talkin.networks.talking_face import TalkingFace

TOP, BOTTOM = [13, 14, 15], [19, 18, 17]


def opening_mm(expression: np.ndarray, target: FaceParameters, model: TalkingFace) -> np.ndarray:
    """Distance of the inner lips, mm."""
    face = model.face_model
    lips = face.points(face.mouth39[:20], target.geometry, np.atleast_2d(expression))
    return (lips[:, TOP, 1] - lips[:, BOTTOM, 1]).mean(axis=1)


def main() -> None:
    """Print a row a pair of clips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    torch.set_num_threads(1)
    model = TalkingFace.load(data / "06_models/talking_face")
    faces = sorted((data / "03_primary/face_parameters").glob("*_test_*.parquet"))[:6]
    rate = model.config.mfcc.sample_rate
    print("target <- sound: mm open in speech (median, 90 %), in silence (mean, most), at rest")
    for face, other in zip(faces, [*faces[1:], faces[0]], strict=True):
        target = FaceParameters.load(face)
        sound = read_audio(data / f"02_intermediate/audio/{other.stem}.wav", rate)
        middle = len(sound) // 2
        quiet = np.random.default_rng(0).normal(0, 1e-4, rate).astype(np.float32)
        samples = np.concatenate([sound.samples[:middle], quiet, sound.samples[middle:]])
        heard = Audio(samples, rate)
        for closes in (True, False):
            config = DrivingConfig(silence_closes_the_mouth=closes)
            mouth = mouth_of_speech(heard, target, model, model.face_model, config)
            times = np.arange(len(mouth)) / target.fps
            begin = middle / rate
            silent = (times > begin + 0.2) & (times < begin + 0.8)
            opened = opening_mm(mouth.expression, target, model)
            speech, still = opened[mouth.is_speaking], opened[silent]
            rest = opening_mm(closed_mouth(target, model.face_model), target, model)[0]
            print(
                f"{face.stem} <- {other.stem}, {'closing' if closes else 'as heard'}: "
                f"{np.median(speech):5.2f} {np.percentile(speech, 90):5.2f}   "
                f"{still.mean():5.2f} {still.max():5.2f}   {rest:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
