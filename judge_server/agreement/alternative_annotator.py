"""The alternative-annotator test: may the judge replace a human annotator?

Calderon, Reichart & Dror (2025), "The Alternative Annotator Test for LLM-as-a-Judge", ACL. Each human in turn is left
out; on each item the judge and the left-out human are scored by how well they match the remaining humans (share of
equal labels, or negative RMSE). The left-out human's surplus of wins is tested against ε with a one-sided t-test, the
tests are corrected by Benjamini & Yekutieli (2001), and the winning rate ω is the share of humans whom the judge
beats: ω ≥ 0.5 passes. The average advantage probability ρ is how often the judge is at least as good as the left-out
human.
"""

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from judge_server.agreement.array import Flags, Floats, Ints, floats, ratio
from judge_server.agreement.distribution import student_below
from judge_server.agreement.evidence import Evidence, cells
from judge_server.agreement.metric import Metric
from judge_server.agreement.panel import JudgeColumn
from judge_server.agreement.ratings import Ratings
from judge_server.agreement.scale import LabelScale
from judge_server.core.model import Frozen

ITEMS, WINS, SURPLUS, SQUARES = range(4)


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


def alternative_annotator(
    own: JudgeColumn, humans: Ratings, cluster: Ints, test: AlternativeAnnotator
) -> tuple[Evidence, list[Metric]]:
    """Evidence and metrics ``alt_test_winning_rate`` and ``alt_test_advantage``.

    Items with fewer than two humans, or without the judge, are left out; a judge of scores is compared by distance.
    """
    distance = test.measures_distance(humans.scale) or (own.is_score and test.score == "auto")
    judge = own.values if distance else np.where(own.codes < 0, np.nan, own.codes)
    ratings = np.bincount(humans.item, minlength=humans.items)
    used = (ratings[humans.item] >= 2) & np.isfinite(judge[humans.item])
    item, rater = humans.item[used], humans.rater[used]
    gap = (closeness if distance else match)(judge, humans, used)
    tested = np.flatnonzero(np.bincount(rater, minlength=len(humans.raters)) >= test.min_items)
    mine = np.isin(rater, tested)
    surplus = (gap <= 0).astype(np.float64) - (gap >= 0)
    columns = [np.ones(len(gap)), (gap >= 0).astype(np.float64), surplus, surplus**2]
    person, people = np.searchsorted(tested, rater[mine]), len(tested)
    cell = np.concatenate([statistic * people + person for statistic in range(len(columns))])
    weight = np.concatenate([column[mine] for column in columns])
    evidence = cells(cell, np.tile(cluster[item[mine]], len(columns)), (len(columns), people), weight)
    metrics = alternative_metrics(test)
    return replace(evidence, n=len(np.unique(item[mine])), empty=metrics[0].undefined), metrics


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
    """ω of (replicates, 4, humans) totals."""
    count = totals[:, ITEMS]
    p = student_below(ratio(totals[:, SURPLUS], count), ratio(totals[:, SQUARES], count), count, test.epsilon)
    return ratio(rejected(p, test.false_discovery_rate), np.isfinite(p).sum(axis=-1))


def rejected(p: Floats, rate: float) -> Floats:
    """The number of hypotheses in each row that Benjamini and Yekutieli's procedure rejects; nan counts as none."""
    number = np.isfinite(p).sum(axis=-1, keepdims=True)
    rank = np.arange(1, p.shape[-1] + 1)
    harmonic = np.concatenate([[1.0], np.cumsum(1 / rank)])[number]
    passed = np.sort(p, axis=-1) <= rank * ratio(rate, number * harmonic)
    return np.asarray(np.max(rank * passed, axis=-1, initial=0), dtype=np.float64)


def advantage(totals: Floats) -> Floats:
    """ρ of (replicates, 4, humans) totals: the mean over humans of the judge's share of wins and draws."""
    share = ratio(totals[:, WINS], totals[:, ITEMS])
    present = np.isfinite(share)
    return ratio(np.where(present, share, 0).sum(axis=-1), present.sum(axis=-1))


def alternative_metrics(test: AlternativeAnnotator) -> list[Metric]:
    reason = f"no human has {test.min_items} items that another human also rated"
    return [
        Metric("alt_test_winning_rate", partial(winning_rate, test=test), reason, "resampled"),
        Metric("alt_test_advantage", advantage, reason, "bounded"),
    ]
