"""What a proposer may try before it proposes: other wordings of a criterion, on the revise part."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judge_server.agreement.array import Floats
from judge_server.calibration.disagreement import Disagreement, contrasts, told
from judge_server.calibration.panels import views
from judge_server.core.criterion import AnyLeaf
from judge_server.labels.label_set import LabelSet


@dataclass(frozen=True)
class TriedItem:
    """``score``: 1 less the mean distance to a person's label, as a share of the scale; 0 if the judge gave no label.
    ``case``: None if the judge agrees with everyone."""

    score: float
    case: Disagreement | None


@dataclass(frozen=True)
class Trial:
    """``seen``: the revise part of one criterion, as ``judge`` decides now. ``judged``: some of its items under another
    wording; raises LimitReached. ``refusal``: why a proposal would not be measured."""

    judge: str
    seen: LabelSet
    judged: Callable[[AnyLeaf, Sequence[str]], Awaitable[LabelSet]]
    refusal: Callable[[Mapping[str, Any]], str | None]

    def items(self) -> dict[str, TriedItem]:
        """Each item that people labelled, as it is now."""
        return scored(self.seen, self.judge)

    async def reworded(self, leaf: AnyLeaf, items: Sequence[str]) -> dict[str, TriedItem]:
        return scored(await self.judged(leaf, items), self.judge)


def scored(labels: LabelSet, judge: str) -> dict[str, TriedItem]:
    """By item, for labels of one criterion."""
    found: dict[str, TriedItem] = {}
    for view in views(labels):
        if judge not in view.panel.judges:
            continue
        severity, unanimity, raters = contrasts(view, judge)
        silent = view.panel.judges[judge].codes < 0
        for unit in range(len(severity)):
            if raters[unit] == 0:
                continue
            name = labels.table.items.names[int(view.item[unit])]
            order = _order(severity, unanimity, unit)
            parted = severity[unit] > 0 and not silent[unit]
            case = told(labels, view, unit, judge, order) if parted else None
            found[name] = TriedItem(0.0 if silent[unit] else 1.0 - float(severity[unit]), case)
    return found


def _order(severity: Floats, unanimity: Floats, unit: int) -> tuple[float, ...]:
    return -float(severity[unit]), -float(unanimity[unit])
