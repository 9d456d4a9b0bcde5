"""What a rubric wants of a response, told as a standard to compare by."""

from collections.abc import Sequence
from dataclasses import dataclass

from judge_server.core.aggregation import Formula
from judge_server.core.criterion import AnyLeaf, Group, Scale
from judge_server.core.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion. ``points``: its weight as text, None where weights of the rubric do not compare; ``options``: of a
    scale, worst to best."""

    statement: str
    points: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standard:
    """``wanted`` makes a response better, ``unwanted`` worse; ``whole``: criteria read more than the answer, so that
    the whole response has to be shown."""

    wanted: tuple[Line, ...]
    unwanted: tuple[Line, ...]
    whole: bool = False
    reference: bool = False

    @staticmethod
    def of(rubric: Rubric, applicable: Sequence[AnyLeaf]) -> "Standard":
        """Of the criteria that apply, in the order of the rubric; those without a statement say nothing."""
        comparable = not isinstance(rubric.aggregate, Formula) and not any(
            isinstance(criterion, Group) for criterion in rubric.criteria
        )
        wanted: list[Line] = []
        unwanted: list[Line] = []
        for leaf in applicable:
            if leaf.statement.strip():
                (unwanted if rubric.worst_values[leaf.id] else wanted).append(_line(leaf, comparable))
        return Standard(
            tuple(wanted),
            tuple(unwanted),
            whole=any(leaf.scope != "answer" for leaf in applicable),
            reference=any(leaf.reference != "none" for leaf in applicable),
        )

    @property
    def empty(self) -> bool:
        return not self.wanted and not self.unwanted


def _line(leaf: AnyLeaf, comparable: bool) -> Line:
    count = abs(leaf.points)
    points = f"{count:g} point{'' if count == 1 else 's'}" if comparable and count else None
    options: tuple[str, ...] = ()
    if isinstance(leaf, Scale):
        options = tuple(f"{o.label}: {o.description}" if o.description else o.label for o in leaf.options)
    return Line(leaf.statement, points, options)
