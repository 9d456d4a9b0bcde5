"""Details behind the metrics: counts, confusion matrices, base rates, the baseline, reliability."""

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.agreement.contingency import pair_counts
from judge_server.agreement.description import describe
from judge_server.agreement.judge import outcome
from judge_server.agreement.probability import ReliabilityBin, probability_evidence, reliability_curve
from judge_server.calibration.panels import View
from judge_server.labels.table import ABSTAINED, INVALID
from judge_server.report.model import Detail, SideCounts


def counted(view: View, mine: Flags, coverage: float | None = None) -> SideCounts:
    """``mine``: the rows of the view to count."""
    codes = view.table.labels.codes[view.rows[mine]]
    return SideCounts(
        rows=len(codes),
        usable=int((codes >= 0).sum()),
        abstained=int((codes == ABSTAINED).sum()),
        invalid=int((codes == INVALID).sum()),
        items=len(np.unique(view.unit[mine][codes >= 0])),
        coverage=coverage,
    )


def human_detail(view: View) -> Detail:
    human = np.array([role == "human" for role in view.table.roles], dtype=np.bool_)
    mine = human[view.table.annotators.codes[view.rows]]
    if not view.scale.has_tables:
        return Detail(kind=view.kind, labels=(), counts=counted(view, mine))
    counts = view.panel.humans.counts()
    pairs = pair_counts(counts, view.panel.cluster)
    table = pairs.total()[0] if pairs.clusters else np.zeros((0, 0))
    total = float(counts.sum())
    return Detail(
        kind=view.kind,
        labels=view.scale.labels,
        positive=view.scale.positive,
        counts=counted(view, mine),
        confusion=tuple(tuple(round(float(cell)) for cell in row) for row in table),
        rates=tuple(float(share) for share in counts.sum(axis=0) / total) if total else None,
        tied=int(((counts.sum(axis=1) > 0) & (view.panel.majority() < 0)).sum()),
    )


def judge_detail(view: View, judge: str, bins: int) -> Detail:
    own, place = view.panel.judges[judge], view.table.annotators.index(judge)
    mine = view.table.annotators.codes[view.rows] == place
    labelled = np.bincount(view.panel.humans.item, minlength=view.panel.humans.items) > 0
    given = (own.codes >= 0) | np.isfinite(own.values)
    coverage = float((given & labelled).sum() / labelled.sum()) if labelled.any() else None
    counts = counted(view, mine, coverage)
    if not view.scale.has_tables:
        return Detail(kind=view.kind, labels=(), counts=counts)
    found = describe(view.panel, judge)
    positive = view.scale.positive_code
    reliability: tuple[ReliabilityBin, ...] = ()
    if positive is not None and np.isfinite(own.probabilities).any():
        evidence = probability_evidence(
            own.probabilities, outcome(view.panel.majority(), positive), view.panel.cluster, bins
        )
        reliability = tuple(reliability_curve(evidence)) if evidence.clusters else ()
    return Detail(
        kind=view.kind,
        labels=found.labels,
        positive=view.scale.positive,
        counts=counts,
        confusion=found.confusion,
        reference_rates=found.reference_rates,
        rates=found.judge_rates,
        tied=found.tied,
        baseline=found.baseline,
        reliability=reliability,
    )
