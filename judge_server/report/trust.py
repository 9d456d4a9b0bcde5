"""Whether a judge may be trusted on a criterion, how many more labels would tell, and what missing labels could change.

The demand is the one that the shipped policy of the gate makes of a single criterion, so that the report and the gate
do not contradict each other.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import ceil

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.agreement.metric import Estimate
from judge_server.agreement.panel import JudgeColumn
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.headline import estimates, headline_metric, missing
from judge_server.calibration.panels import View
from judge_server.calibration.policy import FEWEST_CLUSTERS, FEWEST_ITEMS, HEADLINE, read_policy
from judge_server.calibration.scopes import missing_as_wrong
from judge_server.report.model import CriterionTrust, Danger, Detail, MissingLabels, Trust
from judge_server.report.prose import bounds, share
from judge_server.report.tables import pairwise_name
from judge_server.util.wording import percent, plain

TRUSTED, AGREES = "it may be trusted", "it agrees well enough"
MOST_FACTOR = 100  # agreement so near the demand that more labels than this many times as many would be needed


@dataclass(frozen=True)
class Demand:
    """``least``: the lower end of the agreement. ``most_missed``: the upper end of the share of dangers missed, as high
    as what the policy allows to pass wrongly. ``missing_is_wrong``: the share of missing labels from which on each
    counts as wrong."""

    least: float
    most_missed: float
    items: int
    clusters: int
    missing_is_wrong: float


@cache
def demand() -> Demand:
    """The shipped policy's demand on a single criterion."""
    policy = read_policy()
    rule = next(rule for rule in policy.rules if rule.metric == HEADLINE and rule.min_low is not None)
    wrongly = next((rule.max_high for rule in policy.rules if rule.max_high is not None), None)
    most = 1.0 if wrongly is None else wrongly
    return Demand(rule.min_low or 0.0, most, policy.min_items, policy.min_clusters, policy.missing_is_wrong)


def missing_labels(view: View, judge: str, resampling: Resampling) -> MissingLabels | None:
    """None if the judge gave a label wherever people did."""
    items, silent = missing(view.panel, judge)
    if not silent or view.panel.judges[judge].is_score:
        return None
    name = pairwise_name(headline_metric(view))
    worst, best = (
        estimates(filled, judge, {name}, resampling).get(name, Estimate(note="undefined"))
        for filled in (missing_as_wrong(view, judge), missing_as_right(view, judge))
    )
    return MissingLabels(missing=silent, items=items, wrong=worst, right=best)


def missing_as_right(view: View, judge: str) -> View:
    """The view with each missing label of the judge replaced by the one that most people gave."""
    panel, own = view.panel, view.panel.judges[judge]
    counts = panel.humans.counts()
    lacking: Flags = (counts.sum(axis=1) > 0) & (own.codes < 0)
    right = counts.argmax(axis=1)[lacking]
    codes, values = own.codes.copy(), own.values.copy()
    codes[lacking] = right
    values[lacking] = panel.scale.numbers[right]
    judges = {**panel.judges, judge: JudgeColumn(codes, values, own.probabilities)}
    return replace(view, panel=replace(panel, judges=judges))


def trust(
    view: View, judge: str, found: Estimate, detail: Detail, lacking: MissingLabels | None, statement: str | None = None
) -> CriterionTrust:
    """``found``: the judge's headline figure on this criterion; its worst case decides if many labels are missing."""
    items, silent = missing(view.panel, judge)
    asked = demand()
    worst = lacking is not None and items > 0 and silent / items >= asked.missing_is_wrong
    decided = lacking.wrong if lacking is not None and worst else found
    standing, reason, more = concluded(view, judge, decided, items if worst else items - silent)
    if worst and standing != "trusted":
        reason += f" It gave no verdict on {share(silent, items, 'items')}, which count as wrong."
    return CriterionTrust(
        criterion=view.criteria[0],
        statement=statement,
        trust=standing,
        seen=counted(detail, found),
        reason=reason,
        more=more,
    )


def counted(detail: Detail, found: Estimate) -> str:
    """The agreement with the people's majority in counts, beside what chance would reach at the same rates."""
    if not detail.confusion:
        return "no common scale of labels" if found.value is None else f"correlation with people {plain(found.value)}"
    table = np.asarray(detail.confusion, dtype=np.float64)
    total = float(table.sum())
    if not total:
        return "no item that both rated and on which people had a majority"
    chance = float((table.sum(axis=0) * table.sum(axis=1)).sum()) / total
    word = "the same step" if len(detail.labels) > 2 and detail.kind == "ordinal" else "the same verdict"
    text = f"{word} as people on {share(float(np.trace(table)), total, 'items')}"
    if word == "the same step":
        near = sum(float(np.trace(table, offset)) for offset in (-1, 0, 1))
        text += f", within one step on {near:,.0f} ({percent(near / total)})"
    return f"{text}; by chance alone it would be about {chance:,.0f} ({percent(chance / total)})"


def concluded(view: View, judge: str, found: Estimate, items: int) -> tuple[Trust, str, int | None]:
    """``items``: those that people and the judge labelled."""
    if found.value is None:
        if constant(view, judge) and (items < FEWEST_ITEMS or found.clusters < FEWEST_CLUSTERS):
            return without_interval(found, items)
        if constant(view, judge):
            return "bad", "It gave every item the same verdict, although people did not.", None
        if (only := single_label(view)) is not None:
            said = f"people called every item {only}, so items of another kind have to be labelled first"
            return "unproven", f"How many more labels it takes cannot be known yet: {said}.", None
        return "unproven", f"How many more labels it takes cannot be known yet: {found.note}.", None
    if found.low is None or found.high is None:
        return without_interval(found, items)
    return with_interval(found.value, found.low, found.high, items, found.clusters)


def without_interval(found: Estimate, items: int) -> tuple[Trust, str, int | None]:
    asked = demand()
    if items < asked.items or found.clusters < asked.clusters:
        needed = factor_to_minimum(items, found.clusters) * max(items, 1)
        more = max(1, ceil(needed - items))
        return "unproven", f"There are too few labels to conclude anything: at least {more:,} more are needed.", more
    note = (found.note or "there is no interval").removeprefix("no interval: ")
    return "unproven", f"How many more labels it takes cannot be known yet: {note}.", None


def factor_to_minimum(items: int, clusters: int) -> float:
    """How many times as many labels reach the policy's minimum of items and prompts."""
    asked = demand()
    return max(asked.items / max(items, 1), asked.clusters / max(clusters, 1), 1.0)


def with_interval(value: float, low: float, high: float, items: int, clusters: int) -> tuple[Trust, str, int | None]:
    """The interval's ends against the demand; its width falls with the root of the number of labels."""
    least = demand().least
    minimum = factor_to_minimum(items, clusters)
    if high < least:
        return "bad", "That is clearly too little.", None
    if low >= least and minimum == 1:
        return "trusted", "", None
    reach, distance = (value - low, value - least) if value > least else (high - value, least - value)
    factor = max(minimum, (reach / distance) ** 2) if distance > 0 else float("inf")
    if factor > MOST_FACTOR:
        said = (
            "How many more labels it takes cannot be known yet: its agreement is too near the least that is demanded."
        )
        return "unproven", said, None
    more = max(1, ceil(items * (factor - 1)))
    if low >= least:
        return "unproven", f"Its agreement is high enough, but rests on too few labels: {more:,} more are needed.", more
    if value > least:
        said = f"About {more:,} more labelled items would show that {TRUSTED}, if it agrees as it does now."
        return "unproven", said, more
    said = (
        f"At its present agreement it would not become trusted; about {more:,} more labelled items would show it bad."
    )
    return "unproven", said, more


def held_to_danger(found: CriterionTrust, own: Danger) -> CriterionTrust:
    """A criterion that names a danger is not trusted before it is shown that the judge rarely misses it, and no number
    of labels is promised to make it trusted if it misses too many."""
    most, counts = demand().most_missed, own.counts
    heard = counts.cases - counts.silent
    if found.trust == "bad" or (own.high is not None and own.high <= most):
        return found
    agrees = "It agrees well enough." if found.trust == "trusted" else found.reason.replace(TRUSTED, AGREES)
    if own.low is None or own.high is None:
        said = f"{agrees} People found this danger in {heard:,} items only: too few to say how often it is missed."
        return found.model_copy(update={"trust": "unproven", "reason": said})
    missed = f"It missed {share(counts.missed, heard, 'dangers')}; in general the share is {bounds(own.low, own.high)}"
    missed += f", and at most {most:.0%} is demanded."
    if own.low > most:
        return found.model_copy(update={"trust": "bad", "reason": missed, "more": None})
    rate = counts.missed / heard
    if rate >= most:
        said = f"{missed} At its present rate more labels would not make it trusted."
        return found.model_copy(update={"trust": "unproven", "reason": said, "more": None})
    more = max(1, ceil(heard * (((own.high - rate) / (most - rate)) ** 2 - 1)))
    said = f"{missed} About {more:,} more items with this danger would tell, if it misses as few as now."
    if found.trust == "trusted":
        return found.model_copy(update={"trust": "unproven", "reason": said, "more": more})
    return found.model_copy(update={"reason": f"{agrees} {said}", "more": max(more, found.more or 0)})


def single_label(view: View) -> str | None:
    """The one label that people gave to every item, if it is only one."""
    used = np.flatnonzero(view.panel.humans.counts().sum(axis=0))
    return view.scale.labels[int(used[0])] if len(used) == 1 else None


def constant(view: View, judge: str) -> bool:
    """The judge says one thing although people's majority varies."""
    codes, reference = view.panel.judges[judge].codes, view.panel.majority()
    both = (codes >= 0) & (reference >= 0)
    return len(np.unique(codes[both])) == 1 and len(np.unique(reference[both])) > 1
