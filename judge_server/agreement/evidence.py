"""Sufficient statistics per cluster, which resampling weights instead of single ratings."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack

from judge_server.agreement.array import Floats, Ints, floats

PRODUCT_CELLS = 4_000_000  # most weights (floats) in memory at once
MOST_DENSE = 2_000  # most groups of clusters whose rows are stored densely
DENSE_STATISTICS = 128  # wider rows are mostly zeros


@dataclass(frozen=True, eq=False)
class Evidence:
    """One row of statistics for each cluster with data.

    ``rows`` has shape (clusters, prod(shape)); a metric's formula reads a sum of rows, reshaped to ``shape``. ``n`` is
    the number of items or pairs. ``ids``: the cluster number of each row in the data.
    """

    rows: Floats | csr_array
    shape: tuple[int, ...]
    n: int
    ids: Ints | None = None
    empty: str = "no item was rated by both sides"

    @property
    def clusters(self) -> int:
        return int(self.rows.shape[0])

    def totals(self, weights: NDArray[Any]) -> Floats:
        """Weighted sums of the rows: (replicates, clusters) → (replicates, *shape)."""
        summed = np.zeros((len(weights), prod(self.shape)))
        step = max(1, PRODUCT_CELLS // len(weights))
        for start in range(0, self.clusters, step):
            rows, weight = self.rows[start : start + step], weights[:, start : start + step].astype(np.float64)
            summed += (rows.T @ weight.T).T if isinstance(rows, csr_array) else weight @ rows
        return summed.reshape(len(weights), *self.shape)

    def dense(self) -> Floats:
        """(clusters, *shape); of sparse rows, sums over at most ``MOST_DENSE`` groups of clusters."""
        rows = self.rows if isinstance(self.rows, np.ndarray) else self.grouped(MOST_DENSE)
        return floats(rows).reshape(len(rows), *self.shape)

    def grouped(self, most: int) -> Floats:
        """(groups, prod(shape)): the rows summed in at most ``most`` groups of clusters."""
        if self.clusters <= most:
            return self.rows if isinstance(self.rows, np.ndarray) else floats(self.rows.toarray())
        place = np.arange(self.clusters) % most
        chooser = csr_array((np.ones(self.clusters), (place, np.arange(self.clusters))), shape=(most, self.clusters))
        summed = chooser @ self.rows
        return floats(summed if isinstance(summed, np.ndarray) else summed.toarray())

    def total(self) -> Floats:
        """The plain sum of the rows, shape (1, *shape)."""
        return self.totals(np.ones((1, self.clusters)))


def cells(cell: Ints, cluster: Ints, shape: tuple[int, ...], weight: Floats | None = None) -> Evidence:
    """Counts (or summed ``weight``) of flat ``cell`` indices into ``shape`` within each cluster; one entry a rating
    pair.
    """
    group, groups = renumbered(cluster)
    width, ids = prod(shape), np.unique(cluster)
    if width <= DENSE_STATISTICS:
        counted = np.bincount(group * width + cell, weights=weight, minlength=groups * width)
        return Evidence(counted.astype(np.float64, copy=False).reshape(groups, width), shape, len(cell), ids)
    data = np.ones(len(cell)) if weight is None else weight
    return Evidence(csr_array(coo_array((data, (group, cell)), shape=(groups, width))), shape, len(cell), ids)


def sums(
    columns: Iterable[Floats], cluster: Ints, shape: tuple[int, ...] | None = None, n: int | None = None
) -> Evidence:
    """Sums of each column (one value an item) within each cluster; with ``shape``, columns may come one at a time."""
    if shape is None:
        columns = list(columns)
        shape = (len(columns),)
    group, groups = renumbered(cluster)
    rows = np.empty((groups, prod(shape)))
    for place, column in enumerate(columns):
        rows[:, place] = np.bincount(group, weights=column, minlength=groups)
    return Evidence(rows, shape, len(cluster) if n is None else n, np.unique(cluster))


def joined(first: Evidence, second: Evidence) -> Evidence:
    """Concatenate two bodies of evidence over the same clusters, so that one resampling weights both."""
    if first.clusters != second.clusters:
        raise ValueError(
            f"Evidence over {first.clusters} and {second.clusters} clusters: keep only items that both sides have."
        )
    width, n, ids = (prod(first.shape) + prod(second.shape),), min(first.n, second.n), first.ids
    if isinstance(first.rows, csr_array) or isinstance(second.rows, csr_array):
        return Evidence(csr_array(hstack([csr_array(first.rows), csr_array(second.rows)])), width, n, ids)
    return Evidence(np.hstack([first.rows, second.rows]), width, n, ids)


def renumbered(cluster: Ints) -> tuple[Ints, int]:
    """Clusters renumbered without gaps, in the same order, and their number."""
    if not len(cluster):
        return cluster, 0
    present = np.bincount(cluster) > 0
    return (np.cumsum(present) - 1)[cluster], int(present.sum())
