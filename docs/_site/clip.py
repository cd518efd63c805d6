"""Make the short clip of the first page from one of the demo's side-by-side clips.

python docs/_site/clip.py data/07_model_output/side_by_side/CLIP.mp4
"""

import sys
from pathlib import Path

import numpy as np

from talkin.footage.audio import Audio, read_audio
from talkin.footage.video import iter_frames, probe_video
from talkin.footage.video_writer import VideoWriter

GOAL = Path(__file__).parents[1] / "images/demo.mp4"
LENGTH_S = 3.6


def main() -> None:
    """Write docs/images/demo.mp4."""
    source = Path(sys.argv[1])
    info, sound = probe_video(source), read_audio(source)
    kept = Audio(sound.samples[: round(LENGTH_S * sound.sample_rate)], sound.sample_rate)
    with VideoWriter(GOAL, info.width, info.height, info.fps, kept, crf=27) as writer:
        for frame in iter_frames(source):
            if frame.time_s >= LENGTH_S:
                break
            writer.write(np.ascontiguousarray(frame.image))


if __name__ == "__main__":
    main()
