"""The figures of the report, drawn so that they read on paper and on a screen."""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from talkin.evaluation.clip_scores import ClipScores
from talkin.footage.audio import Audio

if TYPE_CHECKING:
    from talkin.evaluation.tsne import IdentityMap

INK, MUTED, RULE = "#1f2933", "#7b8794", "#d9e2ec"
TRUE_COLOUR, AUDIO_COLOUR, STILL_COLOUR = "#1f2933", "#c2410c", "#9aa5b1"
SPEAKER_COLOURS = (
    *("#d55e00", "#0072b2", "#009e73", "#a21caf", "#e6a700", "#56b4e9", "#7f1d1d"),
    *("#84cc16", "#475569", "#f472b6", "#0f766e", "#312e81"),
)
_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "grid.color": RULE,
    "axes.grid": True,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "talkin",  # the same figures make the same page
    "figure.constrained_layout.use": True,
}

_Arguments = ParamSpec("_Arguments")


def _styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Draw in the report's style, and leave the style of others alone."""

    @wraps(draw)
    def drawn(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return drawn


@_styled
def training_figure(curves: pd.DataFrame) -> Figure:
    """Losses and validation figures over steps, a panel a name; what never changes is left out.

    Args:
        curves: Columns stage, name, step, value.
    """
    every = curves.groupby(["stage", "name"], sort=False)
    panels = [panel for panel in every if len(panel[1]) == 1 or panel[1]["value"].nunique() > 1]
    columns = 3
    rows = max(1, -(-len(panels) // columns))
    figure, axes = _grid(rows, columns, height=1.9)
    for axis, ((stage, name), part) in zip(axes, panels, strict=False):
        axis.plot(part["step"], part["value"], color=AUDIO_COLOUR, linewidth=1.3)
        axis.set_title(f"{stage}: {str(name).replace('_', ' ')}", fontsize=9)
        axis.set_xlabel("step", fontsize=8)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    return figure


@_styled
def opening_figure(score: ClipScores, audio: Audio | None = None) -> Figure:
    """True and heard mouth opening of one clip, over its sound where it is given."""
    n_panels = 2 if audio is not None else 1
    figure = Figure(figsize=(9.2, 1.5 + 0.9 * n_panels))
    axes = np.atleast_1d(
        figure.subplots(n_panels, 1, sharex=True, height_ratios=[1, 2.2][-n_panels:])
    )
    if audio is not None:
        _draw_sound(axes[0], audio)
    axis = axes[-1]
    for name, colour, label in (
        ("true_opening", TRUE_COLOUR, "true"),
        ("audio_opening", AUDIO_COLOUR, "from the sound"),
    ):
        axis.plot(score.time_s, score.curves[name], color=colour, linewidth=1.4, label=label)
    axis.set_ylabel("mouth opening, px")
    axis.set_xlabel("s")
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, fontsize=8)
    return figure


@_styled
def clip_error_figure(scores: Sequence[ClipScores]) -> Figure:
    """E_ldmk of every clip, heard against still, by speaker."""
    ordered = sorted(scores, key=lambda score: score.systems["audio"]["landmark_error_384"])
    heard = [score.systems["audio"]["landmark_error_384"] for score in ordered]
    still = [score.systems["still_mouth"]["landmark_error_384"] for score in ordered]
    figure = Figure(figsize=(9.2, 3.2))
    axis = figure.subplots()
    place = np.arange(len(ordered))
    axis.vlines(place, heard, still, color=RULE, linewidth=2)
    axis.plot(place, still, "o", color=STILL_COLOUR, markersize=4, label="mouth held still")
    axis.plot(place, heard, "o", color=AUDIO_COLOUR, markersize=5, label="from the sound")
    axis.set_ylim(0, 1.08 * max(*heard, *still, 1e-6))
    axis.set_ylabel("landmark error, px of 384")
    few = len(ordered) <= 30
    axis.set_xticks(place if few else [], [s.clip for s in ordered] if few else [])
    axis.tick_params(axis="x", labelrotation=60, labelsize=7)
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2, fontsize=8)
    return figure


@_styled
def breakdown_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Landmark error by view, sound, speaker, time: a panel each, with its interval.

    Args:
        tables: Title -> `breakdown.error_by`.
    """
    figure = Figure(figsize=(9.2, 3.0))
    for axis, (title, table) in zip(_panels(figure, tables), tables.items(), strict=True):
        place = np.arange(len(table))
        axis.vlines(place, table["low"], table["high"], color=STILL_COLOUR, linewidth=2)
        axis.plot(place, table["value"], "o", color=AUDIO_COLOUR, markersize=4)
        axis.set_title(title)
        axis.set_xticks(place, table["group"], fontsize=7)
        axis.set_ylim(0, 1.08 * max(float(table["high"].max()), 1e-6))
        axis.set_ylabel("px of 384")
        axis.grid(visible=False, axis="x")
    return figure


_NARROW = 12
"""So many groups fit into half a row."""


def _panels(figure: Figure, tables: Mapping[str, pd.DataFrame]) -> list[Any]:
    """Axes in the order of the tables: two small ones share a row, large ones follow alone."""
    small = [title for title, table in tables.items() if len(table) <= _NARROW]
    pairs = [[*small[at : at + 2], "."][:2] for at in range(0, len(small), 2)]
    rows = [*pairs, *([title, title] for title in tables if title not in small)]
    axes: dict[str, Any] = figure.subplot_mosaic(rows)
    figure.set_figheight(3.0 * len(rows))
    return [axes[title] for title in tables]


@_styled
def crossing_figure(matrix: pd.DataFrame, unit: str = "px of 384") -> Figure:
    """A figure of every speaker's sound (rows) on every speaker's face (columns)."""
    figure = Figure(figsize=(9.2, 0.32 * len(matrix) + 1.3))
    axis = figure.subplots()
    shown = axis.imshow(matrix.to_numpy(), cmap="OrRd", aspect="auto")
    axis.set_xticks(range(matrix.shape[1]), matrix.columns, rotation=60, fontsize=7)
    axis.set_yticks(range(matrix.shape[0]), matrix.index, fontsize=7)
    axis.set_xlabel("whose face")
    axis.set_ylabel("whose sound")
    axis.grid(visible=False)
    low, high = float(np.nanmin(matrix.to_numpy())), float(np.nanmax(matrix.to_numpy()))
    middle = low + 0.6 * (high - low)  # colours reach from the least to the most there is
    for (row, column), value in np.ndenumerate(matrix.to_numpy()):
        colour = "white" if value > middle else INK
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(shown, ax=axis, label=unit, shrink=0.8)
    return figure


@_styled
def identity_figure(identity_map: "IdentityMap") -> Figure:
    """Fig. 9: sound before and after identity removal, coloured by speaker."""
    figure, axes = _grid(1, 2, height=3.6)
    speakers = sorted(identity_map.points["speaker"].unique())
    for axis, stage in zip(axes, ("before", "after"), strict=True):
        part = identity_map.points.query("stage == @stage")
        for number, speaker in enumerate(speakers):
            own = part[part["speaker"] == speaker]
            colour = SPEAKER_COLOURS[number % len(SPEAKER_COLOURS)]
            axis.scatter(own["x"], own["y"], s=7, color=colour, alpha=0.75, label=speaker, lw=0)
        axis.set_title(f"{stage}: probe {_percent(identity_map.probe_accuracy[stage])}")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(visible=False)
    if len(speakers) <= len(SPEAKER_COLOURS):
        axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=2, fontsize=8)
    return figure


def to_svg(figure: Figure) -> str:
    """As an SVG element to put into a page."""
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def to_png(figure: Figure, dpi: int = 140) -> bytes:
    """As a PNG file's bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return buffer.getvalue()


def _draw_sound(axis: Any, audio: Audio) -> None:
    """The envelope: as many points as the picture can show, not a point a sample."""
    block = max(1, len(audio.samples) // 1500)
    n = len(audio.samples) // block * block
    blocks = audio.samples[:n].reshape(-1, block)
    time_s = np.arange(len(blocks)) * block / audio.sample_rate
    axis.fill_between(time_s, blocks.min(axis=1), blocks.max(axis=1), color=MUTED, linewidth=0)
    axis.set_yticks([])
    axis.set_ylabel("sound")
    axis.grid(visible=False)


def _grid(rows: int, columns: int, height: float) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(9.2, height * rows))
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel().tolist()
    return figure, axes


def _percent(share: float) -> str:
    return "not asked" if np.isnan(share) else f"right {100 * share:.0f} % of the time"
