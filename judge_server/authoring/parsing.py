"""A rubric's text or data → the rubric, or all faults with their places."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from judge_server.authoring.consistency import contradictions, whose_aggregate
from judge_server.authoring.finding import NOWHERE, RubricFinding, TextPositions, refusal
from judge_server.authoring.reading import MOST_BYTES, MOST_LEVELS, read
from judge_server.authoring.translation import translate
from judge_server.core.rubric import Rubric

_KEPT_BYTES = 65_536
FORMAT = 1  # of rubric files; a file that says another one was written for another release
_TOLD_IN_PLACE = (
    "criterion ids must be unique",
    "cites unknown sources",
    "which is not declared under facts",
    "is declared as",
    "is never",
)


@dataclass(frozen=True)
class Parsed:
    """A rubric with the source positions of its parts; ``data`` is the text as plain data, ``tests`` its cases."""

    rubric: Rubric
    data: Any = None
    places: TextPositions = NOWHERE
    file: str | None = None
    tests: Any = None


def load(path: FilePath) -> Parsed:
    """The rubric in a YAML or JSON file. Raises BadRubric whose ``findings`` name file, line and column."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        found = RubricFinding.at(None, "unreadable", f"the file cannot be read: {reason}", file=str(path))
        raise refusal([found]) from None
    return _read_before(content, str(path)) if len(content) <= _KEPT_BYTES else parse(content, str(path))


@lru_cache(maxsize=64)  # several libraries of one process read the same files; nothing changes what is parsed
def _read_before(content: bytes, file: str) -> Parsed:
    return parse(content, file)


def parse(content: bytes | str, file: str | None = None) -> Parsed:
    """The rubric in a text. Raises BadRubric with all findings at once."""
    document = read(content, file)
    return from_data(document.value, document.places, file, document.findings)


def from_data(
    data: Any, places: TextPositions = NOWHERE, file: str | None = None, findings: tuple[RubricFinding, ...] = ()
) -> Parsed:
    """The rubric in plain data, such as an inline rubric of a request. Raises BadRubric with all findings at once."""
    found = list(findings)
    if _too_deep(data):
        told = f"nested deeper than {MOST_LEVELS} levels"
        raise refusal([RubricFinding.at(None, "too-deep", told, file=file, suggestion="flatten the rubric")])
    tests = None
    if isinstance(data, dict) and ("tests" in data or "format" in data):  # neither is part of the rubric's content
        found += _other_format(data.get("format", FORMAT), places, file)
        tests, data = (
            data.get("tests"),
            {name: value for name, value in data.items() if name not in ("tests", "format")},
        )
    rubric = None
    try:
        rubric = Rubric.model_validate(data)
    except ValidationError as fault:
        found += _settled(translate(fault, data, places, file), data, places)
    found += contradictions(data, places, file)
    if rubric is None or found:
        raise refusal(found)
    return Parsed(rubric, data, places, file, tests)


def _other_format(given: Any, places: TextPositions, file: str | None) -> Iterator[RubricFinding]:
    if given != FORMAT or isinstance(given, bool | float):
        yield RubricFinding.at(
            places.of_value(("format",)),
            "format",
            f"the file says format {given!r}, and this judge-server reads format {FORMAT}",
            file=file,
            path=("format",),
            suggestion=f"write format: {FORMAT}, or take the release of judge-server that the file was written for",
        )


def _too_deep(data: Any) -> bool:
    """Works level by level, so that deep nesting cannot exhaust the stack."""
    level = [data]
    for _ in range(MOST_LEVELS + 1):
        lists = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, dict | list)]
        level = [child for children in lists for child in children]
    return bool(level)


def _settled(found: list[RubricFinding], data: Any, places: TextPositions) -> Iterator[RubricFinding]:
    """Give findings of the whole rubric the place that they name; drop those that a finding with a place repeats."""
    for entry in found:
        if entry.path is not None or entry.rule != "invalid":
            yield entry
        elif not any(told in entry.message for told in _TOLD_IN_PLACE):
            path = whose_aggregate(entry.message, data)
            yield RubricFinding.at(
                places.of_value(path),
                entry.rule,
                entry.message,
                file=entry.file,
                path=path,
                suggestion=entry.suggestion,
            )
