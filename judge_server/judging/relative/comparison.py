"""The input of a comparison: options, the standard taken from a rubric, and the candidates of one conversation."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator

from judge_server.core.aggregation import Formula
from judge_server.core.coordinates import Coordinate
from judge_server.core.criterion import AnyLeaf, Binary, Choice, Group
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Message
from judge_server.judging.judge_input import message_text

Kind = Literal["listwise", "pairwise"]


class RelativeOptions(Frozen):
    """``weight``: weight of the relative reward in the reward; the rest is the absolute reward. ``orders``: in how many
    orders a list is shown; ``per_list``: maximum responses in one list. ``opponents``: how many opponents each response
    meets in a tournament that is too large for all pairs."""

    kind: Kind = "listwise"
    judge: Coordinate | None = None
    weight: float = Field(default=1.0, gt=0, le=1)
    orders: int = Field(default=2, ge=2, le=8)
    per_list: int = Field(default=8, ge=3, le=16)
    opponents: int = Field(default=6, ge=2, le=32)

    @field_validator("orders")
    @classmethod
    def _each_with_its_reverse(cls, orders: int) -> int:
        if orders % 2:
            raise ValueError("every order is also shown reversed: give an even number")
        return orders


@dataclass(frozen=True, slots=True)
class StandardLine:
    """One criterion. ``points``: its weight as text, None if the rubric's weights are not comparable; ``options``: of a
    scale, worst to best."""

    statement: str
    points: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standard:
    """``wanted`` makes a response better, ``unwanted`` worse; ``whole``: some criteria read more than the answer, so
    the whole response is shown."""

    wanted: tuple[StandardLine, ...]
    unwanted: tuple[StandardLine, ...]
    whole: bool = False
    reference: bool = False

    @staticmethod
    def of(rubric: Rubric, applicable: Sequence[AnyLeaf]) -> "Standard":
        """The applicable criteria in the order of the rubric, without those that have no statement."""
        comparable = not isinstance(rubric.aggregate, Formula) and not any(
            isinstance(criterion, Group) for criterion in rubric.criteria
        )
        wanted: list[StandardLine] = []
        unwanted: list[StandardLine] = []
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


def _line(leaf: AnyLeaf, comparable: bool) -> StandardLine:
    count = abs(leaf.points)
    points = f"{count:g} point{'' if count == 1 else 's'}" if comparable and count else None
    options: tuple[str, ...] = ()
    if isinstance(leaf, Choice):
        options = tuple(f"{o.label}: {o.description}" if o.description else o.label for o in leaf.options)
    return StandardLine(_whole(leaf), points, options)


def _whole(leaf: AnyLeaf) -> str:
    """The statement with its list."""
    items = (leaf.any_of or leaf.all_of or ()) if isinstance(leaf, Binary) else ()
    if not items:
        return leaf.statement
    how = "any of" if isinstance(leaf, Binary) and leaf.any_of else "all of"
    return f"{leaf.statement} ({how}: {'; '.join(items)})"


Shown = tuple[int, ...]
"""Candidates in the order in which they are shown, by their places in the comparison."""


@dataclass(frozen=True)
class CandidateComparison:
    """``candidates`` are distinct texts in the order of their digests, so that arrival order does not matter."""

    conversation: tuple[Message, ...]
    standard: Standard
    candidates: tuple[str, ...]
    reference: str | None = None

    @staticmethod
    def ordered(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(set(texts), key=_digest))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything shown except the candidates."""
        return _joined(self._common())

    @cached_property
    def seed(self) -> int:
        """Seed of the random orders: the same content is always shown in the same orders."""
        return int(_joined([self.digest, *self.candidates])[:16], 16)

    def key(self, shown: Shown) -> str:
        """SHA-256 of one presentation: everything else, and the candidates in their order."""
        return _joined([self.digest, *(self.candidates[place] for place in shown)])

    def _common(self) -> Iterator[str]:
        for message in self.conversation:
            yield message.role
            yield message_text(message)
        yield "no reference" if self.reference is None else f"reference {self.reference}"
        for name, lines in (("wanted", self.standard.wanted), ("unwanted", self.standard.unwanted)):
            yield f"{name} {len(lines)}"
            for line in lines:
                yield line.statement
                yield line.points or ""
                yield str(len(line.options))
                yield from line.options


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _joined(texts: Iterator[str] | Sequence[str]) -> str:
    """Each text is prefixed with its length so that different contents cannot collide."""
    hashed = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big"))
        hashed.update(data)
    return hashed.hexdigest()
