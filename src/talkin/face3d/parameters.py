"""What fitting found in one clip: the record that every later stage reads."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float

from talkin.errors import FaceModelError
from talkin.face3d.camera import project
from talkin.face3d.model import MorphableModel
from talkin.files import replace_when_whole

_LAYOUT = "talkin-face-parameters-1"
_FRAMES_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class FaceParameters:
    """One person's face through one clip.

    Pixels are those of the footage until `in_crop` carries them into the face crop. Frames in
    which no face was found hold values interpolated from their neighbours and `is_valid` False,
    so that every array is finite and every frame has a crop.

    Attributes:
        model_name: The morphable model whose coefficients these are.
        fps: Frames per second of the rows.
        time_s: Time of each frame in the footage.
        geometry: Once per clip, in standard deviations.
        expression: Per frame, in standard deviations.
        rotation: (pitch, yaw, roll) in radians.
        translation: Picture position of the model's origin, px.
        scale: Pixels per mm.
        landmarks: The detector's points in the 68-point layout, px; NaN where none was found.
        reprojection_error_px: Root mean square distance of fitted to detected points; 0 where
            there were none (and `is_valid` is False).
        interocular_px: Distance of the outer eye corners of the fitted face in space, times
            scale: how large the face is, however it is turned.
        is_valid: False where no face was found or the fit is not to be trusted.
    """

    model_name: str
    fps: float
    time_s: Float[np.ndarray, "frames"]
    geometry: Float[np.ndarray, "geometry"]
    expression: Float[np.ndarray, "frames expression"]
    rotation: Float[np.ndarray, "frames 3"]
    translation: Float[np.ndarray, "frames 2"]
    scale: Float[np.ndarray, "frames"]
    landmarks: Float[np.ndarray, "frames 68 2"]
    reprojection_error_px: Float[np.ndarray, "frames"]
    interocular_px: Float[np.ndarray, "frames"]
    is_valid: Bool[np.ndarray, "frames"]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.time_s)

    @property
    def pose(self) -> Float[np.ndarray, "frames 6"]:
        """(pitch, yaw, roll, x, y, scale) per frame: the paper's p."""
        return np.concatenate([self.rotation, self.translation, self.scale[:, None]], axis=1)

    def project(
        self, model: MorphableModel, vertices: np.ndarray | slice
    ) -> Float[np.ndarray, "frames points 2"]:
        """Picture positions of some vertices of the fitted face, px."""
        parts = []
        # Not all frames at once: their points in space would take twice what is wanted of them.
        for first in range(0, max(1, len(self)), _FRAMES_AT_ONCE):
            rows = slice(first, first + _FRAMES_AT_ONCE)
            points = model.points(vertices, self.geometry, self.expression[rows])
            pose = (self.rotation[rows], self.translation[rows], self.scale[rows])
            parts.append(project(points, *pose))
        return np.concatenate(parts)

    def mouth_landmarks(self, model: MorphableModel) -> Float[np.ndarray, "frames 39 2"]:
        """The 39 projected mouth-region points: the paper's l."""
        return self.project(model, model.mouth39)

    def with_expression(self, expression: Float[np.ndarray, "frames e"]) -> "FaceParameters":
        """The same head with another expression: how audio, or another face, drives it."""
        return replace(self, expression=expression)

    def select(self, frames: np.ndarray) -> "FaceParameters":
        """Rows by frame number, in that order; repeats are allowed."""
        rows = {
            name: getattr(self, name)[frames]
            for name in (
                "time_s",
                "expression",
                "rotation",
                "translation",
                "scale",
                "landmarks",
                "reprojection_error_px",
                "interocular_px",
                "is_valid",
            )
        }
        return replace(self, **rows)

    def in_crop(self, transforms: Float[np.ndarray, "frames 2 3"]) -> "FaceParameters":
        """Carry pixels into face crops by per-frame similarity transforms (footage to crop px).

        Exact, because roll is the last turn of the camera: a similarity of the picture only
        adds to roll, moves the translation and multiplies the scale.
        """
        linear, shift = transforms[..., :2], transforms[..., 2]
        factor = np.sqrt(np.abs(np.linalg.det(linear)))
        turn = np.arctan2(linear[:, 1, 0], linear[:, 0, 0])  # picture y is down: roll falls by it
        rotation = self.rotation.copy()
        rotation[:, 2] -= turn
        return replace(
            self,
            rotation=rotation,
            translation=np.einsum("fij,fj->fi", linear, self.translation) + shift,
            scale=self.scale * factor,
            landmarks=np.einsum("fij,fpj->fpi", linear, self.landmarks) + shift[:, None],
            reprojection_error_px=self.reprojection_error_px * factor,
            interocular_px=self.interocular_px * factor,
        )

    def to_table(self, **notes: str) -> pa.Table:
        """As an Arrow table, a row a frame; clip-constant values and units are in its metadata."""
        frames = len(self)
        columns = {
            "frame": pa.array(np.arange(frames, dtype=np.int32)),
            "time_s": pa.array(self.time_s.astype(np.float64)),
            "expression": _list_column(self.expression),
            "rotation": _list_column(self.rotation),
            "translation": _list_column(self.translation),
            "scale": pa.array(self.scale.astype(np.float32)),
            "landmarks": _list_column(self.landmarks.reshape(frames, -1)),
            "reprojection_error_px": pa.array(self.reprojection_error_px.astype(np.float32)),
            "interocular_px": pa.array(self.interocular_px.astype(np.float32)),
            "is_valid": pa.array(self.is_valid),
        }
        metadata = {
            "layout": _LAYOUT,
            "model_name": self.model_name,
            "fps": repr(float(self.fps)),
            "geometry": json.dumps([float(value) for value in self.geometry]),
            "units": "rotation rad (pitch, yaw, roll); translation, landmarks px; scale px/mm; "
            "geometry, expression standard deviations",
            **notes,
        }
        return pa.table(columns).replace_schema_metadata(metadata)

    @classmethod
    def from_table(cls, table: pa.Table) -> "FaceParameters":
        """Inverse of `to_table`.

        Raises:
            FaceModelError: If the table is of another layout.
        """
        metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        if metadata.get("layout") != _LAYOUT:
            raise FaceModelError(f"the table is no FaceParameters table (wanted layout {_LAYOUT})")
        frames = table.num_rows
        return cls(
            model_name=metadata["model_name"],
            fps=float(metadata["fps"]),
            time_s=table["time_s"].to_numpy(),
            geometry=np.array(json.loads(metadata["geometry"]), dtype=np.float32),
            expression=_matrix(table["expression"], frames),
            rotation=_matrix(table["rotation"], frames),
            translation=_matrix(table["translation"], frames),
            scale=table["scale"].to_numpy(),
            landmarks=_matrix(table["landmarks"], frames).reshape(frames, 68, 2),
            reprojection_error_px=table["reprojection_error_px"].to_numpy(),
            interocular_px=table["interocular_px"].to_numpy(),
            is_valid=table["is_valid"].to_numpy(zero_copy_only=False),
        )

    def save(self, path: Path, **notes: str) -> None:
        """Write as Parquet, whole or not at all; `notes` go to the file's metadata."""
        with replace_when_whole(path) as part:
            pq.write_table(self.to_table(**notes), part)

    @classmethod
    def load(cls, path: Path) -> "FaceParameters":
        """Read what `save` wrote.

        Raises:
            FaceModelError: If the file is missing, damaged or of another layout.
        """
        try:
            return cls.from_table(pq.read_table(path))
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise FaceModelError(f"face parameters {path} cannot be read: {error}") from error


def _list_column(values: np.ndarray) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _matrix(column: pa.ChunkedArray, frames: int) -> np.ndarray:
    # combine_chunks keeps slices honest: `values` of a sliced list array ignores the slice.
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(frames, -1)
