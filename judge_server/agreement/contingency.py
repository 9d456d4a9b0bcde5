"""Contingency tables of labels: for two raters on the same items, or any number of raters on an item.

``pair_table`` is the confusion matrix of two raters. The tables for any number of raters hold the same pairs under two
normalisations. Krippendorff's divides each item's pairs by its ratings less one, so that every rating counts once; the
itemwise one divides them by their number, so that every item counts once (Fleiss, Gwet).
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product

import numpy as np

from judge_server.agreement.array import Floats, Ints
from judge_server.agreement.evidence import Evidence, cells, sums


def pair_table(reference: Ints, judge: Ints, cluster: Ints, labels: int) -> Evidence:
    """Counts of (reference label, judge label) within each cluster; codes below 0 are missing and leave the item out.

    Arrays of shape (items,). The statistic has shape (labels, labels), reference in the rows, judge in the columns: a
    confusion matrix.
    """
    rated = (reference >= 0) & (judge >= 0)
    return cells((reference * labels + judge)[rated], cluster[rated], (labels, labels))


def table_of(counts: Floats) -> Evidence:
    """Evidence from a published (labels, labels) table, one cluster an item."""
    filled = np.asarray(counts, dtype=np.int64)
    cell = np.repeat(np.arange(filled.size), filled.ravel())
    return cells(cell, np.arange(len(cell)), (len(filled), len(filled)))


def margins(table: Floats) -> tuple[Floats, Floats, Floats]:
    """Row sums, column sums and the grand total of (replicates, labels, labels)."""
    rows = table.sum(axis=-1)
    return rows, table.sum(axis=-2), rows.sum(axis=-1)


def not_commonest(table: Floats) -> Floats:
    """The number of reference labels other than the most common one."""
    rows = margins(table)[0]
    return np.asarray(rows.sum(axis=-1) - rows.max(axis=-1), dtype=np.float64)


def of_any_judge(table: Floats) -> Floats:
    """(labels + 1, labels, labels): the tables of judges that know nothing about these reference labels: one for each
    label that says it always, and one whose labels mirror the reference's rates."""
    rows = margins(table)[0][0]
    rates = np.vstack([np.eye(len(rows)), rows[::-1] / rows.sum()])
    return np.asarray(np.einsum("i,kj->kij", rows, rates), dtype=np.float64)


def diagonal(table: Floats) -> Floats:
    return np.diagonal(table, axis1=-2, axis2=-1)


UNPAIRED = "no item has two ratings"


def rating_coincidences(counts: Floats, cluster: Ints) -> Evidence:
    """Krippendorff's coincidence matrix (labels, labels) within each cluster, from (items, labels) counts."""
    ratings = counts.sum(axis=1)
    paired = ratings >= 2
    labels = counts.shape[1]
    columns = pair_columns(counts[paired], 1 / (ratings[paired] - 1))
    table = sums(columns, cluster[paired], (labels, labels), int(paired.sum()))
    return replace(table, empty=UNPAIRED)


def pair_counts(counts: Floats, cluster: Ints) -> Evidence:
    """Counts of every ordered pair of ratings of an item: each human against each other human, in both orders."""
    ratings = counts.sum(axis=1)
    paired = ratings >= 2
    labels = counts.shape[1]
    columns = pair_columns(counts[paired], np.ones(int(paired.sum())))
    pairs = int((ratings * (ratings - 1)).sum()) // 2
    return replace(sums(columns, cluster[paired], (labels, labels), pairs), empty=UNPAIRED)


def item_coincidences(counts: Floats, cluster: Ints) -> Evidence:
    """(labels + 1, labels): the share of an item's pairs in each cell, and below them the share of its ratings on
    each label.

    Items with one rating count only in the last row, as in Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed.,
    ch. 2.
    """
    ratings = counts.sum(axis=1)
    rated = ratings >= 1
    kept, number = counts[rated], ratings[rated]
    labels = counts.shape[1]
    paired = np.where(number >= 2, number * (number - 1), np.inf)
    columns = chain(pair_columns(kept, 1 / paired), (kept[:, label] / number for label in range(labels)))
    table = sums(columns, cluster[rated], (labels + 1, labels), int((number >= 2).sum()))
    return replace(table, empty=UNPAIRED)


def pair_columns(counts: Floats, scale: Floats) -> Iterator[Floats]:
    """One column per cell: the number of an item's ordered pairs of ratings there, times the item's ``scale``."""
    for first, second in product(range(counts.shape[1]), repeat=2):
        yield counts[:, first] * (counts[:, second] - (first == second)) * scale


def as_coincidences(table: Floats) -> Floats:
    """A two-rater table as Krippendorff's coincidences, which ignore the order of the raters."""
    return table + np.swapaxes(table, -2, -1)


def as_item_coincidences(table: Floats) -> Floats:
    """A two-rater table in the shape of ``item_coincidences``."""
    half = as_coincidences(table) / 2
    return np.concatenate([half, half.sum(axis=-2, keepdims=True)], axis=-2)
