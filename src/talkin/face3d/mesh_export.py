"""The fitted face as a mesh file that any 3D program opens."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from talkin.errors import ConfigurationError, FaceModelError
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.files import replace_when_whole

MESH_SUFFIXES = (".obj", ".ply")


def export_frame(parameters: FaceParameters, model: MorphableModel, frame: int, path: Path) -> None:
    """Write the face of one frame, without the head's pose, as `.obj` or `.ply`.

    Millimetres; x to the right of the picture, y up, z to the camera.

    Raises:
        ConfigurationError: If the frame is not in the clip.
        FaceModelError: If the parameters belong to another model.
    """
    if not 0 <= frame < len(parameters):
        raise ConfigurationError(
            f"frame {frame} does not exist: the clip has frames 0 to {len(parameters) - 1}"
        )
    if parameters.model_name != model.name:
        raise FaceModelError(
            f"the parameters belong to face model {parameters.model_name!r}, not {model.name!r}; "
            "give that model's file"
        )
    write_mesh(
        path, model.vertices(parameters.geometry, parameters.expression[frame]), model.triangles
    )


def write_mesh(
    path: Path, vertices: Float[np.ndarray, "v 3"], triangles: Int[np.ndarray, "t 3"]
) -> None:
    """Write a triangle mesh, whole or not at all; the suffix chooses the format.

    Raises:
        ConfigurationError: If the suffix is neither `.obj` nor `.ply`.
    """
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise ConfigurationError(f"{path} has no mesh suffix: name it .obj or .ply")
    content = _obj if path.suffix.lower() == ".obj" else _ply
    with replace_when_whole(path) as part:
        part.write_bytes(content(vertices, triangles))


def _obj(vertices: np.ndarray, triangles: np.ndarray) -> bytes:
    lines = ["# millimetres; x right of the picture, y up, z to the camera"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in triangles + 1]
    return ("\n".join(lines) + "\n").encode()


def _ply(vertices: np.ndarray, triangles: np.ndarray) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment millimetres\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(triangles), dtype=[("count", "u1"), ("corners", "<i4", (3,))])
    faces["count"], faces["corners"] = 3, triangles
    return header.encode() + vertices.astype("<f4").tobytes() + faces.tobytes()
