"""The headline of one judge: the main metric of a scale with its interval, the distance to the human ceiling, and the
verdict in a sentence.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from judge_server.agreement.alternative_annotator import BY_CHANCE, WINNING_RATE, without_pass_by_chance
from judge_server.agreement.catalogue import absent, table_metrics
from judge_server.agreement.contingency import pair_counts, pair_table
from judge_server.agreement.evidence import Evidence, joined
from judge_server.agreement.interval import estimate, estimate_all
from judge_server.agreement.judge import Measurement, difference, judge_tasks
from judge_server.agreement.metric import Estimate
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.resampling import Resampling, Task
from judge_server.agreement.stratified import stacked
from judge_server.calibration.panels import View
from judge_server.core.model import Frozen
from judge_server.util.wording import plain

NARROW = 0.1  # largest half-width of a difference called level
ALONE = "no item was rated by two humans and the judge: there is no human ceiling"
NAMES = {
    "cohen_kappa": "κ",
    "cohen_kappa_linear": "linearly weighted κ",
    "cohen_kappa_quadratic": "quadratically weighted κ",
    "pearson": "r",
}


def headline_metric(view: View) -> str:
    """κ for classes, quadratically weighted κ for ordered steps, Pearson's r for fine scores."""
    if view.kind == "continuous" or not view.scale.has_tables:
        return "pearson"
    if view.scale.values is not None and view.scale.size > 2:
        return "cohen_kappa_quadratic"
    return "cohen_kappa"


def ceiling_gap(view: View, judge: str, resampling: Resampling) -> Estimate:
    """The judge's agreement with each human, less the humans' with each other, on the same items; averaged over
    criteria."""
    name = headline_metric(view)
    if name == "pearson":
        return Estimate(note="finely graded scores have no table to take a difference of κ from: compare r")
    found = ceiling(view, judge, name, resampling)
    return Estimate(note=ALONE) if found is None else turned(found.gap)


def standing(judge: Estimate, gap: Estimate) -> str:
    """``short`` or ``above`` if the interval of the gap excludes 0, ``level`` if it is narrow around 0, ``alone`` if
    there is no ceiling, else ``unclear``; ``unknown`` without intervals.
    """
    if gap.low is None or gap.high is None:
        return ("alone" if gap.value is None else "unclear") if judge.has_interval else "unknown"
    if gap.high < 0:
        return "short"
    if gap.low > 0:
        return "above"
    return "level" if (gap.high - gap.low) / 2 <= NARROW else "unclear"


def spoken(estimate_: Estimate) -> str:
    if estimate_.value is None:
        return "undefined"
    if estimate_.low is None or estimate_.high is None:
        return plain(estimate_.value)
    return f"{plain(estimate_.value)} [{plain(estimate_.low)}, {plain(estimate_.high)}]"


def sentence(metric: str, name: str, judge: Estimate, humans: Estimate, gap: Estimate) -> str:
    """The verdict as one or two sentences."""
    word = NAMES.get(metric, metric)
    seen = f"On {judge.n:,} paired ratings from {judge.clusters:,} prompts"
    if judge.value is None:
        return f"There is no verdict on {name}: {judge.note}."
    if not judge.has_interval:
        return f"Not enough evidence on {name}: {word} is {plain(judge.value)}, but {judge.note}."
    first = f"{seen}, {name} agrees with each person at {word} {spoken(judge)}"
    if humans.value is None:
        return f"{first}. Nobody else rated the same items, so there is no human ceiling to hold it against."
    return f"{first}; people agree with each other at {spoken(humans)}. {ENDINGS[standing(judge, gap)](gap)}"


def short(gap: Estimate) -> str:
    return f"The judge falls short of people by {spoken(turned(gap))}."


def above(gap: Estimate) -> str:
    return f"The judge agrees with people better than they do with each other, by {spoken(gap)}."


def level(gap: Estimate) -> str:
    return f"The judge agrees with people as they do with each other: the difference is {spoken(gap)}."


def unclear(gap: Estimate) -> str:
    if gap.value is None or not gap.has_interval:
        return f"How far it is from people cannot be said: {gap.note}."
    needed = f"about {gap.clusters_for(NARROW):,} prompts would tell"
    return f"Whether it falls short cannot be said yet: the difference is {spoken(gap)}; {needed}."


ENDINGS: dict[str, Callable[[Estimate], str]] = {
    "short": short,
    "above": above,
    "level": level,
    "unclear": unclear,
    "alone": unclear,
    "unknown": unclear,
}


def turned(gap: Estimate) -> Estimate:
    """The gap with its sign reversed: by how much the judge falls short."""
    if gap.value is None:
        return gap
    if gap.low is None or gap.high is None:
        return gap.model_copy(update={"value": -gap.value})
    return gap.model_copy(update={"value": -gap.value, "low": -gap.high, "high": -gap.low})


class Ceiling(Frozen):
    """On the items that at least two people and the judge rated, each rating against each other: the judge's metric,
    the people's, and the gap between them."""

    judge: Estimate
    humans: Estimate
    gap: Estimate


def estimates(view: View, judge: str, names: Collection[str], resampling: Resampling) -> dict[str, Estimate]:
    """The named metrics, averaged over criteria if the view holds several; those that the scale lacks have the reason
    in ``note``."""
    wanted = {*names, *(BY_CHANCE if WINNING_RATE in names else ())}
    tasks = [
        (evidence, [metric for metric in metrics if metric.name in wanted])
        for evidence, metrics in judge_tasks(view.panel, judge, Measurement(resampling=resampling), view.strata)
    ]
    found = without_pass_by_chance(estimate_all([task for task in tasks if task[1]], resampling))
    return {name: one for name, one in absent(view.scale, found).items() if name in names}


def ceiling(view: View, judge: str, name: str, resampling: Resampling) -> Ceiling | None:
    """None if no item was rated by two people and the judge, or the scale has no such metric of labels."""
    metric = next((one for one in table_metrics(view.scale) if one.name == name), None)
    panels = [view.panel.restricted(units) for units in view.strata] or [view.panel]
    parts = [] if metric is None else [part for panel in panels if (part := shared_tables(panel, judge)) is not None]
    if metric is None or not parts:
        return None
    size = view.scale.size
    judged, human = ([(part[place], [metric]) for part in parts] for place in (0, 1))
    gaps = [(joined(part[1], part[0]), [difference(metric, (size, size))]) for part in parts]
    one, two, three = (together(tasks, name, resampling) for tasks in (judged, human, gaps))
    return Ceiling(judge=one, humans=two, gap=three)


def shared_tables(panel: RatingPanel, judge: str) -> tuple[Evidence, Evidence] | None:
    """The judge against each person, and the people against each other, on items that the judge and two people rated;
    None without any."""
    codes, counts = panel.judges[judge].codes, panel.humans.counts()
    usable = (codes >= 0) & (counts.sum(axis=1) >= 2)
    if not usable.any():
        return None
    rating = usable[panel.humans.item]
    item = panel.humans.item[rating]
    judged = pair_table(panel.humans.code[rating], codes[item], panel.cluster[item], panel.scale.size)
    return judged, pair_counts(counts[usable], panel.cluster[usable])


def together(tasks: Sequence[Task], name: str, resampling: Resampling) -> Estimate:
    """One metric of one criterion, or its mean over several."""
    evidence, metrics = tasks[0] if len(tasks) == 1 else stacked(tasks, [name])
    return estimate(evidence, metrics, resampling)[name]


def missing(panel: RatingPanel, judge: str) -> tuple[int, int]:
    """The number of items that people labelled, and of those among them without a usable label by the judge."""
    own = panel.judges[judge]
    rated = np.bincount(panel.humans.item, minlength=panel.humans.items) > 0
    said = np.isfinite(own.values) if own.is_score else own.codes >= 0
    return int(rated.sum()), int((rated & ~said).sum())
