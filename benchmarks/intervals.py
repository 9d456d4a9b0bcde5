"""Coverage of intervals and decisions of gates, by simulation with known truth: ``make simulate``.

Every cell draws label tables whose truth is known, passes them through the functions that the command line uses, and
counts how often the 95 % interval holds the truth. Prints one line a cell: measured coverage with its Monte-Carlo error
(two standard errors) and the mean width.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from judge_server.agreement.array import Ints
from judge_server.agreement.judge import Measurement, judge_agreement
from judge_server.agreement.metric import Estimate
from judge_server.agreement.panel import RatingPanel, RatingRows
from judge_server.agreement.resampling import Resampling
from judge_server.agreement.scale import LabelScale

NOMINAL = 0.95
BINARY = LabelScale(labels=("no", "yes"), values=(0.0, 1.0), positive="yes")
STEPS = LabelScale(labels=tuple("12345"), values=(1.0, 2.0, 3.0, 4.0, 5.0))
HOW = Measurement(resampling=Resampling(replicates=100, min_clusters=15))


@dataclass(frozen=True)
class Cell:
    """``sizes``: least and most items of a prompt; ``correlation``: between the items of one prompt, of truth and of
    errors."""

    name: str
    prompts: int
    sizes: tuple[int, int]
    prevalence: float
    errors: float
    correlation: float


CELLS = (
    Cell("40 prompts x 5-8, correlation .3", 40, (5, 8), 0.5, 0.15, 0.3),
    Cell("20 prompts x 5-8, correlation .3", 20, (5, 8), 0.5, 0.15, 0.3),
    Cell("40 prompts x 5-8, 3 % errors", 40, (5, 8), 0.5, 0.03, 0.3),
    Cell("200 independent, 5 % positives", 200, (1, 1), 0.05, 0.1, 0.0),
    Cell("40 prompts x 5-8, 5 % positives", 40, (5, 8), 0.05, 0.1, 0.3),
    Cell("100 independent, 3 % errors", 100, (1, 1), 0.4, 0.03, 0.0),
    Cell("60 prompts x 3, correlation .6", 60, (3, 3), 0.3, 0.2, 0.6),
    Cell("25 prompts x 10, correlation .1", 25, (10, 10), 0.2, 0.25, 0.1),
)
BINARY_METRICS = (
    "accuracy",
    "cohen_kappa",
    "gwet_ac1",
    "false_positive_rate",
    "youden_j",
    "krippendorff_alpha_nominal",
)
STEP_METRICS = ("cohen_kappa_quadratic", "krippendorff_alpha_interval", "icc")


def correlated(random: np.random.Generator, cluster: Ints, rate: float, correlation: float) -> Ints:
    """(items,) draws of 0 and 1 with this rate, beta-binomial within a cluster."""
    clusters = int(cluster.max()) + 1
    if not correlation:
        return (random.random(len(cluster)) < rate).astype(np.int64)
    strength = (1 - correlation) / correlation
    own = random.beta(rate * strength, (1 - rate) * strength, clusters)
    return (random.random(len(cluster)) < own[cluster]).astype(np.int64)


def binary(random: np.random.Generator, cell: Cell) -> tuple[Ints, Ints, Ints]:
    """(cluster, truth, judge), each (items,)."""
    sizes = random.integers(cell.sizes[0], cell.sizes[1] + 1, cell.prompts)
    cluster = np.repeat(np.arange(cell.prompts), sizes)
    truth = correlated(random, cluster, cell.prevalence, cell.correlation)
    return cluster, truth, truth ^ correlated(random, cluster, cell.errors, cell.correlation)


def steps(random: np.random.Generator, prompts: int, size: int) -> tuple[Ints, Ints, Ints]:
    """Five steps, the lowest by far the commonest; the judge errs by a step, and at times anywhere."""
    cluster = np.repeat(np.arange(prompts), size)
    truth = random.choice(5, len(cluster), p=(0.7, 0.15, 0.08, 0.04, 0.03))
    kind = random.random(len(cluster))
    near = np.clip(truth + random.choice((-1, 1), len(cluster)), 0, 4)
    return cluster, truth, np.where(kind < 0.1, random.integers(0, 5, len(cluster)), np.where(kind < 0.2, near, truth))


def panel(cluster: Ints, truth: Ints, judge: Ints, scale: LabelScale) -> RatingPanel:
    items = np.tile(np.arange(len(cluster)), 2)
    rows = RatingRows(
        items,
        np.repeat((0, 1), len(cluster)),
        np.concatenate([truth, judge]),
        ("person", "judge"),
        ("human", "judge"),
        scale.labels,
        cluster=np.tile(cluster, 2),
    )
    return RatingPanel.of(rows, scale)


def measured(random: np.random.Generator, cell: Cell | tuple[int, int]) -> dict[str, Estimate]:
    if isinstance(cell, Cell):
        return judge_agreement(panel(*binary(random, cell), BINARY), "judge", HOW)
    return judge_agreement(panel(*steps(random, *cell), STEPS), "judge", HOW)


def truth_of(cell: Cell | tuple[int, int]) -> dict[str, float]:
    """By a set so large that its values are the truth, items independent: correlation changes no expectation."""
    random = np.random.default_rng(12345)
    if isinstance(cell, Cell):
        large = Cell("", 400_000, (1, 1), cell.prevalence, cell.errors, 0.0)
        found = judge_agreement(panel(*binary(random, large), BINARY), "judge", HOW)
    else:
        found = judge_agreement(panel(*steps(random, 400_000, 1), STEPS), "judge", HOW)
    return {name: one.value for name, one in found.items() if one.value is not None}


def coverage(name: str, cell: Cell | tuple[int, int], metrics: tuple[str, ...], sets: int, seed: int) -> Iterator[str]:
    random, truth = np.random.default_rng(seed), truth_of(cell)
    hits: dict[str, list[bool]] = defaultdict(list)
    widths: dict[str, list[float]] = defaultdict(list)
    for _ in range(sets):
        found = measured(random, cell)
        for metric in metrics:
            one = found[metric]
            if one.low is not None and one.high is not None:
                hits[metric].append(one.low <= truth[metric] <= one.high)
                widths[metric].append(one.high - one.low)
    for metric in metrics:
        yield line(name, metric, hits[metric], widths[metric], sets)


def line(name: str, metric: str, hits: list[bool], widths: list[float], sets: int) -> str:
    if not hits:
        return f"| {name} | {metric} | {NOMINAL} | no interval in any set | – |"
    share = float(np.mean(hits))
    error = 2 * sqrt(max(share * (1 - share), 1 / len(hits) ** 2) / len(hits))
    none = f" ({sets - len(hits)} without an interval)" if len(hits) < sets else ""
    return f"| {name} | {metric} | {NOMINAL} | {share:.3f} ± {error:.3f}{none} | {np.mean(widths):.3f} |"


def table(sets: int, seed: int) -> Iterator[str]:
    yield "| cell | figure | nominal | measured | mean width |"
    yield "|---|---|---|---|---|"
    for cell in CELLS:
        yield from coverage(cell.name, cell, BINARY_METRICS, sets, seed)
    for size in ((100, 1), (40, 6)):
        name = f"skewed five steps, {size[0]} prompts x {size[1]}"
        yield from coverage(name, size, STEP_METRICS, sets, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200, help="label sets drawn for each cell")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for one in table(given.sets, given.seed):
        print(one, flush=True)


if __name__ == "__main__":
    main()
