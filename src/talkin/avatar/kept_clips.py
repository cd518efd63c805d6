"""Prepared clips without pictures in one safetensors file, exactly as they were."""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from talkin.errors import ConfigurationError
from talkin.face3d.parameters import FaceParameters
from talkin.files import replace_when_whole
from talkin.samples.dataset import PreparedClip

_LAYOUT = "talkin-kept-clips-1"
_ARRAYS = tuple(
    field.name for field in fields(FaceParameters) if field.name not in {"model_name", "fps"}
)


def save_clips(path: Path, clips: Sequence[PreparedClip]) -> None:
    """Write sound and face of clips, whole or not at all; crops are left out."""
    arrays, notes = {}, []
    for number, clip in enumerate(clips):
        face = clip.parameters
        arrays[f"{number}/mfcc"] = np.ascontiguousarray(clip.mfcc)
        for name in _ARRAYS:
            arrays[f"{number}/{name}"] = np.ascontiguousarray(getattr(face, name))
        known = {"clip": clip.clip, "speaker": clip.speaker}
        notes.append({**known, "model_name": face.model_name, "fps": float(face.fps)})
    header = {"layout": _LAYOUT, "clips": json.dumps(notes)}
    with replace_when_whole(path) as part:
        save_file(arrays, part, metadata=header)


def load_clips(path: Path) -> list[PreparedClip]:
    """Read what `save_clips` wrote.

    Raises:
        ConfigurationError: If the file is missing, damaged or of another layout.
    """
    try:
        with safe_open(path, framework="np") as opened:
            header = opened.metadata() or {}
            if header.get("layout") != _LAYOUT:
                raise ValueError(f"its layout is {header.get('layout')!r}, not {_LAYOUT}")
            notes: list[dict[str, Any]] = json.loads(header["clips"])
            return [_clip(number, note, opened) for number, note in enumerate(notes)]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"kept clips {path} cannot be read: {error}; delete the file"
        ) from error


def _clip(number: int, note: dict[str, Any], opened: Any) -> PreparedClip:
    arrays = {name: opened.get_tensor(f"{number}/{name}") for name in _ARRAYS}
    face = FaceParameters(model_name=note["model_name"], fps=note["fps"], **arrays)
    mfcc = opened.get_tensor(f"{number}/mfcc")
    return PreparedClip(note["clip"], note["speaker"], face, mfcc, crops=None)
