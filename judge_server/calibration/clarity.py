"""What must be mended before a judge is: criteria on which people disagree, and scales that may be turned round."""

import numpy as np

from judge_server.agreement.interval import share_interval
from judge_server.agreement.judge import Measurement
from judge_server.calibration.comparison import measured
from judge_server.calibration.improvement import Clarity, TurnedScale
from judge_server.calibration.panels import View, views
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet


def clarity(labels: LabelSet, rubric: Rubric) -> tuple[Clarity, ...]:
    """Criteria on which two people or more labelled the same items, those with most disagreement first."""
    statements = {leaf.id: leaf.statement for leaf in rubric.leaves}
    found = []
    for view in views(labels):
        counts = view.panel.humans.counts()
        several = counts.sum(axis=1) >= 2
        parted = several & (counts.max(axis=1, initial=0) < counts.sum(axis=1))
        if not several.any():
            continue
        cluster = view.panel.cluster
        cases = np.bincount(cluster, weights=several).astype(np.float64)
        differ = np.bincount(cluster, weights=parted).astype(np.float64)
        used = cases > 0
        low, high = share_interval(differ[used], cases[used], 0.95) if used.sum() > 1 else (None, None)
        name = view.criteria[0]
        found.append(
            Clarity(
                criterion=name,
                statement=statements.get(name, name),
                items=int(several.sum()),
                disagreed=int(parted.sum()),
                low=low,
                high=high,
                examples=tuple(view.table.items.names[code] for code in view.item[parted][:5]),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.disagreed / one.items))


def turned_scales(judged: LabelSet, judge: str, rubric: Rubric) -> tuple[TurnedScale, ...]:
    """Criteria on which the upper 95 % bound of the judge's κ with people is below 0."""
    statements = {leaf.id: leaf.statement for leaf in rubric.leaves}
    found = []
    for view in views(judged):
        bounds = kappa_of(view, judge)
        if bounds is not None and bounds[1] < 0:
            name = view.criteria[0]
            told = statements.get(name, name)
            found.append(TurnedScale(criterion=name, statement=told, value=bounds[0], high=bounds[1]))
    return tuple(found)


def kappa_of(view: View, judge: str) -> tuple[float, float] | None:
    """κ of a judge with the people's majority, and its upper bound; weighted if the labels have an order. None if there
    is no interval."""
    if judge not in view.panel.judges:
        return None
    metric = "cohen_kappa" if view.scale.values is None or view.scale.size < 3 else "cohen_kappa_quadratic"
    both = (view.panel.majority() >= 0) & (view.panel.judges[judge].codes >= 0)
    if not both.any():
        return None
    own = view.panel.restricted(both)
    found = measured(own, judge, (metric,), Measurement(), ()).get(metric)
    return None if found is None or found.value is None or found.high is None else (found.value, found.high)
