import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from talkin.evaluation.charts import breakdown_figure, to_svg, training_figure
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.embedding import picture_uri, video_uri
from talkin.evaluation.painted_frames import ShownFrame
from talkin.evaluation.report import (
    ReportClip,
    ReportConfig,
    ReportContent,
    render_report,
    write_report,
)
from talkin.evaluation.report_groups import group_rows
from talkin.evaluation.report_tables import clip_rows, comparison_rows, headlines
from talkin.evaluation.summary import summary_table
from talkin.evaluation.tsne import IdentityMap
from talkin.footage.audio import Audio
from talkin.footage.video import VideoWriter


def make_scores(clip: str, error: float, psnr: float, speaker: str = "anna") -> ClipScores:
    time_s = np.arange(75) / 25
    opening = 6 + 5 * np.sin(2 * np.pi * 1.3 * time_s)
    rng = np.random.default_rng(len(clip))
    picture = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
    hearing = {"landmark_error_384": error, "expression_error": error / 4}
    painting = {"psnr": psnr + 4, "mouth_psnr": psnr, "mouth_ssim": 0.9, "ssim": 0.95}
    return ClipScores(
        clip=clip,
        speaker=speaker,
        n_frames=75,
        n_pictures=70,
        systems={
            "audio": hearing
            | {"landmark_error": error / 2, "mouth_opening_correlation": 0.83}
            | {"bilabial_closure": 0.9, **painting},
            "still_mouth": {"landmark_error_384": 2 * error, "landmark_error": error}
            | {name: 0.8 * value for name, value in painting.items()},
            "renderer": {**painting, "mouth_sharpness": 80.0},
            "truth": {"bilabial_closure": 0.95, "mouth_sharpness": 110.0},
            "truth_reencoded": {"mouth_psnr": 41.0, "psnr": 42.0, "mouth_sharpness": 105.0},
        },
        time_s=time_s,
        curves={
            "true_opening": opening,
            "audio_opening": opening * 0.9 + rng.normal(size=75) * 0.3,
            "landmark_error": np.full(75, error / 2),
        },
        worst=[
            ShownFrame(31, "warp", psnr - 6, picture, {"renderer": picture, "warp": 255 - picture})
        ],
    )


SCORES = [make_scores("a1", 2.0, 27.0), make_scores("bb2", 3.0, 24.0, "bob")]


def make_voices() -> IdentityMap:
    rng = np.random.default_rng(0)
    speakers = np.repeat(["anna", "bob", "carl"], 40)
    parts = []
    for stage, distance in (("before", 8.0), ("after", 0.5)):
        offset = np.repeat(np.arange(3), 40) * distance
        points = {"x": rng.normal(size=120) + offset, "y": rng.normal(size=120)}
        parts.append(pd.DataFrame({"speaker": speakers, "stage": stage, **points}))
    return IdentityMap(pd.concat(parts), {"before": 0.97, "after": 0.41}, 1 / 3)


def make_content(**more: object) -> ReportContent:
    steps = np.arange(0, 3000, 50)
    curves = pd.DataFrame(
        {"stage": "audio", "name": "expression_loss", "step": steps, "value": np.exp(-steps / 800)}
    )
    sound = Audio(np.random.default_rng(0).normal(size=48000).astype(np.float32) * 0.1, 16000)
    return ReportContent(
        summary=summary_table(SCORES, known_speakers=["anna"]),
        scores=SCORES,
        training_curves=curves,
        voices=make_voices(),
        sounds={"a1": sound},
        provenance={"talkin": "0.1.0", "data": "3f2a9c", "configuration": "a: 1\nb: 2"},
        written=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def clip_file(tmp_path: Path) -> Path:
    path = tmp_path / "edit.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(path, 96, 64, 25) as writer:
        for _ in range(20):
            writer.write(rng.integers(0, 255, (64, 96, 3), dtype=np.uint8))
    return path


class _References(HTMLParser):
    """Collects what a page wants to load, and the elements that it opens and closes."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        wanted = ("src", "href", "xlink:href", "poster", "data")
        self.addresses += [value or "" for name, value in attrs if name in wanted]


def _read(page: str) -> _References:
    parser = _References()
    parser.feed(page)
    return parser


def test_the_page_needs_no_other_file_and_no_network(clip_file: Path) -> None:
    clips = [ReportClip("anna says bob's sentence", {"edited": clip_file})]
    page = render_report(make_content(clips=clips))
    found = _read(page)
    assert found.tags["video"] == 1
    assert found.tags["img"] == 6
    assert all(address.startswith(("data:", "#")) for address in found.addresses)
    assert not re.search(r"@import|url\((?!#)", page)
    assert "script" not in found.tags


def test_every_section_stands_where_there_is_something_to_tell() -> None:
    full = render_report(make_content())
    for words in ("Worst frames first", "Training", "Where this comes from", "Mouth opening"):
        assert words in full
    assert "Watch it" not in full
    bare = render_report(ReportContent(summary=summary_table([]), scores=[]))
    for words in ("Worst frames", "<h2>Training", "Where this comes", "Clip by clip", "Watch it"):
        assert words not in bare


def test_names_cannot_become_markup() -> None:
    nasty = make_scores("<script>alert(1)</script>", 2.0, 20.0)
    rejects = pd.DataFrame({"clip": ["<b>x"], "stage": ["track"], "reason": ["<i>no face</i>"]})
    page = render_report(
        ReportContent(
            summary=summary_table([nasty]),
            scores=[nasty],
            rejects=rejects,
            title="<u>t",
            provenance={"<em>k": "<em>v"},
        )
    )
    found = _read(page)
    assert not {"script", "b>x", "i", "u", "em"} & set(found.tags)
    assert "&lt;i&gt;no face" in page


def test_a_clip_that_is_too_large_is_made_smaller_or_named(clip_file: Path) -> None:
    size = clip_file.stat().st_size
    whole, smaller = video_uri(clip_file, size), video_uri(clip_file, size - 1)
    assert whole is not None
    assert smaller is not None
    assert len(smaller) < len(whole)
    assert video_uri(clip_file, 100) is None
    clips = [ReportClip("t", {"edited": clip_file})]
    page = render_report(make_content(clips=clips), ReportConfig(max_clips_mb=0))
    assert "edit.mp4 is too large" in page


def test_the_clips_together_keep_to_their_share_of_the_page(clip_file: Path) -> None:
    size_mb = clip_file.stat().st_size / 1e6
    clips = [ReportClip(f"clip {i}", {"edited": clip_file, "truth": clip_file}) for i in range(4)]
    allowed_mb = 0.5 * 8 * size_mb * 4 / 3
    page = render_report(make_content(clips=clips), ReportConfig(max_clips_mb=allowed_mb))
    videos = [a for a in _read(page).addresses if a.startswith("data:video")]
    assert sum(len(address) for address in videos) / 1e6 <= allowed_mb * 1.01


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, make_content())
    before = path.read_text(encoding="utf-8")
    assert before == render_report(make_content())
    broken = [ReportClip("gone", {"edited": tmp_path / "missing.mp4"})]
    with pytest.raises(OSError, match=r"missing\.mp4"):
        write_report(path, make_content(clips=broken))
    assert path.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_worst_frames_of_all_clips_come_first() -> None:
    page = render_report(make_content(), ReportConfig(n_worst_frames=1))
    assert "<b>18.0 dB</b> bb2, frame 31" in page
    assert _read(page).tags["img"] == 3


def test_the_best_of_the_generated_is_marked_and_the_truth_does_not_compete() -> None:
    rows = {shown.metric: cells for shown, cells in comparison_rows(summary_table(SCORES))}
    assert rows["landmark_error_384"]["audio"].is_best
    assert not rows["landmark_error_384"]["still_mouth"].is_best
    assert rows["mouth_psnr"]["truth"].value == "41.00"
    assert not rows["mouth_psnr"]["truth"].is_best
    assert rows["mouth_sharpness"]["truth"].value == "110"
    assert not any(cell.is_best for cell in rows["mouth_sharpness"].values())
    assert rows["psnr"]["paper_grid"].value == "31.19"
    assert rows["mouth_psnr"]["paper_grid"].value == ""


def test_headlines_stand_beside_what_they_have_to_be_compared_with() -> None:
    found = headlines(summary_table(SCORES), make_voices())
    assert [headline.value for headline in found] == ["2.50 px", "0.83", "25.5 dB", "41 %"]
    assert "50 % of a mouth held still (5.00 px)" in found[0].beside
    assert "97 % before" in found[3].beside
    assert headlines(summary_table([]), None) == []


def test_clips_are_listed_worst_heard_first() -> None:
    rows = clip_rows(SCORES)
    assert [row["clip"] for row in rows] == ["bb2", "a1"]
    assert rows[0]["error"] == "3.00"


def test_a_picture_survives_its_address() -> None:
    import base64

    import cv2

    picture = np.full((20, 30, 3), (200, 90, 30), np.uint8)
    content = base64.b64decode(picture_uri(picture).split(",")[1])
    back = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - picture).max() <= 3


def test_the_worst_frame_of_each_clip_is_shown_once_and_unseen_speakers_are_marked() -> None:
    content = make_content(unseen_speakers=frozenset({"bob"}))
    twice = replace(SCORES[0], worst=[*SCORES[0].worst, replace(SCORES[0].worst[0], frame=32)])
    page = render_report(replace(content, scores=[twice, SCORES[1]]))
    shown = page[page.index("Worst frames first") : page.index("All figures")]
    assert shown.count("<figcaption>") - shown.count("Notes: ") == 2
    assert shown.count("; footage&#39;s mouths, true landmarks</figcaption>") == 2
    assert shown.index("bb2, frame 31, <i>unseen speaker</i>") < shown.index("a1, frame 31;")


def test_known_and_unseen_speakers_stand_beside_each_other() -> None:
    rows = {row["label"]: row for row in group_rows(summary_table(SCORES, ["anna"]))}
    error = rows["Landmark error (E_ldmk), px of a 384 px crop, from the sound"]
    assert (error["known"], error["unseen"]) == ("2.00", "3.00")
    assert "Speakers of the training data" in render_report(make_content())
    assert group_rows(summary_table(SCORES, ["anna", "bob"])) == []


def test_a_curve_that_never_changes_is_no_figure() -> None:
    curves = pd.DataFrame(
        {"stage": "a", "name": ["flat", "flat", "falls", "falls"], "step": [1, 2, 1, 2]}
    ).assign(value=[1.0, 1.0, 3.0, 2.0])
    drawn = to_svg(training_figure(curves))
    assert "falls" in drawn
    assert "flat" not in drawn


def test_many_sounds_have_a_row_of_their_own_in_the_breakdown() -> None:
    def table(n: int) -> pd.DataFrame:
        groups = [f"g{k}" for k in range(n)]
        return pd.DataFrame({"group": groups, "value": 1.0, "low": 0.5, "high": 2.0})

    figure = breakdown_figure(
        {"view": table(7), "who": table(4), "sound": table(28), "s": table(8)}
    )
    figure.draw_without_rendering()
    width = {axis.get_title(loc="left"): axis.get_position().width for axis in figure.axes}
    assert width["sound"] > 0.8
    assert max(width["view"], width["who"], width["s"]) < 0.6
