"""Label sets in the store: exact, compressed copies by column; and collected labels as a set."""

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from judge_server.core.errors import StoreUnavailable
from judge_server.labels.label import CriterionScale, Item
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.readers.label_reading import labels_from
from judge_server.labels.table import Column, LabelTable
from judge_server.store.label_records import Added, CollectedLabel, LabelRecords, StoredSet

_COLUMNS = ("items", "criteria", "annotators", "clusters", "labels")
_BY_ROW = ("rationales", "invalid", "distributions")


async def keep(label_set: LabelSet, records: LabelRecords) -> StoredSet:
    """Store this edition; storing the same content again changes nothing."""
    stored = StoredSet(
        id=label_set.id,
        version=label_set.version,
        digest=label_set.digest,
        created_at=datetime.now(UTC),
        description=described(label_set),
    )
    await records.put_set(stored, packed(label_set))
    return stored


async def find(name: str, records: LabelRecords) -> LabelSet | None:
    """Look up by digest, ``id@version`` or id (its newest edition), else the labels collected under that name."""
    found = await records.find_set(name)
    if found is not None:
        return unpacked(*found)
    collected = await records.collected(name)
    return collected_set(name, collected) if collected else None


async def collect(
    name: str,
    given: Sequence[CollectedLabel],
    records: LabelRecords,
    *,
    replace: bool = False,
    check: Callable[[Sequence[CollectedLabel]], None] | None = None,
) -> tuple[Added, LabelSet]:
    """Add labels to a set that grows, all or none; also the set with them. Raises BadInput, with findings if the set
    would contradict itself, and what ``check`` raises about the labels that stand."""
    own = {_key(label) for label in given}
    made: list[LabelSet] = []

    async def look(standing: Sequence[CollectedLabel]) -> None:
        if check is not None:
            check(standing)
        others = [label for label in standing if _key(label) not in own]
        made.append(await asyncio.to_thread(collected_set, name, [*given, *others]))

    added = await records.collect(name, given, replace=replace, check=look)
    return added, made[-1]


def collected_set(name: str, labels: Sequence[CollectedLabel]) -> LabelSet:
    """A set from labels that arrived one by one. Raises BadInput with findings whose rows count the labels from 1."""
    rows = ((number, label.content) for number, label in enumerate(labels, 1))
    provenance = Provenance(source="labels collected by this server")
    return labels_from(rows, name, name=name, provenance=provenance)


def _key(label: CollectedLabel) -> tuple[str, str, str]:
    return label.item, label.criterion, label.annotator


def described(label_set: LabelSet) -> dict[str, Any]:
    """An entry of a listing."""
    return {
        "counts": label_set.counts.model_dump(),
        "provenance": label_set.provenance.model_dump(exclude_none=True),
        "scales": [scale.model_dump(exclude_none=True, mode="json") for scale in label_set.scales],
        "notes": list(label_set.notes),
    }


def packed(label_set: LabelSet) -> bytes:
    table = label_set.table
    columns = {name: getattr(table, name) for name in _COLUMNS}
    value = {
        "provenance": label_set.provenance.model_dump(),
        "scales": [scale.model_dump() for scale in label_set.scales],
        "items": [item.model_dump(exclude_defaults=True) for item in label_set.items.values()],
        "splits": dict(label_set.splits),
        "notes": list(label_set.notes),
        "roles": table.roles,
        "names": {name: column.names for name, column in columns.items()},
        "codes": {name: column.codes.tolist() for name, column in columns.items()},
        "probabilities": table.probabilities.tolist(),  # JSON's null is nan
        "rows": table.rows.tolist(),
        "saw_judge": sorted(table.saw_judge),
        "by_row": {name: {str(row): value for row, value in getattr(table, name).items()} for name in _BY_ROW},
    }
    return zlib.compress(orjson.dumps(value), 6)


def unpacked(stored: StoredSet, content: bytes) -> LabelSet:
    """Raises StoreUnavailable for content that cannot be read."""
    try:
        return _unpacked(stored, orjson.loads(zlib.decompress(content)))
    except (zlib.error, ValueError, KeyError, TypeError) as fault:
        raise StoreUnavailable(
            f"Label set {stored.id!r} is in the database but cannot be read: {fault}",
            remedy="Import it again.",
        ) from fault


def _unpacked(stored: StoredSet, value: Mapping[str, Any]) -> LabelSet:
    columns: dict[str, Any] = {
        name: Column(tuple(value["names"][name]), np.asarray(value["codes"][name], dtype=np.int32)) for name in _COLUMNS
    }
    by_row: dict[str, Any] = {name: {int(row): held for row, held in value["by_row"][name].items()} for name in _BY_ROW}
    table = LabelTable(
        roles=tuple(value["roles"]),
        probabilities=np.asarray(value["probabilities"], dtype=np.float64),
        rows=np.asarray(value["rows"], dtype=np.int32),
        saw_judge=frozenset(value.get("saw_judge", ())),  # sets that were stored before have none
        **columns,
        **by_row,
    )
    return LabelSet(
        id=stored.id,
        version=stored.version,
        provenance=Provenance.model_validate(value["provenance"]),
        scales=tuple(CriterionScale.model_validate(scale) for scale in value["scales"]),
        table=table,
        items={item["id"]: Item.model_validate(item) for item in value["items"]},
        splits=value["splits"],
        notes=tuple(value["notes"]),
    )
