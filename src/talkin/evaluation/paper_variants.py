"""The models that the paper's tables set beside its full one: what is changed to train each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PAPER_MINUTES = (2, 5, 10, 15)
"""Of each speaker, in Table 3."""


@dataclass(frozen=True)
class PaperVariant:
    """One model of the tables.

    Attributes:
        table: The first table that shows it.
        settings: What is laid over the settings `training.model` of the full model.
        paper_minutes: Minutes of each speaker that it learns from in the paper (Table 3); None for
            all that there is.
        is_person_specific: Whether there is a model a speaker instead of one for all.
    """

    table: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    paper_minutes: int | None = None
    is_person_specific: bool = False


VARIANTS: dict[str, PaperVariant] = {
    "2d": PaperVariant("table_1a", {"predict": "landmarks"}),
    "no_identity_removal": PaperVariant("table_1b", {"identity_removal": {"is_used": False}}),
    **{
        f"{scheme}_{minutes}min": PaperVariant(
            "table_3", paper_minutes=minutes, is_person_specific=scheme == "split"
        )
        for scheme in ("split", "joint")
        for minutes in PAPER_MINUTES
    },
    "full_face": PaperVariant("table_6", {"renderer": {"is_full_face": True}}),
}
"""Name -> variant, in the order of the tables."""


def variant_command(variant: str, environment: str | None = None) -> str:
    """The command that trains and scores a variant, for whoever finds its row empty."""
    place = f" --env={environment}" if environment else ""
    if variant not in VARIANTS:
        stages = "training,evaluation,tables"
        return f"kedro run --pipelines={stages}{place} --params=evaluation.variant.name={variant}"
    return f"kedro run --pipelines=variants,tables{place} --params=variants.plan.chosen=[{variant}]"
