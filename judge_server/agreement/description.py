"""Descriptive counts: labels by side, and the score of always giving the most common label."""

import numpy as np

from judge_server.agreement.array import Floats
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.panel import RatingPanel
from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen


class CommonestLabel(Frozen):
    """``accuracy`` of always saying ``label``; its balanced accuracy is 1 / labels and its κ is undefined."""

    label: str
    accuracy: float
    f1_macro: float
    balanced_accuracy: float


def always_majority(labels: tuple[str, ...], reference: Floats) -> CommonestLabel | None:
    """The baseline for (labels,) counts of the reference; None without items. Macro F1 averages over the labels
    present.
    """
    total = float(reference.sum())
    if not total:
        return None
    code = int(reference.argmax())
    share = float(reference[code]) / total
    present = int((reference > 0).sum())
    return CommonestLabel(
        label=labels[code], accuracy=share, f1_macro=2 * share / (1 + share) / present, balanced_accuracy=1 / present
    )


class Description(Frozen):
    """``confusion``: counts, the reference's label in the rows, the judge's in the columns. Rates are shares by
    label, None without items.

    ``items`` have a human rating; of those ``tied`` have no majority and ``unjudged`` no label by the judge.
    """

    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    reference_rates: tuple[float, ...] | None
    judge_rates: tuple[float, ...] | None
    items: int
    tied: int
    unjudged: int
    baseline: CommonestLabel | None


def describe(panel: RatingPanel, judge: str) -> Description:
    """Counts of the judge's labels against the humans' majority."""
    reference, codes = panel.majority(), panel.judges[judge].codes
    size = panel.scale.size
    if not panel.scale.has_tables:
        raise BadInput(f"{size} different values are a measurement.", remedy="Describe them by a histogram instead.")
    evidence = pair_table(reference, codes, panel.cluster, size)
    table = evidence.total()[0] if evidence.clusters else np.zeros((size, size))
    rated = np.bincount(panel.humans.item, minlength=panel.humans.items) > 0
    total = float(table.sum())
    return Description(
        labels=panel.scale.labels,
        confusion=tuple(tuple(int(cell) for cell in row) for row in table),
        reference_rates=tuple(float(share) for share in table.sum(axis=1) / total) if total else None,
        judge_rates=tuple(float(share) for share in table.sum(axis=0) / total) if total else None,
        items=int(rated.sum()),
        tied=int((rated & (reference < 0)).sum()),
        unjudged=int((rated & (codes < 0)).sum()),
        baseline=always_majority(panel.scale.labels, table.sum(axis=1)),
    )
