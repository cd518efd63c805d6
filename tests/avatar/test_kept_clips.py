import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from talkin.avatar.kept_clips import load_clips, save_clips
from talkin.errors import ConfigurationError

sys.path.insert(0, str(Path(__file__).parents[1] / "toys"))

from toy_corpus import toy_clip


def test_kept_clips_are_read_as_they_were_to_the_last_bit(tmp_path: Path) -> None:
    clips = [toy_clip(0, "a", n=9), toy_clip(1, "b", n=7)]
    save_clips(tmp_path / "kept.safetensors", clips)
    for kept, clip in zip(load_clips(tmp_path / "kept.safetensors"), clips, strict=True):
        assert (kept.clip, kept.speaker, kept.crops) == (clip.clip, clip.speaker, None)
        np.testing.assert_array_equal(kept.mfcc, clip.mfcc)
        for field in fields(clip.parameters):
            value, wanted = (getattr(c.parameters, field.name) for c in (kept, clip))
            np.testing.assert_array_equal(value, wanted, err_msg=field.name)
            assert np.asarray(value).dtype == np.asarray(wanted).dtype, field.name


@pytest.mark.parametrize("content", [b"", b"no safetensors", None])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "kept.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"kept\.safetensors"):
        load_clips(path)
