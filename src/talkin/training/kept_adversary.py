"""The adversary between two picture stages that run as separate steps of a pipeline.

After a stage its discriminator is kept beside the checkpoints, marked with the renderer that it
was trained against. The next stage plays on against it if it is given that very renderer; against
a new discriminator a trained renderer would first go astray.
"""

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from talkin.files import replace_when_whole
from talkin.networks.discriminator import Discriminator
from talkin.networks.saved import plain_tensors
from talkin.networks.talking_face import TalkingFace
from talkin.training.config import TrainingConfig
from talkin.training.pictures import new_discriminator


def keep_adversary(judge: Discriminator, model: TalkingFace, folder: Path, stage: str) -> None:
    """Write the discriminator of a finished stage."""
    with replace_when_whole(folder / f"discriminator_after_{stage}.safetensors") as part:
        mark = {"renderer": _digest(model)}
        save_file(plain_tensors(judge.state_dict()), part, metadata=mark)


def adversary_of(model: TalkingFace, config: TrainingConfig, folder: Path) -> Discriminator:
    """The kept discriminator that knows this renderer, else an untrained one."""
    judge = new_discriminator(model, config)
    wanted = {key: value.shape for key, value in judge.state_dict().items()}
    digest = _digest(model)
    for path in sorted(folder.glob("discriminator_after_*.safetensors")):
        try:
            with safe_open(path, framework="pt") as opened:
                if (opened.metadata() or {}).get("renderer") != digest:
                    continue
                weights = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            continue  # it is only a better start; a new one does as well
        if {key: value.shape for key, value in weights.items()} == wanted:
            judge.load_state_dict(weights)
            return judge
    return judge


def _digest(model: TalkingFace) -> str:
    digest = hashlib.sha256()
    for value in model.renderer.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
