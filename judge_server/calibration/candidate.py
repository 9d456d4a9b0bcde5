"""Candidates of a rung of the ladder, and the choice among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from judge_server.agreement.marginal import holm_adjusted
from judge_server.calibration.improvement import AS_IT_IS, JudgeSetup, TriedChange
from judge_server.core.fitted_map import FittedMap
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class KeptSoFar:
    """What was kept so far, with the judge's rows under it on both parts. ``maps`` are applied when rows are
    compared."""

    rubric: Rubric
    seen: LabelSet
    select: LabelSet
    setup: JudgeSetup = AS_IT_IS
    maps: Mapping[str, FittedMap] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasuredChange:
    """A measured change, and what would stand if it were kept."""

    change: TriedChange
    after: KeptSoFar | None = None


def chosen(made: Sequence[MeasuredChange]) -> tuple[list[TriedChange], list[KeptSoFar]]:
    """The candidates of a rung with the p-values of their claims adjusted for all of them (Holm), and what stands after
    the best significant one of each criterion."""
    claims = [one.change.test.claim for one in made if one.change.test is not None]
    tests = [one for one in claims if one is not None]
    holding = iter(holm_adjusted(tests))
    told = [_adjusted(one, next(holding)) if _tested(one.change) else one for one in made]
    best: dict[str, MeasuredChange] = {}
    for one in told:
        rival = best.get(one.change.criterion)
        if _sure(one.change) and (rival is None or _right(one.change) > _right(rival.change)):
            best[one.change.criterion] = one
    names = {one.change.name for one in best.values()}
    changes = [one.change.model_copy(update={"kept": one.change.name in names}) for one in told]
    return changes, [one.after for one in told if one.change.name in names and one.after is not None]


def _tested(change: TriedChange) -> bool:
    return change.test is not None and change.test.claim is not None


def _adjusted(one: MeasuredChange, p: float) -> MeasuredChange:
    return replace(one, change=one.change.model_copy(update={"adjusted_p": p}))


def _sure(change: TriedChange) -> bool:
    return (
        change.test is not None
        and change.test.better
        and change.adjusted_p is not None
        and change.adjusted_p < SIGNIFICANT
    )


def _right(change: TriedChange) -> int:
    return 0 if change.test is None else change.test.after
