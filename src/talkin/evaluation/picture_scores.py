"""Picture scores of a whole clip, gathered from one painted stretch after another."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from talkin.evaluation.painted_frames import WARPED, PaintedFrames, ShownFrame

JUDGED = ("renderer", WARPED["renderer"])
"""Ways of drawing true landmarks: by the network, and from the footage's own mouths."""


class PictureScores:
    """Means over the frames of a clip, and its worst frames.

    Attributes:
        n_frames: How many were painted.
    """

    def __init__(self, box: tuple[int, int, int, int], n_worst: int) -> None:
        """Nothing seen yet.

        Args:
            box: The mouth mask, crop px.
            n_worst: Worst frames to keep.
        """
        self.n_frames = 0
        self._box, self._n_worst = box, n_worst
        self._values: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
        self._worst: dict[str, list[ShownFrame]] = defaultdict(list)

    def take(self, stretches: Iterable[PaintedFrames]) -> None:
        """Score the next stretches of the clip."""
        for painted in stretches:
            n = len(painted.frames)
            self.n_frames += n
            for system, found in painted.scores(self._box).items():
                for metric, value in found.items():
                    self._values[system, metric].append((value, n))
            for system in JUDGED:
                if system in painted.by_system:
                    more = painted.worst(self._box, self._n_worst, system)
                    kept = sorted([*self._worst[system], *more], key=lambda f: f.mouth_psnr_db)
                    self._worst[system] = kept[: self._n_worst]

    @property
    def by_system(self) -> dict[str, dict[str, float]]:
        """System -> metric -> mean over the frames of the stretches that have it."""
        means: dict[str, dict[str, float]] = defaultdict(dict)
        for (system, metric), values in self._values.items():
            of_stretch, weights = zip(*values, strict=True)
            means[system][metric] = float(np.average(of_stretch, weights=weights))
        return dict(means)

    @property
    def worst(self) -> list[ShownFrame]:
        """The frames whose mouth was drawn worst from true landmarks, worst first.

        Of network and footage's mouths, that way is judged which draws this clip better on the
        whole, as an edit would choose it.
        """
        means = self.by_system
        ways = [system for system in JUDGED if system in self._worst]
        return self._worst[max(ways, key=lambda way: means[way]["mouth_psnr"])] if ways else []
