"""How each stage of training steps; defaults are the paper's (section A) where it gives a value."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from talkin.networks.speaker_classifier import SpeakerClassifierConfig


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
    judge: Literal["frozen", "refreshed", "panel"] = Field(
        default="frozen",
        description="Who judges Eq. 2. frozen (paper): the speaker classifier as it was trained "
        "on x; refreshed: a small judge of the window's mean and deviation that goes on learning "
        "from x', so that hiding from it means hiding; panel: that one and one of convolutions "
        "over the whole window, which hears what means do not say.",
    )
    judge_learning_rate: float = Field(
        default=2e-3, gt=0, description="Of judges that go on learning."
    )
    judge_channels: int = Field(
        default=24, ge=1, description="Channels of the panel's convolutions."
    )


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
