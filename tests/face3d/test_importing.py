import importlib.util
import os
import pickle
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from talkin.cli import main
from talkin.errors import FaceModelError
from talkin.face3d import importing
from talkin.face3d.fitting import fit_clip
from talkin.face3d.importing import FaceImportConfig, import_face_model
from talkin.face3d.loading import FaceModelConfig, load_face_model
from talkin.face3d.restricted_pickle import read_restricted

_SPEC = importlib.util.spec_from_file_location(
    "model_files", Path(__file__).with_name("model_files.py")
)
files = importlib.util.module_from_spec(_SPEC)
import sys  # noqa: E402

sys.modules["model_files"] = files  # dataclasses look their own module up
_SPEC.loader.exec_module(files)

REALDATA = Path(
    os.environ.get("TALKIN_REALDATA", Path(__file__).parents[3] / "shared" / "realdata")
)


@pytest.fixture(autouse=True)
def embedded(monkeypatch, model):
    monkeypatch.setattr(importing, "load_face_model", lambda: model)


@pytest.fixture(scope="module")
def small(model):
    return files.Small.cut(model)


def bfm2009(folder, small):
    shape, moves = files.write_bfm2009(folder, small)
    return shape, FaceImportConfig(expression=moves)


FORMATS = {
    "bfm2009": bfm2009,
    "bfm2009 trimmed": lambda folder, small: (files.write_bfm2009(folder, small, 400)[0], None),
    "3ddfa arrays": lambda folder, small: (files.write_3ddfa_arrays(folder, small), None),
    "bfm2017": lambda folder, small: (files.write_bfm2017(folder / "m.h5", small), None),
    "flame": lambda folder, small: (files.write_flame(folder, small), None),
    "ict-facekit": lambda folder, small: (files.write_ict(folder / "ict.npz", small), None),
}


@pytest.fixture(params=FORMATS)
def imported(request, tmp_path, small):
    path, config = FORMATS[request.param](tmp_path, small)
    return request.param, import_face_model(path, config)


def test_every_format_brings_the_same_face_in_mm_with_the_nasion_in_place(imported, small, model):
    _, found = imported
    expected = small.mean - small.mean[27] + model.mean[27]
    np.testing.assert_allclose(found.mean, expected[: len(found.mean)], atol=2e-2)
    assert found.n_geometry in {6, 199}


def test_known_landmarks_are_kept_and_missing_ones_found(imported, small):
    name, found = imported
    if name == "bfm2017":  # its file names ten of them
        away = np.linalg.norm(found.mean[found.landmarks68] - found.mean[small.landmarks], axis=1)
        assert away.max() < 3.0
    else:
        np.testing.assert_array_equal(found.landmarks68, small.landmarks)
    np.testing.assert_array_equal(found.mouth39[:20], found.landmarks68[48:])
    np.testing.assert_array_equal(found.mouth39[20:31], found.landmarks68[3:14])


def test_cheek_points_lie_between_nose_and_mouth_corner(imported):
    _, found = imported
    cheeks = found.mean[found.mouth39[31:]]
    nose, corner = found.mean[found.landmarks68[33]], found.mean[found.landmarks68[48]]
    assert (cheeks[:, 1] < nose[1] + 8).all()
    assert (cheeks[:, 1] > corner[1] - 8).all()
    assert (cheeks[:4, 0] < 0).all()
    assert (cheeks[4:, 0] > 0).all()


def test_expression_spreads_as_in_the_source(imported, small):
    name, found = imported
    if name == "ict-facekit":
        pytest.skip("actions are given a spread of their own")
    lips = small.landmarks[48:]
    wanted = np.einsum("vce,vde->vcd", small.expression[lips], small.expression[lips])
    basis = found.expression_basis[lips].astype(float)
    spread = np.einsum("vce,vde->vcd", basis, basis)
    if name == "flame":  # and the jaw on top of it
        assert (np.einsum("vcc->v", spread) > np.einsum("vcc->v", wanted) - 1e-3).all()
    else:
        np.testing.assert_allclose(spread, wanted, atol=2e-2)


def test_geometry_cannot_imitate_the_camera(imported):
    _, found = imported
    front = found.mean[:, 2] > found.mean[found.landmarks68[30], 2] - 90
    basis = found.geometry_basis[front].astype(float)
    centred = found.mean[front] - found.mean[front].mean(0)
    assert np.abs(basis.mean(0)).max() < 1e-3
    grown = np.einsum("vc,vcg->g", centred, basis) / np.sqrt((centred**2).sum())
    assert np.abs(grown).max() < 1e-2


def test_triangles_look_outwards(imported):
    _, found = imported
    corners = found.mean[found.triangles].astype(float)
    near = np.linalg.norm(corners.mean(1) - found.mean[found.landmarks68[30]], axis=1) < 25
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normals[near, 2] > 0).mean() > 0.9


def test_an_imported_model_explains_faces_drawn_from_it(imported, plant, as_track, tmp_path):
    _, found = imported
    found.save(tmp_path / "model.safetensors")
    config = FaceModelConfig(name="file", file=tmp_path / "model.safetensors")
    loaded = load_face_model(config)
    planted = plant(12)
    random = np.random.default_rng(1)
    geometry, expression = np.zeros(found.n_geometry), np.zeros((12, found.n_expression))
    geometry[:6], expression[:, :3] = random.normal(size=6), random.normal(size=(12, 3))
    truth = replace(planted, geometry=geometry, expression=expression)
    fitted = fit_clip(as_track(truth.landmarks(loaded)), loaded)
    assert fitted.model_name == found.name
    assert (fitted.reprojection_error_px / fitted.interocular_px).mean() < 0.005


def test_origin_and_licence_stay_with_the_file(tmp_path, small):
    path = files.write_ict(tmp_path / "ict.npz", small)
    import_face_model(path).save(tmp_path / "m.safetensors")
    notes = load_face_model(FaceModelConfig(file=tmp_path / "m.safetensors")).notes
    assert notes["licence"].startswith("MIT")
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert notes["source_sha256"] == digest.split()[0]


def test_the_jaw_of_flame_opens_the_mouth(tmp_path, small):
    found = import_face_model(files.write_flame(tmp_path, small, in_chumpy=False))
    lips = found.expression_basis[found.landmarks68[[62, 66]], 1].astype(float)
    assert np.abs(lips[0] - lips[1]).max() > 3.0, "one mode moves the lower lip some mm down"


class _Attack:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("where", ["pickle", "npy"])
def test_a_pickle_that_runs_a_program_is_refused_and_not_run(tmp_path, where):
    mark = tmp_path / "ran"
    content = {"v_template": _Attack(f"touch {mark}")}
    path = tmp_path / f"model.{'pkl' if where == 'pickle' else 'npy'}"
    if where == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        np.save(path, np.array(content, dtype=object), allow_pickle=True)
    with pytest.raises(FaceModelError, match=r"system.*only plain arrays"):
        read_restricted(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "stream",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\ngetattr\n(cnumpy\nndarray\nS'tofile'\ntR.",
        b"cnumpy\nndarray.tofile\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x94.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cbuiltins\nobject\n(I0\ntS'b'\ntR.",
        b"",
        b"\x80\x04N",
    ],
)
def test_other_hostile_or_broken_streams_are_refused(tmp_path, stream):
    path = tmp_path / "model.pkl"
    path.write_bytes(stream)
    if stream.endswith(b"\x94."):  # a plain string: harmless, but no model
        with pytest.raises(FaceModelError, match="no FLAME model"):
            import_face_model(path)
        return
    with pytest.raises(FaceModelError, match="was not read"):
        read_restricted(path)


def test_the_reader_still_reads_arrays_of_every_protocol(tmp_path):
    content = {"a": np.arange(6.0).reshape(2, 3), "b": np.float32(2), "c": [1, "x"]}
    for protocol in range(6):
        path = tmp_path / "plain.pkl"
        path.write_bytes(pickle.dumps(content, protocol=protocol))
        read = read_restricted(path)
        np.testing.assert_array_equal(read["a"], content["a"])
        assert read["b"] == 2
        assert read["c"] == [1, "x"]


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda s: replace(s, mean=s.mean / 10), "units"),
        (lambda s: replace(s, mean=s.mean * [-1, 1, 1]), "axes"),
        (lambda s: replace(s, triangles=s.triangles + 10**6), "triangles"),
        (lambda s: replace(s, mean=np.where(s.mean > 60, np.nan, s.mean)), "finite"),
    ],
)
def test_a_file_that_is_not_what_it_promises_is_named(tmp_path, small, break_it, complaint):
    path = files.write_ict(tmp_path / "ict.npz", break_it(small))
    with pytest.raises(FaceModelError, match=complaint):
        import_face_model(path)


@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz", ".pkl", ".blend"])
def test_rubbish_of_any_suffix_gives_a_clear_error(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"rubbish, not a model")
    with pytest.raises(FaceModelError, match=f"model{suffix}"):
        import_face_model(path)


def test_missing_companions_are_asked_for(tmp_path, small):
    shape, moves = files.write_bfm2009(tmp_path, small, 400)
    (tmp_path / "model_info.mat").unlink()
    with pytest.raises(FaceModelError, match="trimIndex"):
        import_face_model(shape)
    moves.unlink()
    with pytest.raises(FaceModelError, match="--expression"):
        import_face_model(shape)
    path = files.write_flame(tmp_path, small)
    (tmp_path / "landmark_embedding.npy").unlink()
    with pytest.raises(FaceModelError, match="--landmarks"):
        import_face_model(path)


def test_the_command_imports_and_exports(tmp_path, small, plant, as_track):
    path = files.write_ict(tmp_path / "ict.npz", small)
    runner = CliRunner()
    done = runner.invoke(main, ["face", "import", str(path)])
    assert done.exit_code == 0, done.output
    assert "MIT" in done.output
    loaded = load_face_model(FaceModelConfig(file=tmp_path / "ict.safetensors"))
    truth = replace(
        plant(3),
        geometry=np.zeros(loaded.n_geometry),
        expression=np.zeros((3, loaded.n_expression)),
    )
    fit_clip(as_track(truth.landmarks(loaded)), loaded).save(tmp_path / "fit.parquet")
    export = ["face", "export", str(tmp_path / "fit.parquet"), str(tmp_path / "face.obj")]
    model = ["--model", str(tmp_path / "ict.safetensors")]
    done = runner.invoke(main, [*export, "--frame", "2", *model])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "face.obj").read_text().count("\nv ") == len(loaded.mean)
    done = runner.invoke(main, [*export, "--frame", "3", *model])
    assert done.exit_code == 1
    assert "frames 0 to 2" in done.output
    done = runner.invoke(main, export)
    assert done.exit_code == 1
    assert "ict-facekit" in done.output


@pytest.mark.realdata
def test_real_ict_facekit_fits_a_real_clip_about_as_well(model):
    pack = REALDATA / "models3d" / "ict_facekit" / "ict_facekit.npz"
    video = REALDATA / "clips" / "spk30_grid_bbaf2n.mpg"
    if not (pack.exists() and video.exists()):
        pytest.skip(f"no recordings in {REALDATA}")
    from talkin.footage.detection import load_detector
    from talkin.footage.nets import find_nets
    from talkin.footage.tracking import track_landmarks

    try:
        find_nets()
    except Exception as error:
        pytest.skip(f"the landmark nets are not here: {error}")
    ict = import_face_model(pack)
    assert ict.n_geometry == 100
    track = track_landmarks(video, load_detector())
    errors = []
    for used in (model, ict):
        sparse = replace(used, mesh468=np.full(468, -1))
        fitted = fit_clip(track, sparse)
        errors.append(np.median(fitted.reprojection_error_px / fitted.interocular_px))
        assert fitted.is_valid.all()
    assert errors[1] < 0.03
    assert errors[1] < 2.5 * errors[0]


@pytest.mark.realdata
def test_the_real_landmark_embedding_of_flame_is_read_without_running_it():
    path = REALDATA / "models3d" / "flame_embedding" / "landmark_embedding.npy"
    if not path.exists():
        pytest.skip(f"no face models in {REALDATA}")
    content = read_restricted(path)
    assert np.asarray(content["full_lmk_faces_idx"]).size == 68
