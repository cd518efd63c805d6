"""Keys, tokens and passwords stay out of MLflow, logs and reports."""

import io
import logging
from pathlib import Path
from typing import Any

import pytest

from pipelines import tracking
from pipelines.secrets import HIDDEN, SecretFilter, guard_logs, is_secret_name, without_secrets

SECRET = "s3cr3t-value-91"  # noqa: S105 - looks for it, keeps none


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("HF_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("mlflow_tracking_password", True),
        ("editing.edit.painting.watermark.key", True),
        ("store.api-key", True),
        ("training.train.seed", False),
        ("keyboard", False),
        ("n_tokens", False),
    ],
)
def test_names_tell_what_is_secret(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


def test_parameters_that_hold_secrets_are_sent_by_name_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import mlflow

    sent: dict[str, Any] = {}
    monkeypatch.setenv("STORE_TOKEN", SECRET)
    monkeypatch.setitem(tracking._state, "run_id", "open")
    monkeypatch.setattr(mlflow, "log_params", sent.update)
    tracking.log_parameters(
        {
            "editing": {"watermark": {"key": SECRET, "strength": 1.5}},
            "store": {"url": f"s3://me:{SECRET}@host/x", "header": f"Bearer {SECRET}"},
        }
    )
    assert sent["editing.watermark.key"] == HIDDEN
    assert sent["editing.watermark.strength"] == "1.5"
    assert SECRET not in str(sent)
    monkeypatch.setitem(tracking._state, "run_id", "")


def test_a_lost_server_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(tracking._state, "run_id", "")

    @tracking._survived
    def fails() -> None:
        raise OSError(f"cannot connect to postgresql://me:{SECRET}@host/db")

    with caplog.at_level(logging.WARNING):
        fails()
    assert "postgresql://me:(secret)@host/db" in caplog.text
    assert SECRET not in caplog.text


def test_log_lines_lose_secrets_and_keep_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING_PASSPHRASE", SECRET)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        guard_logs()
        guard_logs()
        assert sum(isinstance(known, SecretFilter) for known in handler.filters) == 1
        logging.getLogger("a").warning("opened with %s, %d times", SECRET, 3)
    finally:
        logging.getLogger().removeHandler(handler)
    assert stream.getvalue() == "opened with (secret), 3 times\n"


def test_short_values_blot_out_nothing() -> None:
    assert without_secrets("a test", {"X_TOKEN": "a", "Y_TOKEN": ""}) == "a test"


@pytest.mark.slow
def test_a_run_leaves_no_secret_of_the_environment_anywhere(
    project: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", SECRET)
    footage = project / "data/01_raw/footage"
    footage.mkdir(parents=True)
    head = "clip,path,speaker,split,view,consent\n"
    (footage / "manifest.csv").write_text(head + "a,a.mp4,ann,train,front,c\n")
    (footage / "a.mp4").write_text("no video")
    (footage / "consent.csv").write_text("consent,speaker,purpose,expires\nc,ann,train,\n")
    run("preprocess")
    written = [path for path in project.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
