"""What pictures tell the audio networks, beside what the fitted faces tell them.

    python benchmarks/training/picture_gradients.py --project . --env demo

On steps of the joint stage from the model after the renderer stage, guided by what is heard: norms
of the audio networks' gradients from the weighted terms of Eq. 2, 3 and 4; the cosine between that
of the pictures (Eq. 4) and that of the fitted face (Eq. 3); and the cosine between the pictures'
gradient by the landmarks and the landmarks' own error, above 0 where descending it goes towards
the truth.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from end_to_end import WAYS, Project
from torch import Tensor

from pipelines.variants.plan import laid_over
from talkin.losses.objective import weighted_sum
from talkin.samples.sample import Sample
from talkin.training.config import TrainingConfig
from talkin.training.joint import JointStage

_OF_THE_FACE = ("expression", "mouth_shape", "lip_closure")
_OF_THE_SOUND = (*_OF_THE_FACE, "speaker_confusion")


def main() -> None:
    """Print means over some steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--env", default="demo")
    parser.add_argument("--steps", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    project = Project(options.project, options.env, {})
    changes = {"threads": 1, "precision": "fp32", "joint": WAYS["joint"]}
    config = TrainingConfig.model_validate(laid_over(project.settings, changes))
    stage = Watched(project.start(), project.judge.classifier, project.train, None, config)
    rows = [told_by(stage, step) for step in range(options.steps)]
    stage.end()
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"{name:40} {np.mean(values):9.3f} ± {np.std(values) / len(values) ** 0.5:.3f}")


class Watched(JointStage):
    """The joint stage, which keeps the landmarks that it guides with."""

    heard: Tensor
    error: Tensor

    def guide(self, sample: Sample, step: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """As it is, and kept."""
        self.heard, terms = super().guide(sample, step)
        self.error = (self.heard - sample.mouth_landmarks).detach()
        return self.heard, terms


def told_by(stage: Watched, step: int) -> dict[str, float]:
    """Norms and cosines of one step."""
    _, _, terms = next(stage.losses(step))
    weights, audio = stage.config.losses, list(stage.model.audio_networks.parameters())

    def gradient(names: list[str], by: list[Tensor]) -> Tensor:
        value = weighted_sum({name: terms[name] for name in names}, weights)
        found = torch.autograd.grad(value, by, retain_graph=True, allow_unused=True)
        pairs = zip(found, by, strict=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])

    pictures = [name for name in terms if name not in _OF_THE_SOUND]
    face = [name for name in _OF_THE_FACE if name in terms]
    own = [name for name in _OF_THE_SOUND if name in terms]
    of_pictures, of_face = gradient(pictures, audio), gradient(face, audio)
    by_landmarks = gradient(pictures, [stage.heard])
    norms = {f"norm, {name}": gradient([name], audio).norm().item() for name in own}
    return {
        **norms,
        "norm, Eq. 2 and 3 together": gradient(own, audio).norm().item(),
        "norm, Eq. 4": of_pictures.norm().item(),
        "cosine of Eq. 4 and Eq. 3": _cosine(of_pictures, of_face),
        "cosine of Eq. 4 and landmarks' error": _cosine(by_landmarks, stage.error),
    }


def _cosine(one: Tensor, other: Tensor) -> float:
    return torch.cosine_similarity(one.flatten(), other.flatten(), dim=0).item()


if __name__ == "__main__":
    main()
