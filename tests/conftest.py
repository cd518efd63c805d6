"""What all tests share: one thread for arithmetic, no telemetry, and where recordings are."""

import os

import pytest

for _name, _value in (
    ("OMP_NUM_THREADS", "1"),
    ("MLFLOW_DISABLE_TELEMETRY", "true"),
    ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false"),
    ("DO_NOT_TRACK", "1"),
    ("KEDRO_DISABLE_TELEMETRY", "1"),
):
    os.environ.setdefault(_name, _value)
os.environ.pop("MLFLOW_TRACKING_URI", None)  # a developer's own server must not see test runs


@pytest.fixture(autouse=True, scope="session")
def _signing_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Edits that tests make are signed by a key of their own, not by the developer's."""
    os.environ.setdefault("TALKIN_SIGNING", str(tmp_path_factory.mktemp("signing")))
