"""An old and a new version of a judge (or of its rubric) on the same items: is the new one better beyond chance?

All comparisons are paired: only items that both versions judged and that have a human majority count. The difference of
every metric is taken over the same prompts; McNemar's test compares who was right, Stuart and Maxwell's the rates of
labels.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.agreement.catalogue import judge_metrics
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.interval import estimate_all
from judge_server.agreement.judge import Measurement, judge_difference
from judge_server.agreement.label_weight import label_weights
from judge_server.agreement.marginal import (
    MarginalTest,
    holm_adjusted,
    mcnemar,
    mcnemar_clustered,
    sign_flip,
    stuart_maxwell,
)
from judge_server.agreement.metric import Estimate
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.resampling import Task
from judge_server.agreement.stratified import stratified_tasks
from judge_server.calibration.balanced_sign_flip import balanced_sign_flip
from judge_server.calibration.balanced_test import BalancedTest, claim
from judge_server.calibration.headline import headline_metric
from judge_server.calibration.panels import View, pooled, views
from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.labels.label import Label
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table_builder import table_of
from judge_server.util.wording import p_value

SHOWN = ("accuracy", "balanced_accuracy", "f1_macro", "false_positive_rate", "youden_j")
OLD, NEW = "old", "new"
SIGNIFICANT = 0.05


class MetricChange(Frozen):
    """One metric in two reports, without pairing. ``criterion`` is empty for all criteria together."""

    judge: str
    criterion: str
    metric: str
    before: Estimate
    after: Estimate
    difference: float | None


class Paired(Frozen):
    """``fixed``: items that only the new version got right; ``broken``: items that only the old one did.
    ``difference``: new less old by metric. ``exact``: the sign-flip test by prompt; ``balanced``: with every label
    counted alike. The p of what may be claimed by both, adjusted for all comparisons (``adjusted_p``), decides.
    """

    n: int
    clusters: int
    metric: str
    old: dict[str, Estimate]
    new: dict[str, Estimate]
    difference: dict[str, Estimate]
    fixed: int
    broken: int
    exact: MarginalTest
    balanced: BalancedTest | None = None
    adjusted_p: float | None = None
    mcnemar: MarginalTest
    mcnemar_exact: MarginalTest
    stuart_maxwell: MarginalTest

    @property
    def claim(self) -> float | None:
        return claim(self.fixed, self.broken, self.exact.p, self.balanced)


class JudgeComparison(Frozen):
    """``overall`` is None if the criteria have different scales. ``only_old`` and ``only_new``: criteria that cannot be
    compared.
    """

    old: str
    new: str
    split: str
    overall: Paired | None
    criteria: dict[str, Paired]
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()
    text: str


def compare(old: LabelSet, old_judge: str, new: LabelSet, new_judge: str, measurement: Measurement) -> JudgeComparison:
    """Raises ``BadInput`` if the two have no judged item in common."""
    both = merged(old, old_judge, new, new_judge)
    if len(both.table.annotators_of("judge")) < 2:
        raise BadInput(
            "The two versions share no criterion.",
            remedy="Give label files with the same criteria.",
        )
    criteria = {view.criteria[0]: paired(view, measurement) for view in views(both) if judged_twice(view)}
    if not any(found.n for found in criteria.values()):
        raise BadInput(
            "No item with a human majority was judged by both versions.",
            remedy="Compare files with the same item names, and keep the human labels in one of them.",
        )
    together = pooled(both)
    overall = paired(together[0], measurement) if len(together) == 1 else None
    if overall is not None and len(criteria) > 1:
        *singles, overall = adjusted([*criteria.values(), overall])
    else:
        singles = adjusted(list(criteria.values()))
        overall = singles[0] if overall is not None else None
    criteria = dict(zip(criteria, singles, strict=True))
    known = [set(names(each, judge)) for each, judge in ((old, old_judge), (new, new_judge))]
    return JudgeComparison(
        old=f"{old.id}: {old_judge}",
        new=f"{new.id}: {new_judge}",
        split="dev",
        overall=overall,
        criteria=criteria,
        only_old=tuple(sorted(known[0] - known[1])),
        only_new=tuple(sorted(known[1] - known[0])),
        text=told(overall, criteria),
    )


def names(labels: LabelSet, judge: str) -> Iterator[str]:
    """The criteria that this judge labelled. Raises ``BadInput`` for a judge that the set does not have."""
    table = labels.table
    if judge not in table.annotators_of("judge"):
        raise BadInput(
            f"Label set {labels.id!r} has no judge {judge!r}.",
            remedy=f"It has {', '.join(table.annotators_of('judge')) or 'none'}.",
        )
    mine = table.annotators.codes == table.annotators.index(judge)
    yield from (table.criteria.names[code] for code in np.unique(table.criteria.codes[mine]))


def merged(old: LabelSet, old_judge: str, new: LabelSet, new_judge: str) -> LabelSet:
    """One set with the humans of both and the judges named old and new, on the criteria that both judges have."""
    shared = set(names(old, old_judge)) & set(names(new, new_judge))
    rows: dict[tuple[str, str, str], Label] = {}
    clusters: dict[str, str] = {}
    for labels, judge, name in ((new, new_judge, NEW), (old, old_judge, OLD)):
        for label in labels.table:
            if label.criterion not in shared or (label.role != "human" and label.annotator != judge):
                continue
            annotator = name if label.role == "judge" else f"human {label.annotator}"
            cluster = clusters.setdefault(label.item, label.cluster)
            own = label.model_copy(update={"annotator": annotator, "cluster": cluster})
            rows.setdefault((label.item, label.criterion, annotator), own)
    scales = {scale.criterion: scale for each in (old, new) for scale in each.scales if scale.criterion in shared}
    return LabelSet(new.id, new.version, new.provenance, tuple(scales.values()), table_of(rows.values()), new.items)


def adjusted(found: Sequence[Paired]) -> list[Paired]:
    """The comparisons with p-values adjusted for all of them."""
    tested = [one.claim for one in found if one.claim is not None]
    holding = iter(holm_adjusted(tested))
    return [one if one.claim is None else one.model_copy(update={"adjusted_p": next(holding)}) for one in found]


def judged_twice(view: View) -> bool:
    return {OLD, NEW} <= set(view.panel.judges)


def paired(view: View, measurement: Measurement) -> Paired:
    panel = shared_panel(view.panel)
    reference, old, new = panel.majority(), panel.judges[OLD].codes, panel.judges[NEW].codes
    used = reference >= 0
    right = [(codes == reference)[used].astype(np.int64) for codes in (old, new)]
    fixed, broken = int((right[1] > right[0]).sum()), int((right[0] > right[1]).sum())
    cluster, weight = panel.cluster[used], label_weights(reference[used], view.criterion[used])
    metric = headline_metric(view)
    wanted = (metric, *(name for name in SHOWN if name != metric))
    between = pair_table(np.where(used, old, -1), new, panel.cluster, panel.scale.size)
    table = between.total()[0] if between.clusters else np.zeros((panel.scale.size, panel.scale.size))
    differences = judge_difference(panel, NEW, OLD, measurement, view.strata, wanted)
    return Paired(
        n=int(used.sum()),
        clusters=len(np.unique(cluster)),
        metric=metric,
        old=measured(panel, OLD, wanted, measurement, view.strata),
        new=measured(panel, NEW, wanted, measurement, view.strata),
        difference=differences,
        fixed=fixed,
        broken=broken,
        exact=sign_flip(right[1], right[0], cluster),
        balanced=balanced_sign_flip(right[0], right[1], cluster, weight) if len(weight) else None,
        mcnemar=mcnemar_clustered(right[1], right[0], cluster),
        mcnemar_exact=mcnemar(fixed, broken, "mcnemar_exact"),
        stuart_maxwell=stuart_maxwell(table),
    )


def shared_panel(panel: RatingPanel) -> RatingPanel:
    """Only the items with a human majority that both versions judged."""
    return panel.restricted((panel.majority() >= 0) & (panel.judges[OLD].codes >= 0) & (panel.judges[NEW].codes >= 0))


def measured(
    panel: RatingPanel, judge: str, wanted: Sequence[str], measurement: Measurement, strata: Sequence[Flags]
) -> dict[str, Estimate]:
    """Against the majority; coefficients are averaged over ``strata``."""
    metrics = [metric for metric in judge_metrics(panel.scale) if metric.name in wanted]

    def task(part: RatingPanel) -> Task:
        return pair_table(part.majority(), part.judges[judge].codes, part.cluster, part.scale.size), metrics

    tasks: list[Task] = [task(panel)]
    if strata:
        tasks = list(stratified_tasks(tasks, [[task(panel.restricted(units))] for units in strata]))
    return estimate_all(tasks, measurement.resampling)


def told(overall: Paired | None, criteria: dict[str, Paired]) -> str:
    """The outcome in a sentence."""
    if overall is not None:
        return sentence(overall)
    better = [name for name, found in criteria.items() if direction(found) == "better"]
    worse = [name for name, found in criteria.items() if direction(found) == "worse"]
    lists = f"Better: {', '.join(better) or 'none'}. Worse: {', '.join(worse) or 'none'}."
    return f"The criteria have different scales. {lists}"


def direction(found: Paired) -> str:
    """The direction of a difference (better, worse or no clear difference), by the p of what may be claimed, adjusted
    for all comparisons."""
    if found.adjusted_p is None or found.adjusted_p >= SIGNIFICANT:
        return "no clear difference"
    return "better" if found.fixed > found.broken else "worse"


def sentence(found: Paired) -> str:
    counts = f"it corrects {found.fixed} and breaks {found.broken} of {found.n} ratings from {found.clusters} prompts"
    if found.adjusted_p is None:
        return f"No difference can be tested: {counts}; {found.exact.note}."
    p, exact = p_value(found.adjusted_p), p_value(1.0 if found.exact.p is None else found.exact.p)
    words = {
        "better": "The new run is better",
        "worse": "The new run is worse",
        "no clear difference": "There is no clear difference",
    }
    balanced = "" if found.balanced is None else f"; {found.balanced}"
    return f"{words[direction(found)]}: {counts} ({exact}){balanced}; by both, adjusted for all comparisons, {p}."
