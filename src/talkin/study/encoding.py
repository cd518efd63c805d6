"""Every clip through the same writer: size, rate, codec, loudness and length of life in codecs.

A generated clip has been encoded once more than footage (by the edit), and that alone could give
it away. Real clips therefore pass through the edit's writer once as well, before all are encoded
for the study. The writer puts nothing of the source's metadata into its file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from talkin.footage.audio import Audio, read_audio
from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.study.config import EncodingConfig

_CHECK_LEAD_S, _CHECK_CARD_S = 1.0, 3.0
_CARD, _INK = 232, 24


@dataclass(frozen=True)
class Box:
    """The size that all clips of a study have, px; both sides even."""

    width: int
    height: int


def common_box(paths: Iterable[Path], config: EncodingConfig) -> Box:
    """The smallest box that holds every clip, after the large ones were made smaller.

    Raises:
        FootageError: If a clip cannot be read.
    """
    sizes = [_fitted(info.width, info.height, config) for info in map(probe_video, paths)]
    width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
    return Box(width + width % 2, height + height % 2)


def encode_alike(source: Path, goal: Path, box: Box, config: EncodingConfig) -> None:
    """Write a clip as all clips of the study are written; without sound it gets silence.

    Args:
        source: Any video.
        goal: The mp4 to write, whole or not at all.
        box: Size of the result; smaller pictures are enlarged, other shapes get grey bars.
        config: Rate, quality, length, loudness.

    Raises:
        FootageError: If the source cannot be read.
    """
    _write(goal, _boxed(source, box, config), _sound(source, config), (box, config))


def pass_through_writer(source: Path, goal: Path) -> None:
    """Encode a clip once as an edit is encoded: size and rate as they are."""
    info = probe_video(source)
    with VideoWriter(goal, info.width, info.height, info.fps, source) as writer:
        for frame in iter_frames(source, info.fps):
            writer.write(frame.image)


def encode_check(source: Path, goal: Path, expected: int, box: Box, config: EncodingConfig) -> None:
    """Write a clip that begins like any other and then says which score to give.

    Args:
        source: A clip whose first second is shown.
        goal: The mp4 to write.
        expected: The score that the card asks for.
        box: Size of the result.
        config: Rate, quality, loudness.
    """
    n_lead = round(_CHECK_LEAD_S * config.fps)
    card = _card(expected, box)

    def pictures() -> Iterator[np.ndarray]:
        for number, picture in enumerate(_boxed(source, box, config)):
            if number == n_lead:
                break
            yield picture
        for _ in range(round(_CHECK_CARD_S * config.fps)):
            yield card

    sound = _sound(source, config)
    lead = sound.samples[: round(_CHECK_LEAD_S * sound.sample_rate)]
    _write(goal, pictures(), Audio(lead, sound.sample_rate), (box, config))


def _write(
    goal: Path, pictures: Iterable[np.ndarray], sound: Audio, how: tuple[Box, EncodingConfig]
) -> None:
    box, config = how
    with VideoWriter(
        goal, box.width, box.height, config.fps, sound, crf=config.crf, preset="medium"
    ) as writer:
        for picture in pictures:
            writer.write(picture)


def _fitted(width: int, height: int, config: EncodingConfig) -> tuple[int, int]:
    scale = min(1.0, config.largest_side_px / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def _boxed(source: Path, box: Box, config: EncodingConfig) -> Iterator[np.ndarray]:
    n_most = None if config.longest_s is None else max(1, round(config.longest_s * config.fps))
    for number, frame in enumerate(iter_frames(source, config.fps)):
        if number == n_most:
            return
        yield _in_box(frame.image, box)


def _in_box(
    image: UInt8[np.ndarray, "height width 3"], box: Box
) -> UInt8[np.ndarray, "box_height box_width 3"]:
    height, width = image.shape[:2]
    scale = min(box.width / width, box.height / height)
    size = (min(box.width, round(width * scale)), min(box.height, round(height * scale)))
    smaller = scale < 1
    fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    canvas = np.full((box.height, box.width, 3), 128, np.uint8)
    top, left = (box.height - size[1]) // 2, (box.width - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = fitted
    return canvas


def _sound(source: Path, config: EncodingConfig) -> Audio:
    if not probe_video(source).has_audio:
        return Audio(np.zeros(1, np.float32), config.sample_rate)
    sound = read_audio(source, config.sample_rate)
    return Audio(_levelled(sound.samples, config.loudness_dbfs), sound.sample_rate)


def _levelled(
    samples: Float[np.ndarray, "samples"], loudness_dbfs: float
) -> Float[np.ndarray, "samples"]:
    """Sound of the wanted loudness, as far as it fits without clipping; silence stays silent."""
    loud = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    if loud < 1e-5:
        return samples
    peak = float(np.abs(samples).max())
    gain = min(10 ** (loudness_dbfs / 20) / loud, 0.98 / peak)
    return (samples * gain).astype(np.float32)


def _card(expected: int, box: Box) -> UInt8[np.ndarray, "height width 3"]:
    """A plain card with the score to give, as large as the box allows."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (box.width, box.height), (_CARD,) * 3)
    draw = ImageDraw.Draw(image)
    side = min(box.width, box.height)
    for text, y, size in (
        ("This clip checks attention.", 0.20, 0.062),
        ("Please answer", 0.35, 0.062),
        (str(expected), 0.53, 0.26),
        ("to every question.", 0.72, 0.062),
    ):
        font = ImageFont.load_default(size=max(8.0, side * size))
        place = (box.width / 2, box.height * y)
        draw.text(place, text, fill=(_INK,) * 3, font=font, anchor="mm")
    return np.asarray(image, dtype=np.uint8)
