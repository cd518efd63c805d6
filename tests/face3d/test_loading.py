import numpy as np
import pytest

from talkin.errors import FaceModelError
from talkin.face3d import gaussian_process, loading
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.face3d.model import load_model_file


@pytest.fixture
def cache(tmp_path, monkeypatch, model):
    """An empty cache and a count of how often the model was built."""
    built = []

    def build():
        built.append(1)
        return model

    monkeypatch.setenv("TALKIN_CACHE", str(tmp_path))
    monkeypatch.setattr(gaussian_process, "build_gaussian_process_model", build)
    loading._embedded.cache_clear()
    yield tmp_path, built
    loading._embedded.cache_clear()


def test_the_model_is_built_once_and_then_read(cache, model):
    folder, built = cache
    load_face_model()
    loading._embedded.cache_clear()
    read = load_face_model()
    assert len(built) == 1
    assert len(list(folder.glob("*.safetensors"))) == 1
    np.testing.assert_array_equal(read.geometry_basis, model.geometry_basis)
    assert read.name == model.name


def test_a_damaged_cache_is_rebuilt(cache):
    folder, built = cache
    load_face_model()
    (path,) = folder.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:1000])
    loading._embedded.cache_clear()
    load_face_model()
    assert len(built) == 2
    assert load_model_file(path).n_geometry == 199


def test_an_unwritable_cache_does_not_stop_the_work(cache, monkeypatch):
    folder, _ = cache
    (folder / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("TALKIN_CACHE", str(folder / "blocked"))
    assert load_face_model().n_expression == 29


def test_an_own_file_is_read_and_a_bad_one_named(tmp_path, model):
    path = tmp_path / "own.safetensors"
    model.save(path)
    assert load_face_model(FaceModelConfig(name="own", file=path)).name == model.name
    path.write_bytes(b"nothing")
    with pytest.raises(FaceModelError, match=r"own\.safetensors"):
        load_face_model(FaceModelConfig(name="own", file=path))


def test_an_unknown_model_says_what_to_do():
    with pytest.raises(FaceModelError, match=r"face_model\.file"):
        load_face_model(FaceModelConfig(name="bfm-2009"))
