"""The speaker classifier on disk, or the fact that a corpus of one speaker has none."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig


@dataclass(frozen=True, eq=False)
class SpeakerJudge:
    """Who tells speakers apart while identity removal is trained.

    Attributes:
        classifier: Frozen; None where there is only one speaker, or no need.
        speakers: Names of its classes.
        n_mfcc: Coefficients that it hears.
        network: Its size.
    """

    classifier: "SpeakerClassifier | None"
    speakers: tuple[str, ...]
    n_mfcc: int
    network: "SpeakerClassifierConfig"

    def save(self, folder: Path) -> None:
        """Write config.json, and weights.safetensors where there is a classifier."""
        from talkin.networks.saved import save_weights, write_json

        folder.mkdir(parents=True, exist_ok=True)
        if self.classifier is not None:
            save_weights(self.classifier, folder / "weights.safetensors")
        write_json(
            folder / "config.json",
            {
                "is_used": self.classifier is not None,
                "speakers": list(self.speakers),
                "n_mfcc": self.n_mfcc,
                "network": self.network.model_dump(mode="json"),
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ConfigurationError: If files are missing or damaged.
        """
        from talkin.networks.saved import load_weights, read_json
        from talkin.networks.speaker_classifier import (
            SpeakerClassifier,
            SpeakerClassifierConfig,
            freeze,
        )

        header: dict[str, Any] = read_json(folder / "config.json", "a speaker classifier's folder")
        config = SpeakerClassifierConfig.model_validate(header["network"])
        speakers, n_mfcc = tuple(header["speakers"]), int(header["n_mfcc"])
        if not header["is_used"]:
            return cls(None, speakers, n_mfcc, config)
        classifier = SpeakerClassifier(n_mfcc, len(speakers), config)
        load_weights(classifier, folder / "weights.safetensors")
        freeze(classifier)
        return cls(classifier, speakers, n_mfcc, config)
