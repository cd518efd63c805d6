import sys
from pathlib import Path

import numpy as np
import pytest

from talkin.footage.audio import Audio, write_wav
from talkin.provenance.credentials import EditCredential, Ingredient
from talkin.provenance.signing import load_identity

sys.path.insert(0, str(Path(__file__).parent))

from provenance_footage import pictures, write_clip


@pytest.fixture(autouse=True)
def _own_signing_folder(tmp_path, monkeypatch):
    """No test touches, or depends on, the key of whoever runs it."""
    monkeypatch.setenv("TALKIN_SIGNING", str(tmp_path / "signing"))


@pytest.fixture
def sources(tmp_path):
    """Files that an edit may be made from."""
    target = write_clip(tmp_path / "ann.mp4", pictures(5))
    audio = tmp_path / "speech.wav"
    write_wav(audio, Audio(np.zeros(1600, np.float32), 16000))
    return target, audio


@pytest.fixture
def credential(sources):
    target, audio = sources
    return EditCredential(
        ingredients=(
            Ingredient(role="target", path=target),
            Ingredient(role="audio", path=audio),
        ),
        model_version="3",
    )


@pytest.fixture
def signer(tmp_path):
    return load_identity(folder=tmp_path / "signing")


@pytest.fixture
def edit(tmp_path):
    return write_clip(tmp_path / "edit.mp4", pictures(8, seed=2))
