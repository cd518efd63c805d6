"""`talkin score` and `talkin report`."""

from pathlib import Path

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors
from talkin.errors import ConfigurationError

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_REPORT = Path("data/08_reporting/report.html")


@click.command(epilog=example("talkin score --real footage --fake edits --out scores"))
@click.option("--real", type=_FOLDER, required=True, help="Folder with the real clips.")
@click.option("--fake", type=_FOLDER, required=True, help="Folder with clips of the same names.")
@click.option("--out", type=_FOLDER, help="Also write tables, Parquet and JSON here.")
@click.option("--lpips-backbone", type=_FILE, help="AlexNet's weights, for LPIPS ...")
@click.option("--lpips-heads", type=_FILE, help="... and lpips' own v0.1 weights.")
@click.option("--syncnet", type=_FILE, help="syncnet_v2.model, for LSE-D and LSE-C.")
@click.option("--identity", type=_FILE, help="ONNX face embedder (112 px), for identity.")
@click.option("--inception", type=_FILE, help="ONNX Inception up to pool3 (299 px), for FID.")
@click.option(
    "--max-frames",
    type=click.IntRange(min=2),
    default=1500,
    show_default=True,
    help="Frames of a clip that are compared, from its beginning.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the draws behind the intervals.",
)
@explains_errors
def score(
    real: Path, fake: Path, out: Path | None, max_frames: int, seed: int, **nets: Path | None
) -> None:
    """Score clips of any system against the real clips they imitate.

    Clips are matched by name (suffixes apart, sub-folders included). A clip that cannot be read,
    has no partner or shows no face is set aside and listed; the others are scored. Metrics of
    pretrained networks are measured where you give the network's file; nothing is fetched.
    """
    from talkin.evaluation.clip_folders import match_clips, score_clips, unequal_lengths
    from talkin.evaluation.clip_pairs import PairConfig, score_pair
    from talkin.evaluation.pair_tables import pair_conditions, printed_summary, write_scores
    from talkin.evaluation.pretrained_watch import PretrainedConfig, PretrainedWatch
    from talkin.evaluation.summary import SummaryConfig, summary_table
    from talkin.face3d.loading import load_face_model
    from talkin.footage.detection import DetectionConfig, load_detector

    matched = match_clips(real, fake)
    pairs, summary = PairConfig(max_frames=max_frames), SummaryConfig(seed=seed)
    watch = PretrainedWatch(
        PretrainedConfig.model_validate({name: {"path": path} for name, path in nets.items()})
    )
    detector, face_model = load_detector(), load_face_model()
    scores, rejects = score_clips(
        matched, lambda name, a, b: score_pair(name, a, b, detector, face_model, pairs, watch)
    )
    for row in rejects.to_dict("records"):
        click.echo(f"Set aside: {row['clip']}: {row['reason']}")
    for line in unequal_lengths(matched, [each.clip for each in scores]):
        click.echo(f"Note: {line}")
    if not scores:
        raise ConfigurationError("no pair of clips could be scored; the reasons stand above")
    conditions = pair_conditions(pairs, summary, f"{DetectionConfig().backend} landmarks")
    conditions |= {name: text for name, text in watch.names.items() if text}
    frechet = watch.frechet()
    if frechet is not None:
        conditions["FID"] = f"{frechet:.2f} of all face crops, {conditions['FID']}"
    if out is None:
        known = [each.speaker for each in scores]
        click.echo(printed_summary(summary_table(scores, known, summary), conditions))
    else:
        click.echo(write_scores(out, scores, rejects, conditions, summary))
        click.echo(str(out / "summary.md"))


@click.command(epilog=example("talkin report --open"))
@click.argument("page", type=_FILE, default=_REPORT)
@click.option("--open", "is_opened", is_flag=True, help="Show it in the browser.")
@explains_errors
def report(page: Path, is_opened: bool) -> None:
    """Say where the report lies and when it was written.

    PAGE is the report of the evaluation stage unless another is named.
    """
    from datetime import datetime

    if not page.is_file():
        raise ConfigurationError(
            f"{page}: there is no report yet; `kedro run --pipeline=evaluation` writes it, and "
            "`talkin report` is called in the project's folder"
        )
    written = datetime.fromtimestamp(page.stat().st_mtime).astimezone()
    click.echo(f"{page.resolve()}\nwritten {written:%d %B %Y, %H:%M}")
    if is_opened and click.launch(page.resolve().as_uri()):
        raise ConfigurationError(f"no browser could be started; open {page.resolve()} in one")
