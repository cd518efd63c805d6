"""Trains the toy corpus as one of several processes; the test starts it with torchrun's variables.

python two_processes.py <folder of checkpoints> <file for the weights> <batch size>
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from toy_corpus import toy_config, toy_dataset, toy_training

from talkin.networks.saved import save_weights
from talkin.training.parallel import process_group
from talkin.training.whole import new_talking_face, train_talking_face


def train_toy(folder: Path, weights: Path, batch_size: int) -> None:
    """Train, and let the first process write."""
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    config = toy_training(
        stages=("audio", "renderer", "joint"),
        audio={
            "steps": 4, "batch_size": batch_size, "time_jitter_rows": 2, "noise_std": 0.1,
            "channel_std": 0.1, "gain_std": 0.1, "voice_std": 0.1, "forgotten_rows": 50,
        },
        renderer={"steps": 3, "batch_size": batch_size},
        joint={"steps": 3, "batch_size": batch_size, "true_landmarks": 0.5},
        optimiser={"clip_gradient": 1.0},
        losses={"speaker_confusion": 0},
    )  # fmt: skip
    with process_group() as share:
        train_talking_face(model, dataset, config, folder)
        if share.is_first:
            save_weights(model, weights)


if __name__ == "__main__":
    train_toy(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
