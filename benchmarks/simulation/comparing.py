"""Comparisons of equal judges, and the estimate from a queue that oversamples suspect judgments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.simulation.cell import COVERED, Cell, Demand, Outcome, Random
from benchmarks.simulation.coverage import HOW
from benchmarks.simulation.draw import correlated, label_set, prompts
from benchmarks.simulation.gates import Judge
from judge_server.agreement.array import Ints, floats
from judge_server.agreement.label_weight import label_weights
from judge_server.agreement.marginal import holm_adjusted, sign_flip
from judge_server.calibration.balanced_sign_flip import balanced_sign_flip
from judge_server.calibration.balanced_test import claim
from judge_server.calibration.comparison import SIGNIFICANT, compare, direction
from judge_server.monitoring.clustered import Sample, stratified_share

AT_MOST_5 = Demand(most=0.05)


@dataclass(frozen=True)
class EqualJudges:
    """Two judges that err alike, independently of each other, on twelve criteria."""

    prompts: int
    size: int
    errors: float
    correlation: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        """By the exact tests and the adjustment of ``compare`` alone, which decide and cost a hundredth of its
        intervals."""
        cluster, old, new = self.judged(random)
        names = np.arange(len(old))
        columns = [np.stack([*one.values()]) for one in (old, new)]  # (criteria, 2, items)
        parts = [*([name] for name in names), names]
        claims = [_claim(cluster, *(one[part] for one in columns)) for part in parts]
        adjusted = holm_adjusted([one for one in claims if one is not None])
        return {"any claim": Outcome.of(any(p < SIGNIFICANT for p in adjusted))}

    def judged(self, random: Random) -> tuple[Ints, dict[str, Ints], dict[str, Ints]]:
        """The prompt of each item, and the codes of each judge by criterion, truth first."""
        cluster = prompts(random, self.prompts, (self.size, self.size))
        judge = Judge(self.errors, self.errors, self.correlation)
        old: dict[str, Ints] = {}
        new: dict[str, Ints] = {}
        for place in range(12):
            truth = correlated(random, cluster, 0.5, self.correlation)
            for one in (old, new):
                one[f"c{place}"] = np.stack([truth, judge.codes(random, truth, cluster)])
        return cluster, old, new


def _claim(cluster: Ints, old: Ints, new: Ints) -> float | None:
    """``old``, ``new``: truth and what was said, (criteria, 2, items)."""
    people, criterion = old[:, 0].ravel(), np.repeat(np.arange(len(old)), len(cluster))
    before, after = ((one[:, 1] == one[:, 0]).ravel().astype(np.int64) for one in (old, new))
    prompt = np.tile(cluster, len(old))
    balanced = balanced_sign_flip(before, after, prompt, label_weights(people, criterion))
    fixed, broken = int((after > before).sum()), int((before > after).sum())
    return claim(fixed, broken, sign_flip(after, before, prompt).p, balanced)


def claimed(cluster: Ints, old: Mapping[str, Ints], new: Mapping[str, Ints]) -> bool:
    """Whether the whole of ``compare`` makes any claim."""
    found = compare(label_set(cluster, old), "judge", label_set(cluster, new), "judge", HOW)
    whole = [] if found.overall is None else [found.overall]
    return any(direction(one) != "no clear difference" for one in (*found.criteria.values(), *whole))


@dataclass(frozen=True)
class Queue:
    """``rates`` of agreement in strata of these ``populations``, of which ``drawn`` prompts with ``size`` labels
    each are read."""

    drawn: Sequence[int]
    rates: Sequence[float] = (0.7, 0.85, 0.97, 0.99)
    populations: Sequence[float] = (300.0, 200.0, 1000.0, 8500.0)
    size: int = 3
    correlation: float = 0.5

    def __call__(self, random: Random) -> dict[str, Outcome]:
        strata = []
        for count, rate in zip(self.drawn, self.rates, strict=True):
            cluster = np.repeat(np.arange(count), self.size)
            agreed = correlated(random, cluster, rate, self.correlation)
            total = floats(np.bincount(cluster, weights=agreed, minlength=count))
            strata.append(Sample(total, np.full(count, float(self.size)), count * self.size))
        _, low, high = stratified_share(strata, self.populations)
        truth = float(np.dot(self.rates, self.populations) / sum(self.populations))
        return {"agreement": Outcome(float(low <= truth <= high), high - low)}


DEFAULTS = Queue((20, 20, 20, 20))
CELLS: tuple[Cell, ...] = (
    Cell("compare: equal judges, 12 criteria, 40 prompts x 3, correlation .3", {"any claim": AT_MOST_5},
         EqualJudges(40, 3, 0.15, 0.3)),
    Cell("compare: equal judges, 12 criteria, 60 independent, 4 % errors", {"any claim": AT_MOST_5},
         EqualJudges(60, 1, 0.04, 0.0)),
    Cell("queue: 4 strata of 20 prompts, 3 labels each", {"agreement": COVERED}, DEFAULTS),
    Cell("queue: 1 label each", {"agreement": COVERED}, replace(DEFAULTS, size=1)),
    Cell("queue: 40, 10, 10 and 60 prompts", {"agreement": COVERED}, replace(DEFAULTS, drawn=(40, 10, 10, 60))),
    Cell("queue: agreement of .6 in every stratum", {"agreement": COVERED}, replace(DEFAULTS, rates=(0.6,) * 4)),
    Cell("queue: agreement of .99 in every stratum", {"agreement": COVERED}, replace(DEFAULTS, rates=(0.99,) * 4)),
)  # fmt: skip
