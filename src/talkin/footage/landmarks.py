"""What landmark tracking found in one clip, and how the point layouts relate."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float

from talkin.errors import FootageError
from talkin.files import one_line, replace_when_whole

_LAYOUT = "talkin-landmarks-1"
_MOST_FRAMES, _LARGEST = 2_000_000, 8 << 30  # a day at 25 frames/s; bytes when unpacked
_FASTEST, _LARGEST_SIDE = 1000, 1 << 17
POINTS_OF_SCHEME = {"ibug68": 68, "mediapipe468": 468}

# The MediaPipe points nearest to iBUG's 68. Read the mesh's topology beside iBUG's drawing: jaw,
# brows, nose, eyes, outer and inner lips, each in iBUG's order.
IBUG68_IN_MEDIAPIPE468 = np.array(
    [
        *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
        *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
        *(168, 197, 5, 4, 75, 97, 2, 326, 305),
        *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
        *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
        *(78, 82, 13, 312, 308, 317, 14, 87),
    ]
)


@dataclass(frozen=True, eq=False)
class LandmarkTrack:
    """One person's landmarks through one clip.

    Attributes:
        points: Footage px (x right, y down), float32; NaN where the face was not found.
        scheme: "ibug68" or "mediapipe468": which points they are.
        is_found: Whether the face was found in the frame.
        score: How sure the source is, 0 to 1; 0 where not found.
        time_s: Seconds since the first picture.
        fps: Frames per second of the rows.
        width: Of the picture, px.
        height: Of the picture, px.
        notes: In words, which frames gave trouble and why.
        cuts: Frames with which a new shot begins.
    """

    points: Float[np.ndarray, "frames points 2"]
    scheme: str
    is_found: Bool[np.ndarray, "frames"]
    score: Float[np.ndarray, "frames"]
    time_s: Float[np.ndarray, "frames"]
    fps: float
    width: int
    height: int
    notes: list[str] = field(default_factory=list)
    cuts: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.is_found)

    def subset68(self) -> Float[np.ndarray, "frames 68 2"]:
        """The points in the 68-point (iBUG) layout, px."""
        if self.scheme == "ibug68":
            return self.points
        return self.points[:, IBUG68_IN_MEDIAPIPE468]

    def as_ibug68(self) -> "LandmarkTrack":
        """The same track, reduced to the 68-point layout."""
        return replace(self, points=self.subset68(), scheme="ibug68")

    @property
    def found_share(self) -> float:
        """Share of the frames in which the face was found, 0 to 1."""
        return float(self.is_found.mean()) if len(self) else 0.0

    def to_table(self) -> pa.Table:
        """As an Arrow table, a row a frame; what holds for the whole clip is in its metadata."""
        frames, points = self.points.shape[:2]
        flat = pa.array(np.ascontiguousarray(self.points, dtype=np.float32).ravel())
        columns = {
            "frame": pa.array(np.arange(frames, dtype=np.int32)),
            "time_s": pa.array(self.time_s.astype(np.float64)),
            "is_found": pa.array(self.is_found),
            "score": pa.array(self.score.astype(np.float32)),
            "points": pa.FixedSizeListArray.from_arrays(flat, points * 2),
        }
        metadata = {
            "layout": _LAYOUT,
            "scheme": self.scheme,
            "fps": repr(float(self.fps)),
            "width": str(self.width),
            "height": str(self.height),
            "notes": json.dumps(self.notes),
            "cuts": json.dumps([int(cut) for cut in self.cuts]),
            "units": "points px of the upright footage: x, y of each point in turn; time_s s "
            "since the first picture; score 0 to 1",
        }
        return pa.table(columns).replace_schema_metadata(metadata)

    @classmethod
    def from_table(cls, table: pa.Table) -> "LandmarkTrack":
        """Inverse of `to_table`.

        Raises:
            FootageError: If the table is of another layout, or its values make no sense.
        """
        metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        if metadata.get("layout") != _LAYOUT:
            raise FootageError(f"the table is no landmarks table (wanted layout {_LAYOUT})")
        count = POINTS_OF_SCHEME.get(metadata["scheme"])
        if count is None:
            raise FootageError(
                f"landmarks of the unknown scheme {metadata['scheme']!r}; "
                f"known are {', '.join(POINTS_OF_SCHEME)}"
            )
        flat = table["points"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        track = cls(
            points=flat.reshape(table.num_rows, count, 2),
            scheme=metadata["scheme"],
            is_found=table["is_found"].to_numpy(zero_copy_only=False),
            score=table["score"].to_numpy(),
            time_s=table["time_s"].to_numpy(),
            fps=float(metadata["fps"]),
            width=int(metadata["width"]),
            height=int(metadata["height"]),
            notes=[str(note) for note in json.loads(metadata["notes"])],
            cuts=_cuts(json.loads(metadata.get("cuts", "[]")), table["frame"]),
        )
        _check_values(track)
        return track

    def save(self, path: Path) -> None:
        """Write as Parquet, whole or not at all."""
        with replace_when_whole(path) as part:
            pq.write_table(self.to_table(), part)

    @classmethod
    def load(cls, path: Path) -> "LandmarkTrack":
        """Read what `save` wrote.

        Raises:
            FootageError: If the file is missing, damaged or of another layout.
        """
        try:
            _check_claims(pq.read_metadata(path))
            return cls.from_table(pq.read_table(path))
        except (
            *(OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError),
            pa.ArrowException,
        ) as error:
            raise FootageError(f"landmarks {path} cannot be read: {one_line(error)}") from error
        except FootageError as error:
            raise FootageError(f"{path}: {error}") from error


def _cuts(said: object, frames: pa.ChunkedArray) -> tuple[int, ...]:
    """The cuts within the table, which may be a part of the track that they were found in."""
    if not isinstance(said, list) or not all(type(cut) is int for cut in said):
        raise FootageError("its cuts are no list of frame numbers")
    if said != sorted(set(said)) or min(said, default=0) < 0:
        raise FootageError("its cuts do not rise from one to the next")
    first = frames[0].as_py() if len(frames) else 0
    return tuple(cut - first for cut in said if 0 <= cut - first < len(frames))


def _check_claims(metadata: pq.FileMetaData) -> None:
    """Refuse a small file that would unpack to more than any track holds."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    if metadata.num_rows > _MOST_FRAMES or sum(g.total_byte_size for g in groups) > _LARGEST:
        raise FootageError("it claims more frames or bytes than landmarks of a clip have")


def _check_values(track: LandmarkTrack) -> None:
    kinds = (track.points.dtype.kind, track.score.dtype.kind, track.time_s.dtype.kind)
    if kinds != ("f", "f", "f") or track.is_found.dtype.kind != "b":
        raise FootageError("a column is of another type than landmarks have, or has empty cells")
    steps = np.diff(track.time_s)
    if not np.isfinite(track.time_s).all() or (steps <= 0).any():
        raise FootageError("its times do not rise from row to row")
    if not 0 < track.fps <= _FASTEST or not all(
        0 < side <= _LARGEST_SIDE for side in (track.width, track.height)
    ):
        raise FootageError("it states an absurd frame rate or size of the picture")
    found = track.points[track.is_found]
    if not (np.abs(found) < _LARGEST_SIDE).all() or not np.isfinite(track.score).all():
        raise FootageError("points of frames in which the face was found lie beyond any picture")
