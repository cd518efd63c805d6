"""One clip's face crops in one file: JPEG rows in an Arrow IPC file, read by memory mapping.

Any window of frames is decoded without touching the rest, the file opens in pandas, and writing
streams, so a long clip never has to fit in memory. Every row carries a checksum of its picture.
"""

import bisect
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import pyarrow as pa
from jaxtyping import Float64, UInt8

from talkin.errors import FootageError
from talkin.files import replace_when_whole

_LAYOUT = "talkin-crops-1"
_ROWS_PER_BATCH = 32
_QUALITIES = range(60, 99)
_SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("transform", pa.list_(pa.float64(), 6), nullable=False),
        pa.field("jpeg", pa.binary(), nullable=False),
        pa.field("crc32", pa.uint32(), nullable=False),
    ]
)


class CropWriter:
    """Writes the crops of one clip, a frame at a time; the file appears only when whole.

    Use as a context manager: leaving it by an exception leaves no file.
    """

    def __init__(
        self,
        path: Path,
        size_px: int,
        fps: float,
        psnr_db: float = 44.0,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """Name the goal and the constants of the clip.

        Args:
            path: The file to make.
            size_px: Side of every crop.
            fps: Frames per second of the rows.
            psnr_db: How near the stored face comes to the given one: every batch of rows takes
                the lowest JPEG quality (60 to 98) that reaches it in the middle of the crop, for
                its first, middle and last crop alike: one of them may be black or hold no face.
                Smooth footage needs half the bytes of grainy footage for that. Colour is kept at
                full resolution (4:4:4), for lips are told from skin by it.
            notes: Anything worth keeping with the crops, such as their configuration as JSON.
        """
        self._size_px = size_px
        self._psnr_db = psnr_db
        self._schema = _SCHEMA.with_metadata(
            {
                "layout": _LAYOUT,
                "size_px": str(size_px),
                "fps": repr(float(fps)),
                "units": "transform: footage px to crop px, row by row",
                "notes": json.dumps(dict(notes or {})),
            }
        )
        self._replacing = replace_when_whole(Path(path))
        self._rows: list[tuple[UInt8[np.ndarray, "size size 3"], list[float]]] = []
        self._written = 0
        self._file: Any = None

    def __enter__(self) -> Self:
        """Open the file beside its goal."""
        part = self._replacing.__enter__()
        self._file = pa.ipc.new_file(str(part), self._schema)
        return self

    def write(self, crop: UInt8[np.ndarray, "size size 3"], transform: np.ndarray) -> None:
        """Add one frame.

        Args:
            crop: RGB.
            transform: (2, 3), footage px to crop px.
        """
        if crop.shape != (self._size_px, self._size_px, 3) or crop.dtype != np.uint8:
            raise ValueError(f"a crop must be {self._size_px} px square uint8 RGB: {crop.shape}")
        self._rows.append((crop.copy(), [float(value) for value in np.asarray(transform).ravel()]))
        if len(self._rows) == _ROWS_PER_BATCH:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file, or drop it if an exception is on its way."""
        if kind is None:
            self._flush()
        self._file.close()
        self._replacing.__exit__(kind, error, trace)

    def _flush(self) -> None:
        if not self._rows:
            return
        crops, transforms = zip(*self._rows, strict=True)
        judged = {0, len(crops) // 2, len(crops) - 1}
        quality = max(_least_quality(crops[row], self._psnr_db) for row in judged)
        jpegs = [_as_jpeg(crop, quality).tobytes() for crop in crops]
        numbers = range(self._written, self._written + len(crops))
        columns = (numbers, transforms, jpegs, [zlib.crc32(jpeg) for jpeg in jpegs])
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(columns, _SCHEMA, strict=True)
        ]
        self._file.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._written += len(crops)
        self._rows.clear()


class CropReader:
    """Crops of one clip by frame number. Holds no picture in memory; may be sent to workers."""

    def __init__(self, path: Path) -> None:
        """Map the file.

        Raises:
            FootageError: If it is missing, damaged, cut short or no crop file.
        """
        self.path = Path(path)
        try:
            self._open()
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise FootageError(
                f"crops {self.path} cannot be read ({error}); delete the file and preprocess the "
                "clip again"
            ) from error

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.transforms)

    def __getitem__(self, frame: int) -> UInt8[np.ndarray, "size size 3"]:
        """One crop, RGB; negative numbers count from the end."""
        at = frame + len(self) if frame < 0 else frame
        if not 0 <= at < len(self):
            raise IndexError(f"frame {frame} of {self.path}, which has {len(self)}")
        batch, row = divmod(at, _ROWS_PER_BATCH)
        jpeg = self._jpegs[batch][row].as_buffer()
        whole = zlib.crc32(jpeg) == self._checksums[at]
        crop = _from_jpeg(np.frombuffer(jpeg, np.uint8)) if whole else None
        if crop is None:
            raise FootageError(
                f"crops {self.path}: frame {at} is damaged (its checksum does not match); delete "
                "the file and preprocess the clip again"
            )
        return crop

    @property
    def checksum(self) -> int:
        """One number for all pictures: files that differ in a stored byte differ in it."""
        return zlib.crc32(self._checksums.tobytes())

    def window(self, t: int, n: int = 7) -> UInt8[np.ndarray, "n size size 3"]:
        """Frames t - n + 1 .. t; before the first frame the first one is repeated."""
        frames = [max(0, frame) for frame in range(t - n + 1, t + 1)]
        # Each picture is freed before the next is decoded: fresh memory costs as much as decoding.
        window = np.empty((n, self.size_px, self.size_px, 3), np.uint8)
        for i, frame in enumerate(frames):
            window[i] = window[i - 1] if i and frame == frames[i - 1] else self[frame]
        return window

    def __getstate__(self) -> dict[str, Path]:
        """Only the path travels: a worker maps the file itself."""
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        """Map the file again."""
        self.__init__(state["path"])  # type: ignore[misc]

    def _open(self) -> None:
        opened = pa.ipc.open_file(pa.memory_map(str(self.path), "r"))
        metadata = {k.decode(): v.decode() for k, v in (opened.schema.metadata or {}).items()}
        if metadata.get("layout") != _LAYOUT:
            raise ValueError(f"it is no crop file of layout {_LAYOUT}")
        self.size_px = int(metadata["size_px"])
        self.fps = float(metadata["fps"])
        self.notes: dict[str, str] = json.loads(metadata["notes"])
        batches = [opened.get_batch(i) for i in range(opened.num_record_batches)]
        if any(batch.num_rows != _ROWS_PER_BATCH for batch in batches[:-1]):
            raise ValueError("its rows are not in the order that it was written in")
        self._jpegs = [batch.column("jpeg") for batch in batches]
        table = pa.Table.from_batches(batches, schema=opened.schema)
        self._checksums = table["crc32"].to_numpy()
        flat = table["transform"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        self.transforms: Float64[np.ndarray, "frames 2 3"] = flat.reshape(-1, 2, 3)


def _as_jpeg(picture: UInt8[np.ndarray, "height width 3"], quality: int) -> np.ndarray:
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings)[1]


def _from_jpeg(jpeg: np.ndarray) -> np.ndarray | None:
    return cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)


def _least_quality(crop: UInt8[np.ndarray, "size size 3"], psnr_db: float) -> int:
    """The lowest JPEG quality that keeps the middle of a crop, where the face is, so well."""
    edge = len(crop) // 4
    face = np.ascontiguousarray(crop[edge : len(crop) - edge, edge : len(crop) - edge])

    def reaches(quality: int) -> bool:
        kept = _from_jpeg(_as_jpeg(face, quality))
        return kept is not None and cv2.PSNR(face, kept) >= psnr_db

    first = bisect.bisect_left(_QUALITIES, True, key=reaches)
    return _QUALITIES[min(first, len(_QUALITIES) - 1)]
