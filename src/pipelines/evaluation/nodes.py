"""The nodes of evaluation: scores of each held-out clip, their summary, voices, report."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipelines import tracking
from pipelines.datasets.variants import VariantResult
from pipelines.lazy import configured
from pipelines.rows import Table, rows_of
from pipelines.training.corpus import prepared_clip

if TYPE_CHECKING:
    from talkin.avatar.plan import CorpusConfig
    from talkin.evaluation.clip_scores import ClipScoreConfig, ClipScores
    from talkin.evaluation.crossed_pictures import CrossedPicturesConfig
    from talkin.evaluation.leaks import LeakConfig
    from talkin.evaluation.summary import SummaryConfig
    from talkin.evaluation.tsne import IdentityMap, IdentityMapConfig
    from talkin.networks.talking_face import TalkingFace
else:
    ClipScores = IdentityMap = TalkingFace = Any
    CorpusConfig = configured("talkin.avatar.corpus:CorpusConfig")
    CrossedPicturesConfig = configured("talkin.evaluation.crossed_pictures:CrossedPicturesConfig")
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


class VariantConfig(BaseModel):
    """What the evaluated model is among the rows of the paper's tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="main",
        description="`main` for the full model; an ablation's own name, such as 2d or "
        "no_identity_removal, files its results beside.",
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
    from talkin.samples.order import spread_order

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
    truth: Mapping[str, Any],
    model: TalkingFace,
    config: ClipScoreConfig,
) -> tuple[list[ClipScores], Table]:
    """Scores of every held-out clip, whole and as a table."""
    from tqdm import tqdm

    from talkin.evaluation.clip_scores import KnownOfClip, evaluate_clip
    from talkin.evaluation.summary import clip_table

    still = mean_expression(model)
    scores = []
    for clip in tqdm(clips, desc="score", unit="clip"):
        exact = exact_face(clip, truth)
        known = KnownOfClip(phonemes_of(clip.clip, phonemes), audio[clip.clip], exact)
        scores.append(evaluate_clip(clip, model, model.face_model, still, config, known))
    return scores, clip_table(scores)


def tabulate_frames(
    scores: Sequence[ClipScores], index: Table, phonemes: Mapping[str, Any]
) -> Table:
    """A line a frame: what the error by view, sound, speaker and time is counted from."""
    from talkin.evaluation.breakdown import frame_table

    said = {score.clip: phonemes_of(score.clip, phonemes) or [] for score in scores}
    return frame_table(scores, dict(zip(index["clip"], index["view"], strict=True)), said)


def cross_speakers(clips: Sequence[Any], truth: Mapping[str, Any], model: TalkingFace) -> Table:
    """Every held-out sound on every held-out face, against the exact truth of a synthetic corpus.

    Empty for filmed footage, where nobody knows that truth, and for the 2D ablation, which knows
    no expression that another face could wear.
    """
    from talkin.evaluation.crossings import score_crossings

    heard, size = _heard_sources(clips, truth, model), model.config.crop.size_px
    targets = {source.clip: (source.speaker, true) for source, true in heard}
    sources, still = [source for source, _ in heard], mean_expression(model)
    return score_crossings(sources, targets, model.face_model, still, size)


def cross_pictures(
    clips: Sequence[Any],
    truth: Mapping[str, Any],
    model: TalkingFace,
    corpus: CorpusConfig,
    config: CrossedPicturesConfig,
) -> Table:
    """The same in pictures: some windows of every pair, painted and drawn exactly.

    Empty where `cross_speakers` is, and for clips that the corpus settings do not plan.
    """
    import numpy as np

    from talkin.avatar.corpus import draw_with_expression, plan_corpus
    from talkin.evaluation.crossed_pictures import PaintedTarget, score_crossed_pictures
    from talkin.samples.alignment import crop_frame

    sources = [source for source, _ in _heard_sources(clips, truth, model)]
    plans, size = {plan.clip: plan for plan in plan_corpus(corpus)}, model.config.crop.size_px

    def painted(clip: Any) -> PaintedTarget:
        def true_crops(expression: Any, frames: Any) -> Any:
            drawn = draw_with_expression(plans[clip.clip], corpus, expression, frames)
            shown = zip(drawn, clip.crops.transforms[frames], strict=True)
            return np.stack([crop_frame(image, transform, size) for image, transform in shown])

        return PaintedTarget(clip, true_crops)

    known = {source.clip for source in sources} & set(plans)
    targets = [painted(clip) for clip in clips if clip.clip in known]
    return score_crossed_pictures(sources, targets, model, mean_expression(model), config)


def summarise_crossings(crossings: Table, pictures: Table) -> dict[str, Any]:
    """Means of every pair's figures, on own faces and across speakers; logged as well."""
    from talkin.evaluation.crossings import own_and_others

    heard, seen = own_and_others(crossings), own_and_others(pictures)
    found = {whose: figures | seen[whose] for whose, figures in heard.items()}
    tracking.log_metrics(
        {
            f"crossed.{whose}.{name}": value
            for whose, figures in found.items()
            for name, value in figures.items()
        }
    )
    return found


def _heard_sources(
    clips: Sequence[Any], truth: Mapping[str, Any], model: TalkingFace
) -> list[tuple[Any, Any]]:
    """Synthetic clips as heard and exactly (`HeardSource`), each with its exact face."""
    from talkin.evaluation.crossings import HeardSource
    from talkin.evaluation.heard_faces import hear_clip

    found, still = [], mean_expression(model)
    for clip in clips if model.config.predict == "expression" else ():
        exact = exact_face(clip, truth)
        if exact is None:
            continue
        faces = hear_clip(clip, model, model.face_model, still)
        kept = faces.frames < len(exact)
        true = exact.select(faces.frames[kept])
        if faces.audio_expression is not None:
            heard = faces.audio_expression[kept]
            found.append((HeardSource(clip.clip, clip.speaker, heard, true.expression), true))
    return found


def summarise_scores(
    scores: Sequence[ClipScores], index: Table, config: SummaryConfig
) -> tuple[Table, dict[str, float]]:
    """A row a metric, system and group of speakers; and its values as flat metrics.

    Intervals and counts stay in the table: `dvc metrics diff` should show what changed.
    """
    from talkin.evaluation.summary import flat_metrics, summary_table

    known = set(index.loc[index["split"] == "train", "speaker"])
    table = summary_table(scores, known, config)
    behind = (".low", ".high", ".n_clips", ".n_frames")
    values = {k: v for k, v in flat_metrics(table).items() if not k.endswith(behind)}
    tracking.log_metrics(values)
    return table, values


def describe_conditions(
    model: TalkingFace, held_out: HeldOutConfig, scoring: ClipScoreConfig, summary: SummaryConfig
) -> dict[str, str]:
    """Region, codec, point set and seed of every figure."""
    from talkin.evaluation.conditions import measuring_conditions

    return measuring_conditions(model, scoring, summary, held_out.split)


def keep_variant(
    summary: Table, metrics: dict[str, float], clips: Table, variant: VariantConfig
) -> tuple[dict[str, VariantResult], dict[str, str]]:
    """File these results under the name of the variant, where the paper's tables find them.

    Returns:
        What to file, and the name under which it is filed.
    """
    from talkin.files import checked_name

    name = checked_name(variant.name, "evaluation.variant.name")
    return {name: VariantResult(summary, metrics, clips)}, {"variant": name}


def map_voices(
    clips: Sequence[Any], model: TalkingFace, config: IdentityMapConfig
) -> tuple[IdentityMap, Table, dict[str, float | None], str]:
    """t-SNE of the held-out sound before and after identity removal (Fig. 9)."""
    from talkin.evaluation.tsne import map_identities
    from talkin.evaluation.voice_page import voice_page

    voices = map_identities(clips, model, config)
    known = {k: v for k, v in voices.probe_accuracy.items() if math.isfinite(v)}
    tracking.log_metrics({f"speaker_probe.{k}": v for k, v in known.items()})
    probe = {k: known.get(k) for k in voices.probe_accuracy} | {"chance": voices.chance}
    return voices, voices.points, probe, voice_page(voices)


def mean_expression(model: TalkingFace) -> Any:
    """The mouth held still: the training data's mean, which the model carries."""
    import numpy as np

    if model.config.predict == "expression":
        return model.output_scale.mean.numpy()
    return np.zeros(model.config.n_expression, dtype=np.float32)


def phonemes_of(clip: str, phonemes: Mapping[str, Any]) -> list[_Phoneme] | None:
    """What is said when, or None where nobody knows."""
    if clip not in phonemes:
        return None
    table = phonemes[clip]
    columns = (table[name] for name in _Phoneme._fields)
    return [_Phoneme(*values) for values in zip(*columns, strict=True)]


def exact_face(clip: Any, truth: Mapping[str, Any]) -> Any:
    """The true face of a synthetic clip in the pixels of its crops, or None for a filmed one."""
    if clip.clip not in truth:
        return None
    exact = truth[clip.clip]
    n = min(len(exact), len(clip.crops.transforms))
    import numpy as np

    return exact.select(np.arange(n)).in_crop(clip.crops.transforms[:n])
