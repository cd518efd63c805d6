"""The nodes of variants: every chosen one trained, scored and filed, unless it is up to date."""

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import tracking
from pipelines.code_version import code_digest
from pipelines.datasets.variants import VariantResult
from pipelines.evaluation.nodes import score_clips, summarise_scores
from pipelines.lazy import configured
from pipelines.rows import Table
from pipelines.training.corpus import CorpusChoice
from pipelines.training.judge import SpeakerJudge
from pipelines.training.nodes import (
    gather_training_data,
    shape_as_prepared,
    speak_for_training,
)
from pipelines.variants.learning import FullModel, learnt_stages, train_model
from pipelines.variants.plan import (
    PlannedModel,
    VariantsConfig,
    plan_models,
    schedule_of,
    shape_of,
)
from talkin.files import replace_when_whole

if TYPE_CHECKING:
    from talkin.avatar.spoken import SpokenConfig
    from talkin.evaluation.clip_scores import ClipScoreConfig, ClipScores
    from talkin.evaluation.paper_variants import PaperVariant
    from talkin.evaluation.summary import SummaryConfig
    from talkin.face3d.loading import FaceModelConfig
    from talkin.footage.mfcc import MfccConfig
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.samples.alignment import CropConfig
    from talkin.samples.dataset import PreparedClip
    from talkin.training.config import TrainingConfig
else:
    ClipScores = TalkingFace = PreparedClip = Any
    SpokenConfig = configured("talkin.avatar.spoken:SpokenConfig")
    ClipScoreConfig = configured("talkin.evaluation.clip_scores:ClipScoreConfig")
    SummaryConfig = configured("talkin.evaluation.summary:SummaryConfig")
    FaceModelConfig = configured("talkin.face3d.loading:FaceModelConfig")
    MfccConfig = configured("talkin.footage.mfcc:MfccConfig")
    TalkingFaceConfig = configured("talkin.networks.talking_face_config:TalkingFaceConfig")
    CropConfig = configured("talkin.samples.alignment:CropConfig")
    TrainingConfig = configured("talkin.training.config:TrainingConfig")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Lessons:
    """What models learn from.

    Attributes:
        index: The training index.
        model: Networks of the full model, for footage as it was prepared.
        choice: Clips of the full model.
        gather: Training data, as the training stage gathers them, of other networks, another
            schedule and other clips.
        spoken: Synthetic speech that the full model began with; made when first asked for.
    """

    index: Table
    model: TalkingFaceConfig
    choice: CorpusChoice
    gather: Callable[[TalkingFaceConfig, TrainingConfig, CorpusChoice], dict[str, Any]]
    spoken: Callable[[], list[PreparedClip]]


@dataclass(frozen=True, eq=False)
class Exam:
    """What models are scored on.

    Attributes:
        clips: Held-out clips.
        settings: All that has an effect on the figures beside model and clips.
        score: Scores of some clips by a model, whole and as a table.
        summarise: Figures of a corpus, as a table and flat.
    """

    clips: Sequence[Any]
    settings: dict[str, Any]
    score: Callable[[Sequence[Any], TalkingFace], tuple[list[ClipScores], Table]]
    summarise: Callable[[Sequence[ClipScores]], tuple[Table, dict[str, float]]]


def gather_lessons(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    index: Table,
    face_parameters: Mapping[str, Any],
    mfcc: Mapping[str, Any],
    crops: Mapping[str, Any],
    consent_register: Any,
    face_model: FaceModelConfig,
    crop: CropConfig,
    mfcc_config: MfccConfig,
    model: TalkingFaceConfig,
    choice: CorpusChoice,
    spoken: SpokenConfig,
    kept_speech: Path,
) -> Lessons:
    """Everything that training data are made of, so that each variant can have its own."""

    def gather(
        shape: TalkingFaceConfig, train: TrainingConfig, clips: CorpusChoice
    ) -> dict[str, Any]:
        sources = (index, face_parameters, mfcc, crops, consent_register, face_model)
        return gather_training_data(*sources, shape, crop, mfcc_config, train, clips)

    speak = cache(partial(speak_for_training, spoken, crop, mfcc_config, kept_speech))
    return Lessons(index, shape_as_prepared(model, crop, mfcc_config), choice, gather, speak)


def gather_exam(
    clips: Sequence[Any],
    phonemes: Mapping[str, Any],
    audio: Mapping[str, Any],
    truth: Mapping[str, Any],
    index: Table,
    scoring: ClipScoreConfig,
    summary: SummaryConfig,
) -> Exam:
    """The held-out clips with what is known of them: the same for every variant."""

    def score(some: Sequence[Any], model: TalkingFace) -> tuple[list[ClipScores], Table]:
        return score_clips(some, phonemes, audio, truth, model, scoring)

    settings = {"scoring": scoring.model_dump(), "summary": summary.model_dump()}
    return Exam(clips, settings, score, lambda scores: summarise_scores(scores, index, summary))


def train_variants(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    lessons: Lessons,
    exam: Exam,
    full_model: TalkingFace,
    judge: SpeakerJudge,
    filed: Mapping[str, VariantResult],
    folder: Path,
    train: TrainingConfig,
    config: VariantsConfig,
) -> Iterator[dict[str, VariantResult]]:
    """Train, score and file each chosen variant; a run that was stopped goes on where it was.

    Raises:
        ConfigurationError: If the full model on disk is not the one of the present settings.
    """
    from talkin.evaluation.paper_variants import VARIANTS

    full = FullModel(full_model, judge)
    full.require_shape(lessons.model)
    for name in config.chosen:
        work = _Variant(name, VARIANTS[name], lessons, exam, full, train, config)
        digest = work.digest()
        if name in filed and filed[name].trained.get("digest") == digest:
            logger.info("variant %s is up to date", name)
            continue
        yield {name: work.result(folder / name, digest)}


class _Variant:
    """One variant from its plan to its figures."""

    def __init__(
        self,
        name: str,
        variant: "PaperVariant",
        lessons: Lessons,
        exam: Exam,
        full: FullModel,
        train: TrainingConfig,
        config: VariantsConfig,
    ) -> None:
        self.name, self.lessons, self.exam, self.full = name, lessons, exam, full
        self.shape = shape_of(variant, lessons.model)
        self.models = plan_models(variant, lessons.index, lessons.choice, config)
        schedule = schedule_of(variant, train, config, len(self.models))
        self.schedule = schedule.model_copy(update={"start_from": None})
        self._gathered: dict[str, dict[str, Any]] = {}

    def digest(self) -> str:
        """Of everything that has an effect on the figures."""
        from talkin.evaluation.clip_scores import evaluate_clip

        parts: list[Any] = [
            [self._training_digest(self._data(planned)) for planned in self.models],
            [(clip.clip, len(clip.parameters)) for clip in self.exam.clips],
            self.exam.settings,
            code_digest(evaluate_clip),
        ]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def _training_digest(self, data: dict[str, Any]) -> str:
        """Of everything that has an effect on a model."""
        from talkin.training.data_digest import dataset_digest
        from talkin.training.whole import train_talking_face

        machine = {"threads", "loader_threads", "report_every", "checkpoint_every"}
        parts: list[Any] = [
            self.shape.model_dump(mode="json"),
            self.schedule.model_dump(mode="json", exclude=machine),
            dataset_digest(data["train"]),
            self.full.model.version(),
            code_digest(train_talking_face),
        ]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def result(self, folder: Path, digest: str) -> VariantResult:
        """Train and score all models of the variant."""
        import pandas as pd

        began, scores, tables, notes = time.monotonic(), [], [], []
        with tracking.inner_run(self.name, {"model": self.shape, "train": self.schedule}):
            for planned in self.models:
                model, note = self._trained(planned, folder / planned.name)
                found, table = self.exam.score(self._held_out(planned), model)
                scores += found
                tables.append(table)
                notes.append(note)
            summary, metrics = self.exam.summarise(scores)
        for planned in self.models:  # the states to resume from, of no use any more
            shutil.rmtree(folder / planned.name / "checkpoints", ignore_errors=True)
        trained = {
            "digest": digest,
            "models": len(self.models),
            **notes[0],
            "seconds": round(time.monotonic() - began),
        }
        return VariantResult(summary, metrics, pd.concat(tables, ignore_index=True), trained)

    def _trained(self, planned: PlannedModel, folder: Path) -> tuple[TalkingFace, dict[str, Any]]:
        """A model of the variant and how it was trained; one that is there already is read."""
        from talkin.networks.talking_face import TalkingFace as Model

        data, weights, notes = self._data(planned), folder / "talking_face", folder / "trained.json"
        digest = self._training_digest(data)
        known = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
        if known.get("digest") == digest:
            return Model.load(weights), known["how"]
        notes.unlink(missing_ok=True)
        learnt = learnt_stages(data["shape"], self.full, planned.choice == self.lessons.choice)
        model = train_model(
            data, self.full, learnt, self.schedule, folder / "checkpoints", self.lessons.spoken
        )
        model.save(weights)
        clips = data["train"].clips
        seconds = sum(len(clip.parameters) / clip.parameters.fps for clip in clips)
        steps = {one: getattr(self.schedule, one).steps if learnt[one] else 0 for one in learnt}
        how = {
            "speakers": len(data["train"].speakers),
            "minutes": round(seconds / 60, 2),
            "steps": steps,
        }
        with replace_when_whole(notes) as part:
            part.write_text(json.dumps({"digest": digest, "how": how}), encoding="utf-8")
        return model, how

    def _data(self, planned: PlannedModel) -> dict[str, Any]:
        """What a model learns from, gathered once."""
        if planned.name not in self._gathered:
            gathered = self.lessons.gather(self.shape, self.schedule, planned.choice)
            self._gathered[planned.name] = gathered
        return self._gathered[planned.name]

    def _held_out(self, planned: PlannedModel) -> list[Any]:
        heard = planned.heard
        return [clip for clip in self.exam.clips if heard is None or clip.speaker in heard]
