"""Kedro's settings for this project."""

from kedro.config import OmegaConfigLoader

from pipelines.hooks import ConsentHooks, TrackingHooks
from pipelines.refusals import RefusalHooks
from pipelines.training.torchrun import TorchrunHooks

HOOKS = (TorchrunHooks(), TrackingHooks(), ConsentHooks(), RefusalHooks())

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # conf/demo and conf/test only name what differs; the rest of a stage's keys stay as in base.
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**"]},
}
