import numpy as np
import pytest

from talkin.errors import ConfigurationError
from talkin.face3d.mesh_export import write_mesh

VERTICES = np.array([[0, 0, 0], [1, 0, 0.5], [0, 2, 0], [0, 0, 3.25]])
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])


def test_obj_reads_back(tmp_path):
    write_mesh(tmp_path / "m.obj", VERTICES, TRIANGLES)
    lines = (tmp_path / "m.obj").read_text().splitlines()
    read = [[float(x) for x in line.split()[1:]] for line in lines if line.startswith("v ")]
    faces = [[int(x) - 1 for x in line.split()[1:]] for line in lines if line.startswith("f ")]
    np.testing.assert_allclose(read, VERTICES)
    np.testing.assert_array_equal(faces, TRIANGLES)


def test_ply_reads_back(tmp_path):
    write_mesh(tmp_path / "m.ply", VERTICES, TRIANGLES)
    header, body = (tmp_path / "m.ply").read_bytes().split(b"end_header\n", 1)
    assert b"element vertex 4" in header
    assert b"element face 2" in header
    np.testing.assert_allclose(np.frombuffer(body[:48], "<f4").reshape(4, 3), VERTICES)
    faces = np.frombuffer(body[48:], [("n", "u1"), ("v", "<i4", (3,))])
    np.testing.assert_array_equal(faces["v"], TRIANGLES)
    assert (faces["n"] == 3).all()


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"\.obj or \.ply"):
        write_mesh(tmp_path / "m.stl", VERTICES, TRIANGLES)
    assert not list(tmp_path.iterdir())
