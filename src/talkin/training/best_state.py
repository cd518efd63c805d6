"""The state of a stage that did best on held-out data, kept beside its checkpoint."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from talkin.files import replace_when_whole
from talkin.networks.saved import plain_tensors
from talkin.training.config import StageName
from talkin.training.parallel import this_share

DECIDING: dict[StageName, tuple[str, bool]] = {
    "speaker_classifier": ("speaker_accuracy", True),
    "audio": ("landmark_error_px", False),
    "renderer": ("mouth_psnr_db", True),
    "joint": ("mouth_psnr_db", True),
}
"""What decides in each stage, and whether more of it is better."""


class BestState:
    """Remembers, over stops and starts, the networks that validated best."""

    def __init__(self, stage: StageName, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Take up what an earlier stretch of the stage left."""
        self.metric, self.is_more_better = DECIDING[stage]
        self.networks, self.path = networks, path
        self.value = self._kept_value()

    def show(self, metrics: Mapping[str, float]) -> None:
        """Keep the networks as they are now, if they are the best so far."""
        found = metrics.get(self.metric)
        if found is None or not self._is_better(found):
            return
        self.value = found
        if not this_share().is_first:
            return
        tensors = {
            f"{name}/{key}": value
            for name, network in self.networks.items()
            for key, value in network.state_dict().items()
        }
        with replace_when_whole(self.path) as part:
            save_file(plain_tensors(tensors), part, metadata={"value": json.dumps(found)})

    def restore(self) -> None:
        """Bring the best networks back, where any were kept."""
        if self.value is None:
            return
        with safe_open(self.path, framework="pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        for name, network in self.networks.items():
            prefix = f"{name}/"
            network.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )

    def _is_better(self, found: float) -> bool:
        if self.value is None:
            return True
        return found > self.value if self.is_more_better else found < self.value

    def _kept_value(self) -> float | None:
        try:
            with safe_open(self.path, framework="pt") as opened:
                return float(json.loads((opened.metadata() or {})["value"]))
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
