"""What training does; the defaults are the paper's (section A) where it gives a value."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from talkin.losses.objective import LossWeights
from talkin.networks.discriminator import DiscriminatorConfig
from talkin.networks.perceptual import PerceptualConfig
from talkin.training.stage_configs import (
    AudioStageConfig,
    JointStageConfig,
    OptimiserConfig,
    RendererStageConfig,
    SpeakerStageConfig,
)

StageName = Literal["speaker_classifier", "audio", "renderer", "joint"]


class TrainingConfig(BaseModel):
    """Stages, objective and machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: tuple[StageName, ...] = Field(
        default=("speaker_classifier", "audio", "renderer", "joint"),
        description="Which stages run, in this order; a stage of 0 steps does nothing.",
    )
    seed: int = Field(default=0, ge=0, description="The same seed gives the same weights.")
    start_from: str | None = Field(
        default=None,
        description="A trained model to go on from: its folder, or models:/<name>@<alias> or "
        "models:/<name>/<version> of the registry. Its networks and their sizes are taken as they "
        "are; model is not read.",
    )
    keep_best: bool = Field(
        default=False,
        description="Each stage ends with the networks that validated best (the start counts), "
        "instead of the last ones.",
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, ...")
    precision: Literal["fp32", "bf16", "auto"] = Field(
        default="fp32",
        description="bf16: pictures pass through the networks in bfloat16; weights, hearing, "
        "landmarks and losses stay fp32. auto: bf16 where the device multiplies it in hardware.",
    )
    channels_last: bool = Field(default=True, description="Memory order of the renderer.")
    is_compiled: bool = Field(
        default=False,
        description="Whether torch compiles the renderer: minutes at the start, faster steps on a "
        "GPU. The adversary is not compiled, for its penalty is differentiated twice.",
    )
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes on this machine, a GPU each where there are any; batch sizes are of "
        "each, so two processes of 4 do what one of 8 does. For several machines see torchrun.",
    )
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads of torch; torch's own choice if not given."
    )
    loader_threads: int = Field(
        default=1, ge=0, description="Threads that decode coming batches; 0 = decode in the step."
    )
    speaker_classifier: SpeakerStageConfig = SpeakerStageConfig()
    audio: AudioStageConfig = AudioStageConfig()
    renderer: RendererStageConfig = RendererStageConfig()
    joint: JointStageConfig = JointStageConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    losses: LossWeights = LossWeights()
    mask_weight: float = Field(
        default=1.0, gt=0, description="How many times a pixel in the mouth mask counts in L_recon."
    )
    lip_weight: float = Field(
        default=1.0,
        gt=0,
        description="How many times a pixel about the lips counts in L_recon, if more than "
        "mask_weight: teeth and lips come out sooner.",
    )
    perceptual: PerceptualConfig = PerceptualConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    gradient_penalty_every: int = Field(
        default=1,
        ge=1,
        description="L_gp is computed every so many steps and weighted up by as much: nearly the "
        "same pull, less time.",
    )
    report_every: int = Field(default=50, ge=1, description="Steps between reported losses.")
    validate_every: int = Field(default=2000, ge=1, description="Steps between validations.")
    validation_frames: int = Field(default=2000, ge=1, description="Frames heard in a validation.")
    validation_windows: int = Field(default=32, ge=1, description="Windows seen in a validation.")
    checkpoint_every: int = Field(default=2000, ge=1, description="Steps between checkpoints.")
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        description="Each stage stops after so many minutes, where it then is: not reproducible.",
    )

    def optimiser_of(self, stage: StageName) -> OptimiserConfig:
        """Adam and its schedule for one stage: its own settings, or the shared ones."""
        stages: dict[StageName, OptimiserConfig | None] = {
            "speaker_classifier": self.speaker_classifier.optimiser,
            "audio": self.audio.optimiser,
            "renderer": self.renderer.optimiser,
            "joint": self.joint.optimiser,
        }
        return stages[stage] or self.optimiser
