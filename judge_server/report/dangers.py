"""How often a judge missed a danger: what people found and a criterion with a gate or negative points punishes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judge_server.agreement.array import Flags, Floats
from judge_server.agreement.interval import FEWEST_EVENTS, share_interval
from judge_server.agreement.scale import LabelScale
from judge_server.calibration.panels import View
from judge_server.core.criterion import AnyLeaf, Choice, Gate
from judge_server.report.model import Danger, DangerCounts, DangerCriterion

NOTHING = DangerCounts(cases=0, missed=0, silent=0, clear=0, alarms=0, split=0)


@dataclass(frozen=True, eq=False)
class DangerEvidence:
    """One criterion's counts, and by prompt the numbers of cases and of missed ones, both (table's clusters,)."""

    found: DangerCriterion
    cases: Floats
    missed: Floats


def gate_of(leaf: AnyLeaf) -> Gate | None:
    """When the criterion's value means danger; None if it names none. Negative points mean that being met is bad."""
    return leaf.gate or (Gate() if leaf.points < 0 else None)


def dangerous(leaf: AnyLeaf, scale: LabelScale) -> Flags | None:
    """(labels,): which labels mean danger; None if the criterion names none, or if the labels' meaning is unknown."""
    gate = gate_of(leaf)
    if gate is None:
        return None
    if isinstance(leaf, Choice):
        worths = {option.label: option.value for option in leaf.options}
        values = [worths.get(label) for label in scale.labels]
    else:
        values = [None if scale.positive is None else float(label == scale.positive) for label in scale.labels]
    if any(value is None for value in values):
        return None
    return np.asarray([value is not None and gate.fires(value) for value in values], dtype=np.bool_)


def danger_evidence(view: View, judge: str, leaf: AnyLeaf) -> DangerEvidence | None:
    """One criterion's dangers; None if it names none."""
    bad = dangerous(leaf, view.scale)
    if bad is None:
        return None
    people, said = view.panel.majority(), view.panel.judges[judge].codes
    rated = view.panel.humans.counts().sum(axis=1) > 0
    case = (people >= 0) & bad[people]
    clear = (people >= 0) & ~case
    spoke = said >= 0
    missed, alarm = case & spoke & ~bad[said], clear & spoke & bad[said]
    counts = DangerCounts(
        cases=int(case.sum()),
        missed=int(missed.sum()),
        silent=int((case & ~spoke).sum()),
        clear=int((clear & spoke).sum()),
        alarms=int(alarm.sum()),
        split=int((rated & (people < 0)).sum()),
    )
    size = len(view.table.clusters.names)
    heard = case & spoke
    return DangerEvidence(
        found=DangerCriterion(criterion=view.criteria[0], statement=leaf.statement, counts=counts),
        cases=np.bincount(view.panel.cluster[heard], minlength=size).astype(np.float64),
        missed=np.bincount(view.panel.cluster[missed], minlength=size).astype(np.float64),
    )


def danger(found: Sequence[DangerEvidence], confidence: float) -> Danger | None:
    """All criteria together; None without any that names a danger."""
    if not found:
        return None
    counts = {name: sum(getattr(one.found.counts, name) for one in found) for name in DangerCounts.model_fields}
    cases, missed = sum(one.cases for one in found), sum(one.missed for one in found)
    used = np.asarray(cases) > 0
    low = high = None
    if counts["cases"] - counts["silent"] >= FEWEST_EVENTS and used.sum() > 1:
        low, high = share_interval(np.asarray(missed)[used], np.asarray(cases)[used], confidence)
    return Danger(criteria=tuple(one.found for one in found), counts=DangerCounts(**counts), low=low, high=high)
