"""Defines one observation: items that share a prompt are one cluster, and copies of an item are one item.

A cluster is a connected component over two relations: two items with the same prompt (digest of the text as sent; of a
whole conversation), and two items with the same value of a given ``cluster`` column. Intervals that treat the items of
one prompt as independent are too narrow.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from judge_server.core.errors import BadInput
from judge_server.labels.label import Item
from judge_server.labels.label_set import LabelSet, Split
from judge_server.labels.table import Codes, Column, LabelTable

_SHOWN: Final = 3
_SPACE: Final = re.compile(r"\s+")
_POINT_ZERO: Final = re.compile(r"(?<=[0-9])\.0+$")  # 7.0 is 7 in another program
_ZEROS: Final = re.compile(r"(?<![0-9])0+(?=[0-9])")


def observed(labels: LabelSet) -> LabelSet:
    """The set with copies counted once and clusters joined; ``notes`` state what was done and assumed.

    Raises BadInput if items of one prompt are in both splits.
    """
    labels, copies = without_copies(labels)
    table = labels.table
    given = [table.clusters.names[code] for code in _first_codes(table)]
    prompts = [_digest(labels.items[name].prompt if name in labels.items else None) for name in table.items.names]
    roots = components(prompts, given)
    clusters = [given[root] for root in roots]
    joined = replace(
        labels,
        table=replace(table, clusters=_column(table.items.codes, clusters)),
        splits=_splits(labels.splits, dict(zip(given, clusters, strict=True))),
    )
    notes = (*copies, *look_alikes(table), *_independence(table, prompts, given))
    return replace(joined, notes=tuple(dict.fromkeys((*labels.notes, *notes))))


def components(*relations: Sequence[str | None]) -> list[int]:
    """For each index the first index of its component; indices with equal values (not None) are connected."""
    parent = list(range(len(relations[0])))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for relation in relations:
        first: dict[str, int] = {}
        for place, value in enumerate(relation):
            if value is None:
                continue
            one, other = root(first.setdefault(value, place)), root(place)
            parent[max(one, other)] = min(one, other)
    return [root(place) for place in range(len(parent))]


def without_copies(labels: LabelSet) -> tuple[LabelSet, tuple[str, ...]]:
    """Merge items with the same prompt and response into the first of them; of an annotator's labels on one criterion
    the first is kept."""
    table, names = labels.table, labels.table.items.names
    first: dict[str, int] = {}
    kept = np.arange(len(names), dtype=np.int64)
    for place, name in enumerate(names):
        key = _content(labels.items.get(name))
        if key is not None:
            kept[place] = first.setdefault(key, place)
    copied = np.flatnonzero(kept != np.arange(len(names)))
    if not len(copied):
        return labels, ()
    item = kept[table.items.codes]
    keys = (item * len(table.criteria.names) + table.criteria.codes) * len(table.annotators.names)
    keys += table.annotators.codes
    _, firsts, where = np.unique(keys, return_index=True, return_inverse=True)
    differing = int((table.labels.codes != table.labels.codes[firsts][where]).sum())
    merged = replace(table, items=Column(names, item.astype(np.int32)))
    keep = np.zeros(len(table), dtype=np.bool_)
    keep[firsts] = True
    gone = {names[place] for place in copied}
    items = {name: text for name, text in labels.items.items() if name not in gone}
    note = f"{len(copied)} items have the same prompt and response as another item and are counted once with it"
    note += f": {_listed(sorted(gone))}."
    if differing:
        note += f" For {differing} of their labels the same annotator gave different answers; the first label was kept."
    return replace(labels, table=_compact(merged.select(keep), kept), items=items), (note,)


def look_alikes(table: LabelTable) -> Iterable[str]:
    """Names that differ only by case, leading zeros or blanks, and probably mean the same thing."""
    for what, column in (("items", table.items), ("annotators", table.annotators), ("criteria", table.criteria)):
        alike: dict[str, list[str]] = defaultdict(list)
        for name in column.names:
            alike[_POINT_ZERO.sub("", _ZEROS.sub("", _SPACE.sub("", name))).casefold()].append(name)
        pairs = [" / ".join(repr(name) for name in names) for names in alike.values() if len(names) > 1]
        if pairs:
            yield (
                f"{len(pairs)} {what} have names that differ only by case, leading zeros or blanks "
                f"({_listed(pairs)}): they are counted as different {what}."
            )


def _independence(table: LabelTable, prompts: Sequence[str | None], given: Sequence[str]) -> Iterable[str]:
    unknown = sum(
        prompt is None and cluster == name
        for prompt, cluster, name in zip(prompts, given, table.items.names, strict=True)
    )
    if unknown:
        yield (
            f"The prompt of {unknown} of {len(given)} items is not known: they are taken to be independent of each "
            "other. If several items share a prompt, add a column prompt or cluster; otherwise the intervals are "
            "too narrow."
        )


def _splits(splits: Mapping[str, Split], clusters: Mapping[str, str]) -> dict[str, Split]:
    """Splits by joined cluster. Raises BadInput if a joined cluster is in both dev and test."""
    if not splits:
        return {}
    sides: dict[str, set[Split]] = defaultdict(set)
    for given, cluster in clusters.items():
        sides[cluster].add(splits.get(given, "dev"))
    both = [cluster for cluster, found in sides.items() if len(found) > 1]
    if both:
        raise BadInput(
            f"{len(both)} prompts are in both the dev split and the test split: {_listed(both)}.",
            remedy="Give all items that share a prompt or a cluster the same split.",
        )
    named = {clusters[given] for given in splits if given in clusters}
    return {cluster: found.pop() for cluster, found in sides.items() if cluster in named}


def _first_codes(table: LabelTable) -> Codes:
    """(item names,): the cluster code of each item's first row."""
    codes = np.zeros(len(table.items.names), dtype=np.int32)
    codes[table.items.codes[::-1]] = table.clusters.codes[::-1]
    return codes


def _column(items: Codes, clusters: Sequence[str]) -> Column:
    """The cluster column from each item's cluster."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(name, len(known)) for name in clusters), dtype=np.int32, count=len(clusters))
    return Column(tuple(known), codes[items])


def _compact(table: LabelTable, kept: np.ndarray[tuple[int], np.dtype[np.int64]]) -> LabelTable:
    """The table without the names of copies."""
    used = np.flatnonzero(kept == np.arange(len(kept)))
    place = np.full(len(kept), -1, dtype=np.int32)
    place[used] = np.arange(len(used))
    names = tuple(table.items.names[code] for code in used)
    return replace(table, items=Column(names, place[table.items.codes]))


def _digest(prompt: str | None) -> str | None:
    if prompt is None or not prompt.strip():
        return None
    return hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _content(item: Item | None) -> str | None:
    """The key that copies share; None if the text is not known."""
    if item is None or not (item.prompt or "").strip() or not (item.response or "").strip():
        return None
    return _digest(f"{len(item.prompt or '')}\0{item.prompt}\0{item.response}\0{item.reference}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
