"""`talkin info` and `talkin fetch-nets`."""

import json
from pathlib import Path
from typing import Any

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors

_LIBRARIES = ("torch", "numpy", "opencv-python", "av", "librosa", "numba", "pyarrow", "kedro")


@click.command("fetch-nets", epilog=example("talkin fetch-nets"))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put them.  [default: the user's cache]",
)
@explains_errors
def fetch_nets(folder: Path | None) -> None:
    """Download the two landmark nets (1.5 MB) and check them against their SHA-256."""
    from talkin.footage.nets import fetch_nets as fetch

    for net in fetch(folder):
        click.echo(f"{net.path}  sha256 {net.sha256[:16]}...")


@click.command(epilog=example("talkin info", "talkin info --json"))
@click.option("--json", "as_json", is_flag=True, help="As JSON, for other programs.")
@explains_errors
def info(as_json: bool) -> None:
    """Show versions, devices, landmark nets, face model and network sizes."""
    found = {
        "versions": _versions(),
        "devices": _devices(),
        "landmark_nets": _nets(),
        "face_model": _face_model(),
        "networks": _networks(),
    }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for heading, content in found.items():
        click.echo(heading.replace("_", " "))
        for line in _lines(content):
            click.echo(f"  {line}")


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("talkin", *_LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _devices() -> dict[str, Any]:
    import os

    import torch

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "cpu_cores": os.cpu_count() or 1,
        "torch_threads": torch.get_num_threads(),
        "gpus": gpus,
    }


def _nets() -> dict[str, Any]:
    from talkin.footage.nets import find_nets

    return {
        net.name: {"path": str(net.path), "sha256": net.sha256 or None, "ok": net.ok}
        for net in find_nets()
    }


def _face_model() -> dict[str, Any]:
    from talkin.face3d.loading import load_face_model

    model = load_face_model()
    return {
        "name": model.name,
        "vertices": len(model.mean),
        "triangles": len(model.triangles),
        "geometry": model.n_geometry,
        "expression": model.n_expression,
        "mouth_landmarks": len(model.mouth39),
    }


def _networks() -> dict[str, Any]:
    """Parameter counts of the base configuration (the paper's), without holding the weights."""
    from talkin.networks.size import network_sizes

    return {name: {"parameters": count} for name, count in network_sizes().items()}


def _lines(content: dict[str, Any]) -> list[str]:
    return [f"{name}: {_shown(value)}" for name, value in content.items()]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(entry)}" for key, entry in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
