"""Parts of a label set by prompt: what drives a change, what chooses among changes, and what each can show."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from judge_server.calibration.improvement import PartSize
from judge_server.labels.label_set import LabelSet


def divided(dev: LabelSet, seed: int) -> tuple[LabelSet, LabelSet]:
    """revise and select: each prompt's place is set by its hash with ``seed``."""
    first = np.array([_half(name, seed) for name in dev.table.clusters.names], dtype=np.bool_)
    mine = first[dev.table.clusters.codes]
    return part(dev, mine), part(dev, ~mine)


def _half(cluster: str, seed: int) -> bool:
    return hashlib.sha256(f"revise\0{seed}\0{cluster}".encode("utf-8", "surrogatepass")).digest()[0] < 128


def part(labels: LabelSet, rows: NDArray[np.bool_]) -> LabelSet:
    table = labels.table.select(rows)
    present = {table.items.names[code] for code in np.unique(table.items.codes)}
    return replace(labels, table=table, items={name: one for name, one in labels.items.items() if name in present})


def only_criterion(labels: LabelSet, name: str) -> LabelSet:
    made = part(labels, labels.table.criteria.codes == labels.table.criteria.index(name))
    return replace(made, scales=tuple(scale for scale in labels.scales if scale.criterion == name))


def only_items(labels: LabelSet, names: Sequence[str]) -> LabelSet:
    wanted = set(names)
    mine = np.array([name in wanted for name in labels.table.items.names], dtype=np.bool_)
    return part(labels, mine[labels.table.items.codes])


def ratings(labels: LabelSet) -> int:
    """Item and criterion pairs that people labelled."""
    table = labels.table
    human = table.people
    pairs = table.items.codes[human].astype(np.int64) * len(table.criteria.names) + table.criteria.codes[human]
    return len(np.unique(pairs))


def size(name: str, labels: LabelSet) -> PartSize:
    """The half-width takes the ratings of a prompt for correlated by .3."""
    prompts, count = len(np.unique(labels.table.clusters.codes)), ratings(labels)
    effect = 1 + 0.3 * max(count / max(prompts, 1) - 1, 0)
    return PartSize(
        name=name,
        prompts=prompts,
        ratings=count,
        half_width=round(1.96 * sqrt(0.85 * 0.15 * effect / max(count, 1)), 3),
    )
