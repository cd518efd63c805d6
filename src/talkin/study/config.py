"""What a study asks, of which clips, and how its answers are judged."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

QuestionName = Literal["realism", "lip_sync", "naturalness"]

PAPER_VIEWS = ("front", "up30", "down30", "right30", "right60", "left30", "left60")
"""The seven cameras of the collected set, in the order of Table 4's rows."""


class Question(BaseModel):
    """One question with its five answers, worst first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: QuestionName = Field(description="How tables name it.")
    text: str = Field(min_length=1, max_length=300, description="As the rater reads it.")
    labels: tuple[str, str, str, str, str] = Field(description="Of the scores 1 to 5.")


_QUALITY = ("bad", "poor", "fair", "good", "excellent")  # ITU-R BT.500's quality scale
QUESTIONS: dict[QuestionName, Question] = {
    "realism": Question(
        name="realism",
        text="Is this a real recording, or was it faked?",
        # B.2, word for word.
        labels=("absolutely fake", "fake", "hard to judge", "real", "absolutely real"),
    ),
    "lip_sync": Question(
        name="lip_sync", text="How well do the lips fit the words you hear?", labels=_QUALITY
    ),
    "naturalness": Question(
        name="naturalness", text="How natural does the person look while talking?", labels=_QUALITY
    ),
}


class DesignConfig(BaseModel):
    """Which clips are shown: in the paper 7 views x 4 speakers x 3, generated and real (B.2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    views: tuple[str, ...] = Field(
        default=PAPER_VIEWS, min_length=1, description="Cameras, in the order of the table's rows."
    )
    n_speakers: int = Field(default=4, ge=1, description="Speakers shown.")
    clips_per_cell: int = Field(
        default=3, ge=1, description="Clips of each speaker in each view, of each kind."
    )
    n_attention_checks: int = Field(
        default=4,
        ge=0,
        le=40,
        description="Clips that say which score to give. The paper mentions none; a study of "
        "people who are not in the room needs some.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="Of the choice among more clips than are wanted. The names and the order of "
        "clips never follow from it.",
    )

    @model_validator(mode="after")
    def _views_are_different(self) -> Self:
        if len(set(self.views)) < len(self.views):
            raise ValueError("views: every view may stand only once")
        return self


class EncodingConfig(BaseModel):
    """One encoding for all, so that only the picture can tell a clip's kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fps: float = Field(default=25.0, gt=0, le=120, description="Frames per second.")
    largest_side_px: int = Field(
        default=720, ge=32, le=4096, description="Larger clips are made smaller, all to one box."
    )
    longest_s: float | None = Field(
        default=None, gt=0, description="Clips are cut there; null for whole clips."
    )
    crf: float = Field(
        default=17.0,
        ge=0,
        le=40,
        description="x264's constant quality of the shown clips, the same as edits are written "
        "with: losing more here would hide what is to be judged.",
    )
    loudness_dbfs: float = Field(
        default=-26.0, ge=-60, le=-6, description="Root mean square of each clip's sound."
    )
    sample_rate: int = Field(default=48000, ge=8000, le=48000, description="Of the sound, Hz.")


class PageConfig(BaseModel):
    """What the page asks and says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: tuple[QuestionName, ...] = Field(
        default=("realism",),
        min_length=1,
        description="realism alone gives Table 4; realism, lip_sync, naturalness give Table 5.",
    )
    title: str = Field(default="Real or not?", min_length=1, max_length=120, description="Heading.")
    introduction: str = Field(
        default="You will see short clips of people talking. Some are recordings, some were made "
        "or changed by a computer. Watch each clip to its end, with sound, and answer what is "
        "asked. There are no right or wrong answers: your impression counts.",
        max_length=4000,
        description="What the rater reads before starting.",
    )
    contact: str = Field(
        default="", max_length=300, description="Whom to ask, or to ask for deletion."
    )
    debrief: str = Field(
        default="Thank you. Some of the clips you saw were edited by a trained model: the mouth "
        "was made anew to fit another sentence. Please do not pass the clips on.",
        max_length=4000,
        description="What the rater reads at the end.",
    )
    must_watch: bool = Field(
        default=True, description="Whether answers open only after a clip has played to its end."
    )

    @model_validator(mode="after")
    def _questions_are_different(self) -> Self:
        if len(set(self.questions)) < len(self.questions):
            raise ValueError("questions: every question may stand only once")
        return self


class JudgingConfig(BaseModel):
    """Which answers count, and how sure the figures are said to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    real_from: int = Field(default=4, ge=2, le=5, description="Scores from here on mean real.")
    checks_passed: float = Field(
        default=0.75,
        ge=0,
        le=1,
        description="Raters who passed a smaller share of the attention checks they saw are left "
        "out; decide on it before you read the answers.",
    )
    n_resamples: int = Field(default=2000, ge=10, description="Bootstrap draws.")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Share that an interval holds.")
    seed: int = Field(default=0, ge=0, description="Of the draws.")
