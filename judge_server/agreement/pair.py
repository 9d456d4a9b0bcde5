"""Two raters on the same items: the table of who said what."""

from dataclasses import replace

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats
from judge_server.agreement.evidence import Evidence, cells


def pair_table(reference: Ints, judge: Ints, cluster: Ints, labels: int) -> Evidence:
    """Counts of (reference label, judge label) within each cluster; codes below 0 are missing and leave the item out.

    Arrays of shape (items,). The statistic has shape (labels, labels), reference in the rows, judge in the columns: a
    confusion matrix.
    """
    rated = (reference >= 0) & (judge >= 0)
    table = cells((reference * labels + judge)[rated], cluster[rated], (labels, labels))
    return replace(table, disturb=disturbed)


def table_of(counts: Floats) -> Evidence:
    """Evidence from a published (labels, labels) table, one cluster an item."""
    filled = np.asarray(counts, dtype=np.int64)
    cell = np.repeat(np.arange(filled.size), filled.ravel())
    table = cells(cell, np.arange(len(cell)), (len(filled), len(filled)))
    return replace(table, disturb=disturbed)


def disturbed(table: Floats, share: float) -> Floats:
    """The table with this share of its mass moved off the diagonal, in proportion to what chance would put there."""
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    chance = rows[..., :, np.newaxis] * columns[..., np.newaxis, :] * (1 - np.eye(table.shape[-1]))
    mass = chance.sum(axis=(-2, -1), keepdims=True)
    if not np.all(mass):
        return table
    return floats(table * (1 - share) + table.sum(axis=(-2, -1), keepdims=True) * share * chance / mass)


def margins(table: Floats) -> tuple[Floats, Floats, Floats]:
    """Row sums, column sums and the grand total of (replicates, labels, labels)."""
    rows = table.sum(axis=-1)
    return rows, table.sum(axis=-2), rows.sum(axis=-1)


def diagonal(table: Floats) -> Floats:
    return np.diagonal(table, axis1=-2, axis2=-1)
