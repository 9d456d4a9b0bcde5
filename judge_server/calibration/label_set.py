"""Labels with their scales, items and provenance: versioned by digest, individual annotators kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from judge_server.calibration.label import CriterionScale, Item
from judge_server.calibration.label_table import LabelTable
from judge_server.core.canonical import canonical_json
from judge_server.core.model import Frozen

Split = Literal["dev", "test"]


class Provenance(Frozen):
    """Where labels come from. ``nature``: labels of experts or a crowd, or ``authored``: examples made up here."""

    source: str
    commit: str | None = None
    licence: str | None = None
    checksum: str | None = None
    nature: Literal["expert", "crowd", "authored", "unknown"] = "unknown"
    note: str | None = None


@dataclass(frozen=True)
class LabelSet:
    """Labels of people and judges. Nothing is collapsed to a majority: that is a reader's choice. ``splits``: by cluster
    (prompt); a prompt that is not named is in dev."""

    id: str
    version: str
    provenance: Provenance
    scales: tuple[CriterionScale, ...]
    table: LabelTable
    items: Mapping[str, Item] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over scales, splits and every label, whatever the order of the rows."""
        lines = sorted(
            canonical_json(label.model_dump(mode="json", exclude={"row"}, exclude_defaults=True))
            for label in self.table
        )
        head = canonical_json({"scales": [scale.model_dump() for scale in self.scales], "splits": dict(self.splits)})
        return "sha256:" + hashlib.sha256("\n".join([head, *lines]).encode()).hexdigest()

    def scale_of(self, criterion: str) -> CriterionScale:
        """Raises KeyError for a criterion that the set does not have."""
        return {scale.criterion: scale for scale in self.scales}[criterion]
