"""One model of a variant: what it takes over from the full model, and what it learns itself.

The full model is taken as it was after its renderer stage, and the end to end stage follows for
every variant as it did for the full one. So the tables set models beside each other that differ in
what they are about and in nothing else, and nothing is trained twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.training import nodes as stages
from pipelines.training.judge import SpeakerJudge

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.samples.dataset import PreparedClip
    from talkin.training.config import TrainingConfig

_OF_HEARING = ("mfcc_scale", "output_scale", "identity_remover", "audio_to_expression")
_SETTINGS_OF_HEARING = ("mfcc", "window", "predict", "identity_removal", "audio_to_expression")


@dataclass(frozen=True, eq=False)
class FullModel:
    """What variants may take over.

    Attributes:
        model: After its renderer stage, before the end to end one.
        judge: The speaker classifier.
    """

    model: "TalkingFace"
    judge: SpeakerJudge

    def require_shape(self, shape: "TalkingFaceConfig") -> None:
        """Refuse a model that was trained with other settings than the present ones.

        Raises:
            ConfigurationError: Saying what to run.
        """
        from talkin.errors import ConfigurationError

        if self.model.config != shape:
            raise ConfigurationError(
                "data/06_models/talking_face_after_renderer was trained with other settings than "
                "training.model and preprocess have now: run the training stage first, so that "
                "the variants differ from the full model in nothing but what they are about"
            )


def learnt_stages(
    shape: "TalkingFaceConfig", full: FullModel, has_all_clips: bool
) -> dict[str, bool]:
    """Which stages a model needs: `audio` where it hears otherwise, `renderer` where it paints so.

    Args:
        shape: Of the model.
        full: To take the rest from.
        has_all_clips: Whether it learns from the same clips as the full model. If not, it is about
            the renderer (Table 3): hearing stays the full model's.
    """
    known = full.model.config
    hears_so = all(getattr(shape, name) == getattr(known, name) for name in _SETTINGS_OF_HEARING)
    paints_so = shape.renderer == known.renderer and has_all_clips
    return {"audio": not hears_so, "renderer": not paints_so, "joint": True}


def train_model(
    data: dict[str, Any],
    full: FullModel,
    learnt: Mapping[str, bool],
    config: "TrainingConfig",
    checkpoints: Path,
    spoken: Callable[[], "list[PreparedClip]"],
) -> "TalkingFace":
    """Train a model of a variant, from its newest checkpoint on; `spoken` as the full one heard."""
    from talkin.training.whole import new_talking_face

    checkpoints.mkdir(parents=True, exist_ok=True)
    if learnt["audio"]:
        model = stages.train_audio_networks(data, full.judge, spoken(), checkpoints, config)
    else:
        model = new_talking_face(data["shape"], data["train"], config.seed)
        _take_over(model, full.model, _OF_HEARING)
    if learnt["renderer"]:
        model = stages.train_renderer(model, data, checkpoints, config)
    else:
        _take_over(model, full.model, ("renderer",))
    return stages.train_jointly(model, data, full.judge, checkpoints, config)


def _take_over(model: "TalkingFace", source: "TalkingFace", parts: tuple[str, ...]) -> None:
    for part in parts:
        getattr(model, part).load_state_dict(getattr(source, part).state_dict())
