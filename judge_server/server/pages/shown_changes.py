"""Two versions of a rubric beside each other: their texts word by word, and the points of every criterion."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from judge_server.authoring.diff import RubricChange, RubricDifference, compare
from judge_server.core.criterion import Criterion, Group
from judge_server.core.rubric import Rubric

_MOST_WORDS: Final = 1_500
_LEAST_ALIKE: Final = 0.3
Mark = Literal["same", "gone", "new"]


@dataclass(frozen=True)
class ShownChange:
    """``words``: the text of both versions, in parts that are the same, gone or new; empty if the change is no text, or
    if the two texts have little in common."""

    change: RubricChange
    words: tuple[tuple[Mark, str], ...]


@dataclass(frozen=True)
class PointsRow:
    """The points of a criterion in both versions; None where it does not stand."""

    id: str
    statement: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class ShownDifference:
    difference: RubricDifference
    changes: tuple[ShownChange, ...]
    points: tuple[PointsRow, ...]


def shown_difference(old: Rubric, new: Rubric) -> ShownDifference:
    """``points`` are in the new order, with what was removed at the end. Takes some hundredths of a second."""
    found = compare(old, new)
    before, after = dict(_nodes(old.criteria)), dict(_nodes(new.criteria))
    rows = [
        PointsRow(name, node.statement or name, before[name].points if name in before else None, node.points)
        for name, node in after.items()
    ]
    rows += [
        PointsRow(name, node.statement or name, node.points, None) for name, node in before.items() if name not in after
    ]
    return ShownDifference(found, tuple(ShownChange(one, tuple(_words(one))) for one in found.changes), tuple(rows))


def _nodes(criteria: tuple[Criterion, ...]) -> Iterator[tuple[str, Criterion]]:
    for node in criteria:
        yield node.id, node
        if isinstance(node, Group):
            yield from _nodes(node.criteria)


def _words(change: RubricChange) -> Iterator[tuple[Mark, str]]:
    if not isinstance(change.before, str) or not isinstance(change.after, str) or change.kind in ("moved", "renamed"):
        return
    old, new = change.before.split(), change.after.split()
    if max(len(old), len(new)) > _MOST_WORDS:
        return
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return
    for what, start, end, first, last in matcher.get_opcodes():
        if what == "equal":
            yield "same", " ".join(new[first:last])
            continue
        if end > start:
            yield "gone", " ".join(old[start:end])
        if last > first:
            yield "new", " ".join(new[first:last])
