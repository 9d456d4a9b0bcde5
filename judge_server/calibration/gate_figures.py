"""What a gate reads of one judge on one scale: metrics with intervals, and the distance to the human ceiling."""

from collections.abc import Collection

import numpy as np

from judge_server.agreement.catalogue import absent, table_metrics
from judge_server.agreement.coincidence import pair_counts
from judge_server.agreement.estimate import Estimate
from judge_server.agreement.evidence import Evidence, joined
from judge_server.agreement.interval import estimate, estimate_all
from judge_server.agreement.judge import Measurement, difference, evidence_of
from judge_server.agreement.metric import Metric
from judge_server.agreement.pair import pair_table
from judge_server.agreement.panel import Panel
from judge_server.agreement.resampling import Resampling
from judge_server.core.model import Frozen


class Ceiling(Frozen):
    """On the items that at least two people and the judge rated, each rating against each other: the judge's metric,
    the people's, and what the judge lacks of theirs."""

    judge: Estimate
    humans: Estimate
    gap: Estimate


def estimates(panel: Panel, judge: str, names: Collection[str], resampling: Resampling) -> dict[str, Estimate]:
    """Those of the named metrics that this scale has; others of them with the reason in ``note``."""
    own = panel.judges[judge]
    tasks = [
        (evidence, [metric for metric in metrics if metric.name in names])
        for evidence, metrics in evidence_of(panel, own, Measurement(resampling=resampling))
    ]
    found = estimate_all([task for task in tasks if task[1]], resampling)
    return {name: one for name, one in absent(panel.scale, found).items() if name in names}


def ceiling(panel: Panel, judge: str, name: str, resampling: Resampling) -> Ceiling | None:
    """None where no item was rated by two people and the judge, or the scale has no such metric of labels."""
    metric = next((one for one in table_metrics(panel.scale) if one.name == name), None)
    codes, counts = panel.judges[judge].codes, panel.humans.counts()
    usable = (codes >= 0) & (counts.sum(axis=1) >= 2)
    if metric is None or not usable.any():
        return None
    rating = usable[panel.humans.item]
    item = panel.humans.item[rating]
    judged = pair_table(panel.humans.code[rating], codes[item], panel.cluster[item], panel.scale.size)
    human = pair_counts(counts[usable], panel.cluster[usable])
    return Ceiling(
        judge=_single(judged, metric, resampling),
        humans=_single(human, metric, resampling),
        gap=_single(joined(human, judged), difference(metric, (panel.scale.size, panel.scale.size)), resampling),
    )


def missing(panel: Panel, judge: str) -> tuple[int, int]:
    """Items that people labelled, and those among them without a usable label of the judge."""
    own = panel.judges[judge]
    rated = np.bincount(panel.humans.item, minlength=panel.humans.items) > 0
    said = np.isfinite(own.values) if own.is_score else own.codes >= 0
    return int(rated.sum()), int((rated & ~said).sum())


def _single(evidence: Evidence, metric: Metric, resampling: Resampling) -> Estimate:
    return estimate(evidence, [metric], resampling)[metric.name]
