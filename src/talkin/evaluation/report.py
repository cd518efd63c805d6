"""The report: one HTML page that needs nothing else, to read offline, send and keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from talkin.evaluation import charts
from talkin.evaluation.breakdown import error_by
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.crossed_pictures import speaker_means
from talkin.evaluation.crossings import own_and_others, speaker_matrix
from talkin.evaluation.embedding import picture_uri, video_uri
from talkin.evaluation.painted_frames import ShownFrame
from talkin.evaluation.report_groups import group_rows, picture_words
from talkin.evaluation.report_tables import clip_rows, comparison_rows, headlines
from talkin.evaluation.tsne import IdentityMap
from talkin.files import replace_when_whole
from talkin.footage.audio import Audio

_DRAWN_BY = {
    "renderer": "network, true landmarks",
    "warp": "footage's mouths, true landmarks",
    "audio": "network, from the sound",
    "audio_warp": "footage's mouths, from the sound",
}
"""Systems of which the worst frames are shown, and how they are called there."""


class ReportConfig(BaseModel):
    """How much goes into the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_clips_mb: float = Field(default=24.0, ge=0, description="All clips together, MB.")
    n_openings: int = Field(
        default=3, ge=0, description="Clips whose mouth opening is drawn: worst, middle, best."
    )
    n_worst_frames: int = Field(default=8, ge=0, description="Worst frames shown.")


@dataclass(frozen=True)
class ReportClip:
    """Clips to play beside each other.

    Attributes:
        title: What was asked, such as "anna says bob's sentence".
        videos: Label -> mp4, left to right, such as target, edited and truth; one side-by-side
            clip will do as well.
        caption: What to look at.
    """

    title: str
    videos: Mapping[str, Path]
    caption: str = ""


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that the page tells; what is left out has no section.

    Attributes:
        summary: `summary_table`.
        scores: Of each clip.
        training_curves: Columns stage, step, name, value.
        clips: Edited clips to play.
        voices: `map_identities`.
        sounds: Sound of clips by name, drawn over their mouth opening.
        rejects: Clips that were set aside: columns clip, stage, reason.
        frames: `frame_table`, for the error by view, sound, speaker and time.
        crossings: `score_crossings`, for every sound on every face.
        crossed_pictures: `score_crossed_pictures`, for the same in pictures.
        unseen_speakers: Who is in no other split, to be marked.
        conditions: How figures were measured: label -> text.
        provenance: Versions, configuration, digest of the data: label -> text.
        title: Of the page.
        subtitle: Which model on which corpus.
        written: When; now if not given.
    """

    summary: pd.DataFrame
    scores: Sequence[ClipScores]
    training_curves: pd.DataFrame | None = None
    clips: Sequence[ReportClip] = ()
    voices: IdentityMap | None = None
    sounds: Mapping[str, Audio] = field(default_factory=dict)
    rejects: pd.DataFrame | None = None
    frames: pd.DataFrame | None = None
    crossings: pd.DataFrame | None = None
    crossed_pictures: pd.DataFrame | None = None
    unseen_speakers: frozenset[str] = frozenset()
    conditions: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    title: str = "How well it talks"
    subtitle: str = ""
    written: datetime | None = None


def write_report(path: Path, content: ReportContent, config: ReportConfig | None = None) -> None:
    """Write the page, whole or not at all."""
    text = render_report(content, config)
    with replace_when_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def render_report(content: ReportContent, config: ReportConfig | None = None) -> str:
    """Make the page.

    Args:
        content: What to tell.
        config: How much of it.

    Returns:
        HTML with everything embedded: no file and no network is needed to read it.

    Raises:
        FootageError: If a clip to embed cannot be read.
    """
    config = config or ReportConfig()
    environment = Environment(
        loader=PackageLoader("talkin.evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = content.written or datetime.now(UTC)
    return environment.get_template("report.html.j2").render(
        title=content.title,
        subtitle=content.subtitle,
        written=f"{written:%d %B %Y, %H:%M} UTC" if written.tzinfo else f"{written:%d %B %Y}",
        n_clips=len(content.scores),
        n_frames=sum(score.n_frames for score in content.scores),
        headlines=headlines(content.summary, content.voices),
        comparison=comparison_rows(content.summary),
        groups=group_rows(content.summary),
        clips=_embedded_clips(content.clips, config),
        worst=_worst_frames(content, config.n_worst_frames),
        crossed=picture_words(own_and_others(content.crossed_pictures))
        if content.crossed_pictures is not None and len(content.crossed_pictures)
        else "",
        clip_rows=clip_rows(content.scores),
        rejects=[] if content.rejects is None else content.rejects.to_dict("records"),
        conditions=content.conditions,
        provenance=content.provenance,
        figures=_figures(content, config),
        voices=content.voices,
    )


def _figures(content: ReportContent, config: ReportConfig) -> dict[str, Any]:
    """Every drawing as an SVG element; None or empty where there is nothing to draw."""
    curves, voices = content.training_curves, content.voices
    return {
        "clip_errors": _svg(charts.clip_error_figure(content.scores)) if content.scores else None,
        "openings": [
            (score, _svg(charts.opening_figure(score, content.sounds.get(score.clip))))
            for score in _worst_middle_best(content.scores, config.n_openings)
        ],
        "breakdown": _breakdown(content.frames),
        "crossings": None
        if content.crossings is None or content.crossings.empty
        else _svg(charts.crossing_figure(speaker_matrix(content.crossings))),
        "crossed_pictures": None
        if content.crossed_pictures is None or content.crossed_pictures.empty
        else _svg(
            charts.crossing_figure(
                speaker_means(content.crossed_pictures, "mouth_psnr.audio"), "mouth PSNR, dB"
            )
        ),
        "training": None
        if curves is None or curves.empty
        else _svg(charts.training_figure(curves)),
        "voices": _svg(charts.identity_figure(voices)) if voices is not None else None,
    }


def _breakdown(frames: pd.DataFrame | None) -> Markup | None:
    """The error by everything that tells groups apart."""
    if frames is None or frames.empty:
        return None
    columns = {
        "by view": "view",
        "by speaker": "speaker",
        "by sound, worst first": "phoneme",
        "by second of the clip": "second",
    }
    tables = {title: error_by(frames, column) for title, column in columns.items()}
    told = {title: table.head(28) for title, table in tables.items() if len(table) > 1}
    return _svg(charts.breakdown_figure(told)) if told else None


def _svg(figure: Any) -> Markup:
    return Markup(charts.to_svg(figure))


def _worst_middle_best(scores: Sequence[ClipScores], n: int) -> list[ClipScores]:
    """`n` clips spread over the range of the landmark error, worst first."""
    ordered = sorted(
        scores, key=lambda score: score.systems["audio"]["landmark_error"], reverse=True
    )
    if len(ordered) <= n:
        return ordered
    places = [round(i * (len(ordered) - 1) / max(1, n - 1)) for i in range(n)]
    return [ordered[place] for place in places]


def _worst_frames(content: ReportContent, n: int) -> list[dict[str, Any]]:
    """The worst frame of each clip, the worst clips first: neighbours would show one failure."""
    found: list[tuple[ClipScores, ShownFrame]] = [
        (score, min(score.worst, key=lambda shown: shown.mouth_psnr_db))
        for score in content.scores
        if score.worst
    ]
    found.sort(key=lambda entry: entry[1].mouth_psnr_db)
    return [
        {
            "clip": score.clip,
            "is_unseen": score.speaker in content.unseen_speakers,
            "frame": shown.frame,
            "psnr": shown.mouth_psnr_db,
            "judged": _DRAWN_BY[shown.judged],
            "pictures": [
                {"uri": picture_uri(shown.true), "label": "footage"},
                *(
                    {"uri": picture_uri(shown.by_system[system]), "label": label}
                    for system, label in _DRAWN_BY.items()
                    if system in shown.by_system
                ),
            ],
        }
        for score, shown in found[:n]
    ]


def _embedded_clips(clips: Sequence[ReportClip], config: ReportConfig) -> list[dict[str, Any]]:
    """Clips with their addresses, until the page is full; the rest by name only."""
    left = int(config.max_clips_mb * 1_000_000 * 3 / 4)  # base64 makes four bytes of three
    waiting = sum(len(clip.videos) for clip in clips)
    embedded = []
    for clip in clips:
        players = []
        for label, path in clip.videos.items():
            uri = video_uri(Path(path), left // waiting)
            waiting -= 1
            left -= len(uri) * 3 // 4 if uri else 0
            players.append({"label": label, "uri": uri, "name": Path(path).name})
        embedded.append({"title": clip.title, "caption": clip.caption, "players": players})
    return embedded
