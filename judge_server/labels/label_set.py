"""Labels with their scales, items and provenance, versioned by digest. Each annotator's labels are kept."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from judge_server.core.errors import BadInput
from judge_server.core.judge import JudgeSpecification
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Item
from judge_server.labels.table import ABSTAINED, INVALID, Codes, Column, LabelTable
from judge_server.store.label_records import LockedReading
from judge_server.util.canonical import canonical_json

Split = Literal["dev", "test"]


class Provenance(Frozen):
    """The origin of labels. ``nature``: labels by experts or a crowd, or ``authored``: examples made up here.
    ``judges``: the configured names of the only judges to which the texts may be shown; empty: all."""

    source: str
    commit: str | None = None
    licence: str | None = None
    checksum: str | None = None
    nature: Literal["expert", "crowd", "authored", "unknown"] = "unknown"
    note: str | None = None
    judges: tuple[str, ...] = ()


class LabelCounts(Frozen):
    """The size of a set. ``labels`` counts all rows, ``abstained`` and ``invalid`` the rows without a label,
    ``saw_judge`` those whose annotator had seen what a judge said."""

    labels: int
    items: int
    clusters: int
    criteria: int
    humans: int
    judges: int
    abstained: int
    invalid: int
    saw_judge: int = 0
    test_clusters: int


@dataclass(frozen=True)
class LabelSet:
    """Labels by people and judges, without a majority vote. ``splits``: by cluster (prompt); a prompt that is not
    listed is in dev. ``notes``: remarks for the user of the file. ``judges``: what kind of judge each is, in words.
    ``rubric``: the one by which a judge was asked. The digest covers neither of these three."""

    id: str
    version: str
    provenance: Provenance
    scales: tuple[CriterionScale, ...]
    table: LabelTable
    items: Mapping[str, Item] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    judges: Mapping[str, str] = field(default_factory=dict)
    rubric: Rubric | None = None

    def require_shown(self, judge: JudgeSpecification) -> None:
        """Raises JudgeNotAllowed if the texts may not be shown to this judge."""
        if self.provenance.judges:
            judge.require_shown(self.provenance.judges, f"The label set {self.id!r}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over scales, splits, items and labels, independent of the order of the rows."""
        return digest_of(self.scales, self.splits, self.items, self.table)

    @cached_property
    def counts(self) -> LabelCounts:
        table = self.table
        clusters = {table.clusters.names[code] for code in np.unique(table.clusters.codes)}
        roles = [table.roles[code] for code in np.unique(table.annotators.codes)]
        return LabelCounts(
            labels=len(table),
            items=len(np.unique(table.items.codes)),
            clusters=len(clusters),
            criteria=len(np.unique(table.criteria.codes)),
            humans=roles.count("human"),
            judges=roles.count("judge"),
            abstained=int((table.labels.codes == ABSTAINED).sum()),
            invalid=int((table.labels.codes == INVALID).sum()),
            saw_judge=len(table.saw_judge),
            test_clusters=sum(self.splits.get(cluster) == "test" for cluster in clusters),
        )

    def scale_of(self, criterion: str) -> CriterionScale:
        """Raises KeyError for an unknown criterion."""
        return {scale.criterion: scale for scale in self.scales}[criterion]

    def split(self, name: Split, reading: LockedReading | None = None) -> "LabelSet":
        """The labels of one split. The test split is locked: it needs the record of this reading from
        ``splits.read_test``. Raises BadInput without a record, or if the set has no such split."""
        if name == "test":
            self._check(reading)
        table = self.table
        names = table.clusters.names
        wanted = np.array([self.splits.get(cluster, "dev") == name for cluster in names], dtype=np.bool_)
        chosen = table.select(wanted[table.clusters.codes]) if len(table) else table
        if not len(chosen):
            raise BadInput(
                f"Label set {self.id!r} has no {name} split.",
                remedy="Make one with calibrate import --test-share 0.3, or give the file a column split with dev and "
                "test.",
            )
        present = {table.items.names[code] for code in np.unique(chosen.items.codes)}
        return replace(
            self,
            table=chosen,
            items={item: text for item, text in self.items.items() if item in present},
            splits={cluster: own for cluster, own in self.splits.items() if own == name},
        )

    def _check(self, reading: LockedReading | None) -> None:
        if reading is None or reading.digest != self.digest:
            raise BadInput(
                f"The test split of label set {self.id!r} is locked.",
                remedy="Give a reader and a reason, which are recorded, or use the dev split.",
            )


def digest_of(
    scales: Sequence[CriterionScale], splits: Mapping[str, str], items: Mapping[str, Item], table: LabelTable
) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    hashing = hashlib.sha256()

    def add(value: object) -> None:
        hashing.update(canonical_json(value).encode("utf-8", "surrogatepass") + b"\n")

    add(
        {
            "scales": [scale.model_dump() for scale in sorted(scales, key=lambda scale: scale.criterion)],
            "splits": dict(splits),
            "items": {name: item.model_dump(exclude_defaults=True) for name, item in items.items()},
            "roles": dict(zip(table.annotators.names, table.roles, strict=True)),
        }
    )
    columns = [table.items, table.criteria, table.annotators, table.clusters, table.labels]
    ranked = [_ranked(column) for column in columns]
    order = np.lexsort([codes for _, codes in reversed(ranked)])
    for names, codes in ranked:
        add(names)
        hashing.update(codes[order].astype("<i4").tobytes())
    hashing.update(table.probabilities[order].astype("<f8").tobytes())
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    for by_row in (table.rationales, table.invalid, table.distributions):
        add({str(place_of[row]): value for row, value in by_row.items()})
    if table.saw_judge:
        add({"saw_judge": sorted(int(place_of[row]) for row in table.saw_judge)})
    return "sha256:" + hashing.hexdigest()


def _ranked(column: Column) -> tuple[list[str], Codes]:
    """The names in use, sorted, and the index of each row's name."""
    used = [int(code) for code in np.unique(column.codes) if code >= 0]
    in_order = sorted(used, key=lambda code: column.names[code])
    ranks = np.arange(-2, len(column.names), dtype=np.int32)  # shifted by two, so that −2 and −1 keep their values
    ranks[np.asarray(in_order, dtype=np.int64) + 2] = np.arange(len(in_order), dtype=np.int32)
    return [column.names[code] for code in in_order], ranks[column.codes + 2]
