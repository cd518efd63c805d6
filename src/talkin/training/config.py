"""What training does; the defaults are the paper's (section A) where it gives a value."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from talkin.losses.objective import LossWeights
from talkin.networks.discriminator import DiscriminatorConfig
from talkin.networks.perceptual import PerceptualConfig
from talkin.networks.speaker_classifier import SpeakerClassifierConfig

StageName = Literal["speaker_classifier", "audio", "renderer", "joint"]


class OptimiserConfig(BaseModel):
    """Adam and its schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    betas: tuple[float, float] = Field(default=(0.5, 0.999), description="Adam's beta 1 and 2.")
    decay: float = Field(default=0.8, gt=0, le=1, description="Factor of the learning rates ...")
    decay_every: int = Field(default=10_000, ge=1, description="... every so many steps.")
    warm_up: int = Field(
        default=0, ge=0, description="Steps in which the rates rise; larger rates are safe then."
    )
    fade: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Last share of a stage's steps, in which the rates fall linearly to 0. Then "
        "the number of steps shapes the whole course: with another one a stage begins anew.",
    )
    weight_decay: float = Field(default=0.0, ge=0, description="Decoupled, as in AdamW.")
    clip_gradient: float = Field(
        default=0.0, ge=0, description="Largest gradient norm of a network; 0 = not clipped."
    )

    def rate_factor(self, step: int, n_steps: int) -> float:
        """What the learning rates of step 0 are multiplied by at a step of `n_steps`."""
        factor = self.decay ** (step // self.decay_every)
        if self.warm_up:
            factor *= min(1.0, (step + 1) / self.warm_up)
        if self.fade:
            factor *= min(1.0, (n_steps - step) / (self.fade * n_steps))
        return factor


_OWN_OPTIMISER = Field(
    default=None, description="Of this stage alone; none = the one that all stages share."
)


class SpeakerStageConfig(BaseModel):
    """The speaker classifier, frozen ever after."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=20_000, ge=0, description="Steps of the stage.")
    batch_size: int = Field(default=64, ge=2, description="Windows of a step.")
    learning_rate: float = Field(default=1e-3, gt=0, description="At the first step.")
    optimiser: OptimiserConfig | None = _OWN_OPTIMISER
    network: SpeakerClassifierConfig = SpeakerClassifierConfig()
    weights: Path | None = Field(
        default=None,
        description="Published VGGVox weights whose convolutions the judge begins with "
        "(talkin.networks.vggvox); needs network.layout vggvox.",
    )
    sha256: str | None = Field(default=None, description="Checksum of weights, or its beginning.")


class AudioStageConfig(BaseModel):
    """Identity removal and translation, alone: sound and face, no pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=100_000, ge=0, description="Steps; paper: 100,000 in all.")
    spoken_steps: int = Field(
        default=0,
        ge=0,
        description="Steps that come before these and learn from synthetic speech, where there is "
        "any (training.spoken); the schedule begins anew with the footage. Paper: none.",
    )
    spoken_decay_every: int | None = Field(
        default=None,
        ge=1,
        description="Steps between two decays of the learning rates while spoken_steps last; as "
        "often as later on if not given.",
    )
    batch_size: int = Field(default=64, ge=1, description="Windows of a step.")
    learning_rate: float = Field(default=1e-4, gt=0, description="Paper: 1e-4.")
    optimiser: OptimiserConfig | None = _OWN_OPTIMISER
    time_jitter_rows: int = Field(
        default=0,
        ge=0,
        le=100,
        description="The window is moved by up to so many hundredths of a second, and the true "
        "expression with it (interpolated between frames).",
    )
    gain_std: float = Field(
        default=0.0,
        ge=0,
        description="Random loudness: deviation added to coefficient 0, in its own deviations.",
    )
    channel_std: float = Field(
        default=0.0,
        ge=0,
        description="Random microphone: a constant added to every coefficient of a window.",
    )
    noise_std: float = Field(
        default=0.0, ge=0, description="Random noise: added to every single coefficient."
    )
    voice_std: float = Field(
        default=0.0,
        ge=0,
        le=0.3,
        description="Random voice: deviation of a warp of the frequency axis (vocal tract length), "
        "which for cepstra is a matrix.",
    )

    forgotten_rows: int = Field(
        default=0,
        ge=0,
        le=100,
        description="In half of the windows a random number of first rows, at most so many, is "
        "silenced: what was said long before shall not be learnt by heart.",
    )
    judge: Literal["frozen", "refreshed"] = Field(
        default="frozen",
        description="Who judges Eq. 2. frozen (paper): the speaker classifier as it was trained "
        "on x; refreshed: a small judge of the window's mean and deviation that goes on learning "
        "from x', so that hiding from it means hiding.",
    )
    judge_learning_rate: float = Field(default=2e-3, gt=0, description="Of the refreshed judge.")


class RendererStageConfig(BaseModel):
    """The renderer alone, guided by true landmarks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(
        default=0, ge=0, description="Paper: none, it trains jointly from the start."
    )
    batch_size: int = Field(
        default=1, ge=1, description="Windows of seven frames a step. Paper: 1."
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="Paper: 1e-3.")
    is_adversarial: bool = Field(
        default=True,
        description="False: the adversary waits for the joint stage, and steps cost a third less.",
    )
    optimiser: OptimiserConfig | None = _OWN_OPTIMISER


class JointStageConfig(BaseModel):
    """All networks end to end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=100_000, ge=0, description="Paper: 100,000.")
    batch_size: int = Field(
        default=1, ge=1, description="Windows of seven frames a step. Paper: 1."
    )
    renderer_learning_rate: float = Field(default=1e-3, gt=0, description="Paper: 1e-3.")
    audio_learning_rate: float = Field(default=1e-4, gt=0, description="Paper: 1e-4.")
    optimiser: OptimiserConfig | None = _OWN_OPTIMISER
    picture_gradients_reach_audio: bool = Field(
        default=True,
        description="False: the renderer sees predicted landmarks, but the audio networks learn "
        "from Eq. 2 and 3 alone.",
    )
    true_landmarks: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of steps in which the renderer is guided by the true landmarks instead "
        "of the predicted ones (paper: 0).",
    )


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
