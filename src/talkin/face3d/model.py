"""The morphable model: a mean face and two linear bases, whoever made them.

Every model, embedded or imported, is held in this one layout, so nothing downstream asks which
it is. Coefficients are in units of their standard deviation: the bases are stored already
multiplied by it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from talkin.errors import FaceModelError
from talkin.files import replace_when_whole

_ARRAYS = (
    "mean",
    "geometry_basis",
    "expression_basis",
    "triangles",
    "landmarks68",
    "mouth39",
    "mesh468",
)
_MEASURED_ARRAYS = ("mesh468_offset", "mesh468_error")


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """Vertices = mean + geometry_basis . geometry + expression_basis . expression (section 3.1).

    Attributes:
        name: Which model it is; two models' coefficients cannot be compared.
        mean: Mean face, mm (axes: see `camera`).
        geometry_basis: mm per standard deviation; the last axis counts coefficients.
        expression_basis: The same for expression.
        triangles: Vertex numbers, anticlockwise seen from outside.
        landmarks68: Vertex of each point of the 68-point (iBUG) layout.
        mouth39: Vertices of the mouth region: 20 lip points (iBUG 48..67), 11 lower-jaw points
            (iBUG 3..13), 8 cheek points along the nasolabial folds (4 of the picture's left
            side from nose to mouth corner, then 4 of its right side).
        mesh468: Vertex that each of the 468 MediaPipe points sees, -1 where none matches.
        mesh468_offset: The way from that vertex to the point itself, mm; None means none.
        mesh468_error: How far each of them strays from its vertex, as a share of the distance of
            the outer eye corners; None where it was not measured.
        notes: Where an imported model comes from: `licence`, `source`, `source_sha256`.
    """

    name: str
    mean: Float[np.ndarray, "vertices 3"]
    geometry_basis: Float[np.ndarray, "vertices 3 geometry"]
    expression_basis: Float[np.ndarray, "vertices 3 expression"]
    triangles: Int[np.ndarray, "triangles 3"]
    landmarks68: Int[np.ndarray, "68"]
    mouth39: Int[np.ndarray, "39"]
    mesh468: Int[np.ndarray, "468"]
    mesh468_offset: Float[np.ndarray, "468 3"] | None = None
    mesh468_error: Float[np.ndarray, "468"] | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def n_geometry(self) -> int:
        """Number of geometry coefficients (199 in the paper)."""
        return self.geometry_basis.shape[-1]

    @property
    def n_expression(self) -> int:
        """Number of expression coefficients (29 in the paper)."""
        return self.expression_basis.shape[-1]

    def points(
        self,
        vertices: Int[np.ndarray, "points"] | slice,
        geometry: Float[np.ndarray, "*batch geometry"],
        expression: Float[np.ndarray, "*batch expression"],
    ) -> Float[np.ndarray, "*batch points 3"]:
        """Positions in mm of some vertices; `geometry` and `expression` broadcast."""
        shaped = np.einsum("vcg,...g->...vc", self.geometry_basis[vertices], geometry)
        moved = np.einsum("vce,...e->...vc", self.expression_basis[vertices], expression)
        return self.mean[vertices] + shaped + moved

    def vertices(
        self,
        geometry: Float[np.ndarray, "*batch geometry"],
        expression: Float[np.ndarray, "*batch expression"],
    ) -> Float[np.ndarray, "*batch vertices 3"]:
        """Positions in mm of all vertices."""
        return self.points(slice(None), geometry, expression)

    def save(self, path: Path) -> None:
        """Write the model as safetensors, whole or not at all."""
        arrays = {key: np.ascontiguousarray(getattr(self, key)) for key in _ARRAYS}
        for key in _MEASURED_ARRAYS:
            if getattr(self, key) is not None:
                arrays[key] = np.ascontiguousarray(getattr(self, key))
        metadata = {"name": self.name, "layout": "talkin-face-1", "notes": json.dumps(self.notes)}
        with replace_when_whole(path) as part:
            save_file(arrays, part, metadata=metadata)
            _sort_metadata(part)


def _sort_metadata(path: Path) -> None:
    """Order the header's metadata, which safetensors writes in another order each time."""
    with path.open("rb+") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:  # the same characters in another order
            file.seek(8)
            file.write(text.ljust(length))


def load_model_file(path: Path) -> MorphableModel:
    """Read a model that `MorphableModel.save` wrote.

    Raises:
        FaceModelError: If the file is missing, damaged or of another layout.
    """
    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            if metadata.get("layout") != "talkin-face-1":
                raise FaceModelError(
                    f"{path} is no talkin face model (its layout is "
                    f"{metadata.get('layout', 'not named')}, talkin-face-1 was expected)"
                )
            present = [key for key in _MEASURED_ARRAYS if key in set(opened.keys())]
            return MorphableModel(
                name=metadata["name"],
                notes=json.loads(metadata.get("notes", "{}")),
                **{key: opened.get_tensor(key) for key in (*_ARRAYS, *present)},
            )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise FaceModelError(f"face model {path} cannot be read: {error}") from error
