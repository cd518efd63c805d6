"""The nodes of evaluation: scores of each held-out clip, their summary, voices, report."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipelines import tracking
from pipelines.lazy import configured
from pipelines.rows import Table, rows_of
from pipelines.training.corpus import prepared_clip

if TYPE_CHECKING:
    from talkin.evaluation.clip_scores import ClipScoreConfig, ClipScores
    from talkin.evaluation.leaks import LeakConfig
    from talkin.evaluation.report import ReportConfig
    from talkin.evaluation.summary import SummaryConfig
    from talkin.evaluation.tsne import IdentityMap, IdentityMapConfig
    from talkin.networks.talking_face import TalkingFace
else:
    ReportConfig = configured("talkin.evaluation.report:ReportConfig")
    ClipScores = IdentityMap = TalkingFace = Any
    ClipScoreConfig = configured("talkin.evaluation.clip_scores:ClipScoreConfig")
    LeakConfig = configured("talkin.evaluation.leaks:LeakConfig")
    SummaryConfig = configured("talkin.evaluation.summary:SummaryConfig")
    IdentityMapConfig = configured("talkin.evaluation.tsne:IdentityMapConfig")


class HeldOutConfig(BaseModel):
    """Which clips are scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str = Field(
        default="test", description="The split of the manifest that training never saw."
    )
    max_clips: int | None = Field(
        default=None,
        ge=1,
        description="At most so many, spread evenly over the index; null for all.",
    )


class _Phoneme(NamedTuple):
    """A row of a phoneme table, as the metrics want it."""

    symbol: str
    start_s: float
    end_s: float


def check_leaks(
    index: Table, footage: Table, held_out: HeldOutConfig, leaks: LeakConfig
) -> dict[str, Any]:
    """Refuse to score a split that training has seen: by file, by sentence, by speaker.

    Raises:
        ConfigurationError: Naming what leaks.
    """
    from talkin.evaluation.leaks import require_no_leaks

    return require_no_leaks(index, leaks, footage.set_index("clip")["sha256"], held_out.split)


def gather_held_out_clips(
    index: Table,
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    crops: Mapping[str, Any],
    leak_check: dict[str, Any],
    held_out: HeldOutConfig,
) -> list[Any]:
    """The clips to score, in the order of the index.

    Raises:
        ConfigurationError: If the split has no clip.
    """
    from talkin.errors import ConfigurationError
    from talkin.samples.dataset import spread_order

    del leak_check  # only orders the graph: nothing is scored before the check has passed

    rows = rows_of(index[(index["split"] == held_out.split) & (index["n_valid"] > 0)])
    if not rows:
        raise ConfigurationError(
            f"no prepared clip is in the split {held_out.split!r} (evaluation.held_out.split): "
            "give some clips of the manifest this split, or look at data/08_reporting/rejects.csv"
        )
    chosen = spread_order(len(rows), held_out.max_clips or len(rows))
    return [prepared_clip(rows[number], face_parameters, mfcc, crops) for number in chosen]


def score_clips(
    clips: Sequence[Any],
    phonemes: Mapping[str, Any],
    audio: Mapping[str, Any],
    model: TalkingFace,
    config: ClipScoreConfig,
) -> tuple[list[ClipScores], Table]:
    """Scores of every held-out clip, whole and as a table."""
    from tqdm import tqdm

    from talkin.evaluation.clip_scores import evaluate_clip
    from talkin.evaluation.summary import clip_table

    still = _mean_expression(model)
    scores = [
        evaluate_clip(
            clip,
            model,
            model.face_model,
            still,
            config,
            _phonemes(clip.clip, phonemes),
            audio[clip.clip],
        )
        for clip in tqdm(clips, desc="score", unit="clip")
    ]
    return scores, clip_table(scores)


def summarise_scores(
    scores: Sequence[ClipScores], index: Table, config: SummaryConfig
) -> tuple[Table, dict[str, float]]:
    """A row a metric, system and group of speakers; and the same as flat metrics."""
    from talkin.evaluation.summary import flat_metrics, summary_table

    known = set(index.loc[index["split"] == "train", "speaker"])
    table = summary_table(scores, known, config)
    flat = flat_metrics(table)
    shown = {k: v for k, v in flat.items() if not k.endswith((".low", ".high"))}
    tracking.log_metrics(shown)
    return table, flat


def map_voices(
    clips: Sequence[Any], model: TalkingFace, config: IdentityMapConfig
) -> tuple[IdentityMap, Table]:
    """t-SNE of the held-out sound before and after identity removal (Fig. 9)."""
    from talkin.evaluation.tsne import map_identities

    voices = map_identities(clips, model, config)
    tracking.log_metrics(
        {f"speaker_probe.{k}": v for k, v in voices.probe_accuracy.items() if math.isfinite(v)}
    )
    return voices, voices.points


def write_report(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    summary: Table,
    scores: Sequence[ClipScores],
    curves: Table,
    voices: IdentityMap,
    audio: Mapping[str, Any],
    edits_table: Table,
    side_by_side: Mapping[str, Any],
    rejects: Table,
    registered_model: dict[str, Any],
    config: ReportConfig,
) -> str:
    """One page: figures beside the paper's, curves, edited clips to play, worst frames, rejects."""
    from talkin.evaluation.report import ReportClip, ReportContent, render_report

    done = [row for row in rows_of(edits_table) if row["job"] in side_by_side]
    clips = [
        ReportClip(
            title=f"{row['target']} says {Path(row['audio']).stem}",
            videos={"side by side": side_by_side[row["job"]].path},
            caption=str(row["notes"]),
        )
        for row in done
    ]
    content = ReportContent(
        summary=summary,
        scores=scores,
        training_curves=curves,
        clips=clips,
        voices=voices,
        sounds={score.clip: audio[score.clip] for score in scores},
        rejects=rejects,
        provenance=_provenance(registered_model),
    )
    return render_report(content, config)


def _provenance(registered_model: dict[str, Any]) -> dict[str, str]:
    from importlib.metadata import version

    number = registered_model["version"]
    model = f"{registered_model['name']} version {number}" if number else "not registered"
    if registered_model["is_champion"]:
        model += " (champion when registered)"
    packages = {name: version(name) for name in ("talkin", "torch", "kedro")}
    return {"model": model, **packages}


def _mean_expression(model: TalkingFace) -> Any:
    """The mouth held still: the training data's mean, which the model carries."""
    import numpy as np

    if model.config.predict == "expression":
        return model.output_scale.mean.numpy()
    return np.zeros(model.config.n_expression, dtype=np.float32)


def _phonemes(clip: str, phonemes: Mapping[str, Any]) -> list[_Phoneme] | None:
    if clip not in phonemes:
        return None
    table = phonemes[clip]
    columns = (table[name] for name in _Phoneme._fields)
    return [_Phoneme(*values) for values in zip(*columns, strict=True)]
