"""The alternative-annotator test: may the judge replace a human annotator?

Calderon, Reichart & Dror (2025), "The Alternative Annotator Test for LLM-as-a-Judge", ACL. Each human in turn is left
out; on each item the judge and the left-out human are scored by how well they match the remaining humans (share of
equal labels, or negative RMSE). The left-out human's surplus of wins is tested against ε with a one-sided t-test, the
tests are corrected by Benjamini & Yekutieli (2001), and the winning rate ω is the share of humans whom the judge
beats: ω ≥ 0.5 passes. The average advantage probability ρ is how often the judge is at least as good as the left-out
human.

Unlike in the paper, the t-test counts prompts: items of one prompt are not independent. If people are often wrong, a
coin or the commonest answer passes too: their ω is computed beside, and where one of them passes there is no result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from judge_server.agreement.array import Flags, Floats, Ints, floats, ratio
from judge_server.agreement.distribution import student_below
from judge_server.agreement.evidence import Evidence, cells
from judge_server.agreement.metric import Estimate, Metric
from judge_server.agreement.panel import JudgeColumn
from judge_server.agreement.ratings import Ratings
from judge_server.agreement.resampling import Task
from judge_server.agreement.scale import LabelScale
from judge_server.core.model import Frozen

ITEMS, WINS, SURPLUS, SQUARES, PRODUCTS, SIZES, CLUSTERS = range(7)
MOST_FACES = 9  # labels of a coin; of a longer scale as many, evenly spaced
PASSED = 0.5
WINNING_RATE = "alt_test_winning_rate"
BY_CHANCE = {f"{WINNING_RATE}_coin": "a coin", f"{WINNING_RATE}_commonest": "the commonest answer"}


class AlternativeAnnotator(Frozen):
    """``epsilon`` is the allowance for the higher cost of a human: 0.2 for experts, 0.15 for skilled and 0.1 for crowd
    annotators (the paper, sec. 3).
    """

    epsilon: float = Field(default=0.2, ge=0, lt=1)
    false_discovery_rate: float = Field(default=0.05, gt=0, lt=1)
    min_items: int = Field(default=30, ge=2, description="a human with fewer items is not tested")
    score: Literal["auto", "accuracy", "rmse"] = Field(
        default="auto", description="auto: rmse for three or more ordered labels, as in the paper, else accuracy"
    )

    def measures_distance(self, scale: LabelScale) -> bool:
        """Whether answers are compared by distance instead of equality."""
        return self.score == "rmse" or (self.score == "auto" and scale.values is not None and scale.size > 2)


def alternative_annotator(own: JudgeColumn, humans: Ratings, cluster: Ints, test: AlternativeAnnotator) -> list[Task]:
    """Evidence and metrics ``alt_test_winning_rate`` and ``alt_test_advantage``, and the winning rates of a coin and of
    the commonest answer.

    Items with fewer than two humans, or without the judge, are left out; a judge of scores is compared by distance.
    """
    distance = test.measures_distance(humans.scale) or (own.is_score and test.score == "auto")
    judge = own.values if distance else np.where(own.codes < 0, np.nan, own.codes)
    ratings = np.bincount(humans.item, minlength=humans.items)
    used = (ratings[humans.item] >= 2) & np.isfinite(judge[humans.item])
    tested = np.flatnonzero(np.bincount(humans.rater[used], minlength=len(humans.raters)) >= test.min_items)
    kept = Kept(humans, used, tested, cluster)
    compare = closeness if distance else match
    codes = np.unique(np.linspace(0, humans.scale.size - 1, min(humans.scale.size, MOST_FACES)).astype(np.int64))
    faces = humans.scale.numbers[codes] if distance else codes.astype(np.float64)
    counts = np.bincount(humans.code, minlength=humans.scale.size)
    commonest = np.array([int(counts.argmax())])
    answer = humans.scale.numbers[commonest] if distance else commonest.astype(np.float64)
    metrics = alternative_metrics(test)
    constant = [[compare(np.full(humans.items, face), humans, used) for face in each] for each in (faces, answer)]
    return [
        (kept.evidence([compare(judge, humans, used)], metrics[0].undefined), metrics),
        *(
            (kept.evidence(gaps, metrics[0].undefined), [replace(metrics[0], name=name, shape="described")])
            for name, gaps in zip(BY_CHANCE, constant, strict=True)
        ),
    ]


@dataclass(frozen=True, eq=False)
class Kept:
    """The ``used`` ratings of the ``tested`` people; ``cluster`` has one entry an item."""

    humans: Ratings
    used: Flags
    tested: Ints
    cluster: Ints

    def evidence(self, gaps: Sequence[Floats], empty: str) -> Evidence:
        """(7, people) statistics within each cluster, from the gap of every used rating to each of several equally
        likely answers: ratings, wins, surplus, its square, surplus by ratings, squared ratings, and whether there are
        any."""
        rater, item = self.humans.rater[self.used], self.humans.item[self.used]
        mine = np.isin(rater, self.tested)
        people, home = len(self.tested), self.cluster[item[mine]]
        person = np.searchsorted(self.tested, rater[mine])
        wins = np.mean([gap[mine] >= 0 for gap in gaps], axis=0)
        surplus = np.stack([(gap[mine] <= 0).astype(np.float64) - (gap[mine] >= 0) for gap in gaps])
        pairs, place = np.unique(home * max(people, 1) + person, return_inverse=True)

        def summed(column: Floats) -> Floats:
            return floats(np.bincount(place, weights=column, minlength=len(pairs)))

        size, own = summed(np.ones(len(home))), summed(surplus.mean(axis=0))
        spread = summed(surplus.var(axis=0))  # by the chance of the answer
        columns = [size, summed(wins), own, own**2 + spread, own * size, size**2, np.ones(len(pairs))]
        cell = np.concatenate([row * people + pairs % max(people, 1) for row in range(len(columns))])
        where = np.tile(pairs // max(people, 1), len(columns))
        found = cells(cell, where, (len(columns), people), np.concatenate(columns))
        return replace(found, n=len(np.unique(item[mine])), empty=empty)


def match(judge: Floats, humans: Ratings, used: Flags) -> Floats:
    """Per rating: the number of remaining humans that the judge matches, less the number that the left-out human
    matches."""
    item, code = humans.item[used], humans.code[used]
    counts = humans.counts()
    chosen = judge[item].astype(np.int64)
    judged = counts[item, chosen] - (chosen == code)
    return floats(judged - (counts[item, code] - 1))


def closeness(judge: Floats, humans: Ratings, used: Flags) -> Floats:
    """By how much the left-out human's summed squared distance from the remaining humans exceeds the judge's.

    Over the same people, sums have the same order as root means, and they are exact for whole numbers.
    """
    item, value = humans.item[used], humans.values[used]
    count = np.bincount(humans.item, minlength=humans.items)[item]
    plain = np.bincount(humans.item, weights=humans.values, minlength=humans.items)[item]
    others, total = count - 1, plain - value
    guess = judge[item]
    gap = others * (value - guess) * (value + guess) - 2 * (value - guess) * total
    return np.where(np.abs(gap) < 1e-9, 0, gap)


def winning_rate(totals: Floats, test: AlternativeAnnotator) -> Floats:
    """ω of (replicates, 7, humans) totals."""
    count, surplus, clusters = totals[:, ITEMS], totals[:, SURPLUS], totals[:, CLUSTERS]
    mean = ratio(surplus, count)
    squares = totals[:, SQUARES] - 2 * mean * totals[:, PRODUCTS] + mean**2 * totals[:, SIZES]
    error = np.sqrt(np.maximum(ratio(squares * ratio(clusters, clusters - 1), count**2), 0))
    p = student_below(mean, error, clusters - 1, test.epsilon)
    return ratio(rejected(p, test.false_discovery_rate), np.isfinite(p).sum(axis=-1))


def without_pass_by_chance(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """The estimates, where ω has no value if a coin or the commonest answer reaches ``PASSED`` too."""
    shares = {who: one for name, who in BY_CHANCE.items() if (one := found.get(name)) is not None}
    passing = [
        f"{who} reaches {one.value:.2f}" for who, one in shares.items() if one.value is not None and one.value >= PASSED
    ]
    if not passing or WINNING_RATE not in found:
        return dict(found)
    note = f"no result: {' and '.join(passing)}, because people agree too little with each other"
    own = found[WINNING_RATE]
    return {**found, WINNING_RATE: Estimate(n=own.n, clusters=own.clusters, note=note)}


def rejected(p: Floats, rate: float) -> Floats:
    """The number of hypotheses in each row that Benjamini and Yekutieli's procedure rejects; nan counts as none."""
    number = np.isfinite(p).sum(axis=-1, keepdims=True)
    rank = np.arange(1, p.shape[-1] + 1)
    harmonic = np.concatenate([[1.0], np.cumsum(1 / rank)])[number]
    passed = np.sort(p, axis=-1) <= rank * ratio(rate, number * harmonic)
    return np.asarray(np.max(rank * passed, axis=-1, initial=0), dtype=np.float64)


def advantage(totals: Floats) -> Floats:
    """ρ of (replicates, 7, humans) totals: the mean over humans of the judge's share of wins and draws."""
    share = ratio(totals[:, WINS], totals[:, ITEMS])
    present = np.isfinite(share)
    return ratio(np.where(present, share, 0).sum(axis=-1), present.sum(axis=-1))


def alternative_metrics(test: AlternativeAnnotator) -> list[Metric]:
    reason = f"no human has {test.min_items} items that another human also rated"
    return [
        Metric(WINNING_RATE, partial(winning_rate, test=test), reason, "resampled"),
        Metric("alt_test_advantage", advantage, reason, "bounded"),
    ]
