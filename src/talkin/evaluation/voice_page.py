"""The map of voices (Fig. 9) as a page of its own: turn speakers off and on, zoom, read names."""

import math

from talkin.evaluation.charts import SPEAKER_COLOURS
from talkin.evaluation.tsne import STAGES, IdentityMap


def voice_page(identity_map: IdentityMap) -> str:
    """One HTML page that needs no network: before and after identity removal, side by side.

    The share of windows whose speaker a linear probe names rightly stands under each.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = [f"{stage}: {_right(identity_map.probe_accuracy[stage])}" for stage in STAGES]
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.04)
    speakers = sorted(identity_map.points["speaker"].unique())
    for number, speaker in enumerate(speakers):
        colour = SPEAKER_COLOURS[number % len(SPEAKER_COLOURS)]
        for column, stage in enumerate(STAGES, start=1):
            points = identity_map.points
            own = points[(points["stage"] == stage) & (points["speaker"] == speaker)]
            names = [f"{c}, {t:.2f} s" for c, t in zip(own["clip"], own["time_s"], strict=True)]
            dots = go.Scatter(
                x=own["x"],
                y=own["y"],
                mode="markers",
                name=str(speaker),
                legendgroup=str(speaker),
                showlegend=column == 1,
                text=names,
                hovertemplate=f"<b>{speaker}</b><br>%{{text}}<extra></extra>",
                marker={"size": 6, "opacity": 0.75, "color": colour},
            )
            figure.add_trace(dots, row=1, col=column)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(
        title="Can the speaker still be heard? One-second windows of MFCC, t-SNE "
        f"(always naming the same speaker: {100 * identity_map.chance:.0f} %)",
        template="plotly_white",
        font={"family": "Inter, Helvetica, Arial, sans-serif", "color": "#1f2933"},
        legend_title="speaker (click to hide)",
        height=640,
    )
    page: str = figure.to_html(
        full_html=True, include_plotlyjs=True, config={"displaylogo": False}, div_id="voice-map"
    )
    return page.replace("<head>", "<head><title>Map of voices</title>", 1)


def _right(share: float) -> str:
    return (
        "probe not asked" if math.isnan(share) else f"probe right {100 * share:.1f} % of the time"
    )
