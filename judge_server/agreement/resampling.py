"""Jackknife and bootstrap over whole clusters: a prompt is taken with all its rows or left out.

The jackknife leaves out each cluster in turn (Efron & Stein 1981, Ann. Stat. 9:586). The bootstrap serves metrics
without a formula (Field & Welsh 2007, "Bootstrapping clustered data", J. R. Stat. Soc. B 69:369). A replicate draws as
many clusters as there are, with replacement; a metric is computed from the drawn clusters' summed statistics, so that a
thousand replicates are one matrix product. The same seed and number of clusters give the same draws, so two judges on
the same prompts are compared on the same replicates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from judge_server.agreement.array import Floats
from judge_server.agreement.evidence import Evidence
from judge_server.agreement.metric import Metric
from judge_server.core.model import Frozen

MOST_LEFT_OUT = 400  # groups of clusters: a variance on 399 degrees of freedom is stable enough
BLOCK_CELLS = 1_000_000  # draws or totals made at once
KEPT_CELLS = 100_000_000  # most draws to cache, one byte each


Draws = NDArray[np.uint8]
Task = tuple[Evidence, Sequence[Metric]]


class Resampling(Frozen):
    """Settings of intervals, and the data below which there is none."""

    replicates: int = Field(default=1000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0)
    min_clusters: int = Field(default=20, ge=2)
    min_items: int = Field(default=30, ge=2)


def weights(clusters: int, resampling: Resampling) -> Iterator[Draws]:
    """Blocks of shape (some replicates, clusters) with the draw count of each cluster, ``replicates`` rows in total."""
    if clusters * resampling.replicates <= KEPT_CELLS:
        yield remembered(clusters, resampling.replicates, resampling.seed)
        return
    step = max(1, BLOCK_CELLS // clusters)
    rows = step * max(1, KEPT_CELLS // (step * clusters))
    for start in range(0, resampling.replicates, rows):
        yield draws(clusters, start, min(start + rows, resampling.replicates), resampling.seed)


@lru_cache(maxsize=1)
def remembered(clusters: int, replicates: int, seed: int) -> Draws:
    return draws(clusters, 0, replicates, seed)


def draws(clusters: int, first: int, last: int, seed: int) -> Draws:
    """Replicates ``first`` to ``last``, independent of how the rows are split at multiples of the step."""
    drawn = np.empty((last - first, clusters), dtype=np.uint8)
    step = max(1, BLOCK_CELLS // clusters)
    for start in range(first, last, step):
        rows = min(step, last - start)
        chosen = np.random.default_rng([seed, clusters, start]).integers(0, clusters, size=(rows, clusters))
        chosen += np.arange(rows)[:, np.newaxis] * clusters
        # a byte is enough: with more than 255 clusters, more than 255 draws of one have probability below 1e-500
        counted = np.bincount(chosen.ravel(), minlength=rows * clusters)
        drawn[start - first : start - first + rows] = counted.reshape(rows, clusters)
    return drawn


def replicate(evidence: Evidence, metrics: Sequence[Metric], resampling: Resampling) -> Floats:
    """Every metric on every replicate: (metrics, replicates)."""
    values = np.empty((len(metrics), resampling.replicates))
    step = max(1, BLOCK_CELLS // prod(evidence.shape))
    start = 0
    for block in weights(evidence.clusters, resampling):
        for first in range(0, len(block), step):
            totals = evidence.totals(block[first : first + step])
            for place, metric in enumerate(metrics):
                values[place, start : start + len(totals)] = metric.value(totals)
            start += len(totals)
    return values


def replicate_together(tasks: Sequence[Task], resampling: Resampling) -> list[Floats]:
    """``replicate`` of each task; tasks with equal numbers of clusters share the draws and one matrix product."""
    values: dict[int, Floats] = {}
    narrow: dict[int, list[int]] = {}
    for place, (evidence, metrics) in enumerate(tasks):
        if isinstance(evidence.rows, np.ndarray):
            narrow.setdefault(evidence.clusters, []).append(place)
        else:
            values[place] = replicate(evidence, metrics, resampling)
    for places in narrow.values():
        wide, metrics = side_by_side([tasks[place] for place in places])
        together = replicate(wide, metrics, resampling)
        ends = np.cumsum([len(tasks[place][1]) for place in places])
        values |= dict(zip(places, np.split(together, ends[:-1]), strict=True))
    return [values[place] for place in range(len(tasks))]


def side_by_side(tasks: Sequence[Task]) -> tuple[Evidence, list[Metric]]:
    """Merge dense evidence over equal numbers of clusters; each metric reads its own columns."""
    rows, metrics, start = [], [], 0
    for evidence, own in tasks:
        end = start + prod(evidence.shape)
        metrics += [within_columns(metric, start, end, evidence.shape) for metric in own]
        rows.append(np.asarray(evidence.rows))
        start = end
    return Evidence(np.hstack(rows), (start,), max(evidence.n for evidence, _ in tasks)), metrics


def within_columns(metric: Metric, start: int, end: int, shape: tuple[int, ...]) -> Metric:
    return replace(metric, value=lambda totals: metric.value(totals[:, start:end].reshape(len(totals), *shape)))


def leave_one_out(evidence: Evidence, metrics: Sequence[Metric]) -> Floats:
    """Every metric without each cluster in turn, or without each of ``MOST_LEFT_OUT`` groups of them:
    (metrics, groups)."""
    rows, total = evidence.grouped(MOST_LEFT_OUT), evidence.total()
    values = np.empty((len(metrics), len(rows)))
    step = max(1, BLOCK_CELLS // prod(evidence.shape))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        totals = total - some.reshape(len(some), *evidence.shape)
        for place, metric in enumerate(metrics):
            values[place, start : start + len(some)] = metric.value(totals)
    return values
