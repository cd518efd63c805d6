"""What a run was made from: code, data, Python and packages."""

import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

_NOTED = {
    "data_version": "data/01_raw/footage",
    "training_index_version": "data/05_model_input/training_index.parquet",
}
"""Tags, and the DVC output whose hash each of them takes."""


def versions_of(root: Path) -> dict[str, str]:
    """Tags of a run: `code_version`, `data_version` and `training_index_version`, `python`.

    The data's versions are DVC's hashes in dvc.lock, by which `dvc` finds the data again; a run
    outside DVC says so.
    """
    hashes = _dvc_hashes(root / "dvc.lock")
    data = {tag: hashes.get(path, "not under DVC") for tag, path in _NOTED.items()}
    return {"code_version": _code_version(root), "python": platform.python_version(), **data}


def installed_packages() -> str:
    """A line a package, as `pip freeze` writes them."""
    found = {str(d.metadata["Name"]): d.version for d in distributions() if d.metadata["Name"]}
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower))


def _dvc_hashes(lock: Path) -> dict[str, str]:
    if not lock.exists():
        return {}
    import yaml

    content: dict[str, Any] = yaml.safe_load(lock.read_text(encoding="utf-8")) or {}
    outs = [out for stage in content.get("stages", {}).values() for out in stage.get("outs", [])]
    return {out["path"]: str(out.get("md5", "")) for out in outs}


def _code_version(root: Path) -> str:
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
