"""The digest of a label set: one for one content, whatever the order of its rows and whatever file they came from.

SHA-256 over, in this order: the canonical JSON of scales, splits, items and roles; then for each of item, criterion,
annotator, cluster and label the canonical JSON of the sorted names in use and, rows sorted by these five, the places of
the rows' names as little-endian int32 (abstained −1, invalid −2); the probabilities as little-endian float64; the
canonical JSON of what else rows hold, by place.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from judge_server.labels.label import CriterionScale, Item
from judge_server.labels.table import Codes, Column, LabelTable
from judge_server.util.canonical import canonical_json


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
    return "sha256:" + hashing.hexdigest()


def _ranked(column: Column) -> tuple[list[str], Codes]:
    """The names in use, sorted, and the rows' places among them."""
    used = [int(code) for code in np.unique(column.codes) if code >= 0]
    in_order = sorted(used, key=lambda code: column.names[code])
    ranks = np.arange(-2, len(column.names), dtype=np.int32)  # shifted by two: −2 and −1 stay what they are
    ranks[np.asarray(in_order, dtype=np.int64) + 2] = np.arange(len(in_order), dtype=np.int32)
    return [column.names[code] for code in in_order], ranks[column.codes + 2]
