"""The ROC as a page of its own."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkin.forensics.detector import Roc

_SIDE = 360
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Detection of edits</title>
<style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}}</style>
<h1>Telling edits from footage</h1>
<p>A logistic regression on the spectrum of the mouth beside that of the face above it. Each clip
is scored by a detector that has not seen its speaker. Filmed clips are the edits' own footage,
encoded alike.</p>
<p>Area under the curve <b>{auc:.3f}</b> (95 % interval {low:.3f} to {high:.3f}, resampled over
{n_speakers} speakers), {n_clips} clips. Of {apart} of the {n_speakers} speakers every edit scores
above all that was filmed; so it will be of {share_low:.0%} to {share_high:.0%} of others like
them (95 % interval).</p>
<svg viewBox="-48 -12 {width} {width}" width="{width}" role="img" aria-label="ROC curve">
<rect width="{side}" height="{side}" fill="none" stroke="#888"/>
<line x1="0" y1="{side}" x2="{side}" y2="0" stroke="#bbb" stroke-dasharray="4"/>
<polyline points="{points}" fill="none" stroke="#0b5cad" stroke-width="2.5"/>
<text x="{half}" y="{below}" text-anchor="middle" font-size="13">filmed clips taken for edited
</text>
<text transform="translate(-12 {half}) rotate(-90)" text-anchor="middle" font-size="13">edited clips
found</text></svg></html>
"""


def roc_page(roc: "Roc", metrics: dict[str, Any]) -> str:
    """An HTML page with the curve and its area."""
    points = " ".join(
        f"{x * _SIDE:.1f},{(1 - y) * _SIDE:.1f}"
        for x, y in zip(roc.false_positive, roc.true_positive, strict=True)
    )
    return _PAGE.format(
        auc=roc.auc,
        low=roc.low,
        high=roc.high,
        n_clips=metrics["n_clips"],
        n_speakers=metrics["n_speakers"],
        apart=metrics["speakers_told_apart"],
        share_low=metrics["speakers_told_apart.low"],
        share_high=metrics["speakers_told_apart.high"],
        points=points,
        side=_SIDE,
        half=_SIDE // 2,
        below=_SIDE + 20,
        width=_SIDE + 72,
    )
