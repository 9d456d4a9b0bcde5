"""A finding in a rubric file: rule, severity, place and remedy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from judge_server.core.errors import BadRubric
from judge_server.core.model import Frozen

Path = tuple[str | int, ...]


class TextPosition(NamedTuple):
    """Line and column, both counted from 1."""

    line: int
    column: int

    @staticmethod
    def of(mark: "Mark") -> "TextPosition":
        return TextPosition(mark.line + 1, mark.column + 1)


class Mark(Protocol):
    """A place as a parser of YAML tells it: line and column, both counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass(slots=True)
class MarkedValue:
    """Where a list or mapping begins, where each of its keys stands first, and what is in it by key or index: marks of
    plain values, MarkedValues of others. A document that is one plain value is a MarkedValue with nothing in it."""

    start: Mark
    keys: dict[str, Mark]
    inner: dict[str | int, "Mark | MarkedValue"]


@dataclass(frozen=True)
class TextPositions:
    """Positions of values and of the keys that name them, by path from the document's root."""

    root: MarkedValue | None = None

    def has(self, path: Path) -> bool:
        return self.root is not None and len(self._along(path)) == len(path)

    def of_value(self, path: Path) -> TextPosition | None:
        """The start of the value at ``path``, or of its nearest ancestor if the path is not in the text."""
        if self.root is None:
            return None
        nearest = (self.root, *self._along(path))[-1]
        return TextPosition.of(nearest.start if isinstance(nearest, MarkedValue) else nearest)

    def of_key(self, path: Path) -> TextPosition | None:
        """The position of the last key of ``path``; for list items, that of the value."""
        *above, step = path or ("",)
        found = self._along(tuple(above))
        parent = (self.root, *found)[-1] if len(found) == len(above) else None
        key = parent.keys.get(str(step)) if isinstance(parent, MarkedValue) and isinstance(step, str) else None
        return TextPosition.of(key) if key is not None and path else self.of_value(path)

    def _along(self, path: Path) -> list[Mark | MarkedValue]:
        """What stands at each step of the path from the root, as far as the text goes."""
        found: list[Mark | MarkedValue] = []
        parent: Mark | MarkedValue | None = self.root
        for step in path:
            parent = parent.inner.get(step) if isinstance(parent, MarkedValue) else None
            if parent is None:
                break
            found.append(parent)
        return found


NOWHERE = TextPositions()


def dotted(path: Path) -> str:
    """``("criteria", 2, "statement")`` → ``criteria[2].statement``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Severity(StrEnum):
    """``error`` makes a rubric unusable or its reward meaningless; ``info`` is advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class RubricFinding(Frozen):
    """``line`` and ``column`` count from 1; ``path`` is written like ``criteria[2].statement``."""

    rule: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    suggestion: str | None = None

    @staticmethod
    def at(
        position: TextPosition | None,
        rule: str,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        file: str | None = None,
        path: Path = (),
        suggestion: str | None = None,
    ) -> "RubricFinding":
        line, column = position or (None, None)
        return RubricFinding(
            rule=rule,
            severity=severity,
            message=message,
            file=file,
            line=line,
            column=column,
            path=dotted(path) or None,
            suggestion=suggestion,
        )

    @property
    def where(self) -> str:
        """``file:line:column``, as far as known."""
        parts = [self.file or ("line" if self.line is not None else "rubric")]
        parts += [str(number) for number in (self.line, self.column) if number is not None]
        return ":".join(parts)

    def __str__(self) -> str:
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.where}: {self.severity} {self.rule}: {self.message}{hint}"


def in_order(findings: Iterable[RubricFinding]) -> list[RubricFinding]:
    """Sorted by file and place."""
    return sorted(findings, key=lambda found: (found.file or "", found.line or 0, found.column or 0, found.rule))


def refusal(findings: Sequence[RubricFinding]) -> BadRubric:
    """An error that carries all findings; its message shows the first with its place."""
    first, *others = in_order(findings)
    place = f"{first.path}: " if first.path else ""
    more = f" And {len(others)} more." if others else ""
    return BadRubric(
        f"{first.where}: {place}{first.message}.{more}",
        remedy=f"{first.suggestion[:1].upper()}{first.suggestion[1:]}." if first.suggestion else None,
        findings=[found.model_dump(mode="json") for found in (first, *others)],
    )
