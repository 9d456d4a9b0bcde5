"""What graders read: the sample and the item, and templates filled in with them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from judge_server.core.errors import GraderFailed
from judge_server.core.placeholder import Piece, Placeholder, pieces_of
from judge_server.util.parsing import parse_json

LONGEST_TEXT = 1_000_000
_MISSING = object()
_REFERENCE_NAME = re.compile(
    r"answer|reference|solution|target|expected|gold|truth|label|ideal|completion|correct", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A piece of a filled template; ``source`` is None if the template itself has the text."""

    text: str
    source: Placeholder | None = None


@dataclass(frozen=True)
class GraderInput:
    """``output`` is the sample's text. ``output_json`` is that text parsed as JSON; ``output_tools`` are the tool calls
    of a sample that is a chat message, or a list of them, in JSON."""

    output: str
    item: dict[str, Any]

    @cached_property
    def output_json(self) -> Any:
        """Raises GraderFailed if the sample is not JSON."""
        try:
            return parse_json(self.output)
        except ValueError as fault:
            raise GraderFailed(f"The sample is not JSON: {fault}.", flag="sample_parse_error") from None

    @cached_property
    def output_tools(self) -> list[Any]:
        """Raises GraderFailed if the sample holds no tool calls."""
        found = self.output_json
        calls = found.get("tool_calls") if isinstance(found, dict) else found
        if not isinstance(calls, list) or not all(isinstance(call, dict) and "function" in call for call in calls):
            raise GraderFailed(
                "The sample has no tool calls.",
                flag="sample_parse_error",
                remedy='Send a chat message as JSON, {"role": "assistant", "tool_calls": [...]}, or the list alone.',
            )
        return calls

    @cached_property
    def sample(self) -> dict[str, Any]:
        """The whole sample for a program: parts that cannot be parsed are null or an empty list."""
        try:
            found = self.output_json
        except GraderFailed:
            found = None
        try:
            tools = self.output_tools
        except GraderFailed:
            tools = []
        return {"output_text": self.output, "output_json": found, "output_tools": tools, "choices": self._choices}

    @property
    def _choices(self) -> list[Any]:
        return [{"index": 0, "message": {"role": "assistant", "content": self.output}}]

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The texts of fields of the item whose names say that they hold a right answer."""
        return tuple(text for name, text in _texts(self.item) if _REFERENCE_NAME.search(name))

    @cached_property
    def asked(self) -> str:
        """The other texts of the item: what is known of the task."""
        return "\n".join(text for name, text in _texts(self.item) if not _REFERENCE_NAME.search(name))

    def fill(self, template: str) -> tuple[Filled, ...]:
        """One pass: substituted text is not searched for placeholders again. Raises GraderFailed."""
        filled = tuple(self._filled(piece) for piece in pieces_of(template))
        if sum(len(piece.text) for piece in filled) > LONGEST_TEXT:
            raise GraderFailed(f"A filled template has more than {LONGEST_TEXT} characters.", flag="other_error")
        return filled

    def text(self, template: str) -> str:
        """``fill`` as one text."""
        return "".join(piece.text for piece in self.fill(template))

    def _filled(self, piece: Piece) -> Filled:
        if isinstance(piece, str):
            return Filled(piece)
        return Filled(_as_text(self._value(piece)), piece)

    def _value(self, placeholder: Placeholder) -> Any:
        if placeholder.namespace == "item":
            return _below(self.item, placeholder.path, placeholder)
        first, *rest = placeholder.path
        return _below(self._variable(str(first)), rest, placeholder)

    def _variable(self, name: str) -> Any:
        match name:
            case "output_text":
                return self.output
            case "output_json":
                return self.output_json
            case "output_tools":
                return self.output_tools
            case _:
                return self._choices


def _texts(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text below the item with the name of the field that holds it."""
    waiting = [(name, value) for name, value in item.items()]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, one) for one in value)


def _below(value: Any, path: Sequence[str | int], placeholder: Placeholder) -> Any:
    for step in path:
        value = _one_below(value, step)
        if value is _MISSING:
            raise GraderFailed(
                f"{{{{{placeholder}}}}} has no value for this sample: there is no {step!r}.",
                flag="invalid_variable_error",
                remedy="Send the field in item, or correct the placeholder.",
            )
    return value


def _one_below(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step), _MISSING)
    if isinstance(value, list):
        place = step if isinstance(step, int) else int(step) if step.isascii() and step.isdecimal() else len(value)
        return value[place] if place < len(value) else _MISSING
    return _MISSING


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
