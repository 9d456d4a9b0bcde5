"""The steps of a response, each with its position in the response.

All of the divided text belongs to some step: text outside of markup or before the first heading is a step too, so the
judge sees everything.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

MessageField = Literal["content", "reasoning"]
Span = tuple[int, int]

_TAG = re.compile(r"<(/?)step(?:[ \t][^<>]{0,200})?>", re.IGNORECASE)
_HEADING = re.compile(r"^[ \t]*+(?:#{1,6}[ \t]*+)?(?:\*\*|__)?step[ \t]++(\d{1,4})\b", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"^[ \t]*+(?:\*\*)?(\d{1,4})[.)](?=\s|\*\*)", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*+\n\s*+")


@dataclass(frozen=True, slots=True)
class Step:
    """One reasoning step or turn.

    ``start`` and ``end`` are character offsets into a text response, or else into ``field`` of its message number
    ``message`` (from 0). ``text`` is what a judge reads, including a turn's tool calls and results.
    """

    index: int
    start: int
    end: int
    text: str
    message: int | None = None
    field: MessageField = "content"

    def place(self) -> dict[str, Any]:
        """The fields of a verdict that name the step and its position."""
        found: dict[str, Any] = {"step": self.index, "span": (self.start, self.end)}
        return found if self.message is None else found | {"message": self.message, "field": self.field}


def steps_of(text: str, start: int, end: int) -> tuple[Step, ...]:
    """The steps of ``text[start:end]``: its ``<step>`` elements, else its parts under the headings Step 1, Step 2, …,
    else its numbered list if it begins with one, else its paragraphs. Spans begin and end with visible text."""
    spans = [span for bounds in _divided(text, start, end) if (span := _stripped(text, *bounds))]
    return tuple(Step(index, first, last, text[first:last]) for index, (first, last) in enumerate(spans))


def joined(steps: Sequence[Step], most: int, text: str | None) -> tuple[Step, ...]:
    """At most ``most`` steps: further ones are joined with the last. ``text``: the response, if it is a text; otherwise
    the joined step has the position of the last turn."""
    if len(steps) <= most:
        return tuple(steps)
    rest = steps[most - 1 :]
    first, last = rest[0], rest[-1]
    if text is None:
        tail = replace(last, index=first.index, text="\n\n".join(step.text for step in rest))
    else:
        tail = Step(first.index, first.start, last.end, text[first.start : last.end])
    return (*steps[: most - 1], tail)


def _divided(text: str, start: int, end: int) -> Iterator[Span]:
    elements = list(_elements(text, start, end))
    if elements:
        yield from _with_gaps(text, elements, start, end)
        return
    for pattern in (_HEADING, _NUMBER):
        places = _counted(pattern, text, start, end)
        if len(places) > 1 and (pattern is _HEADING or not text[start : places[0]].strip()):
            bounds = [start, *places, end]
            yield from pairwise(bounds)
            return
    yield from _paragraphs(text, start, end)


def _elements(text: str, start: int, end: int) -> Iterator[tuple[Span, Span]]:
    """(whole element, what is inside) of every ``<step>``; one that is not closed ends where the next begins."""
    opened: re.Match[str] | None = None
    for tag in _TAG.finditer(text, start, end):
        if opened is not None:
            whole_end = tag.end() if tag[1] else tag.start()
            yield (opened.start(), whole_end), (opened.end(), tag.start())
        elif tag[1]:  # closes nothing
            yield tag.span(), (tag.end(), tag.end())
        opened = None if tag[1] else tag
    if opened is not None:
        yield (opened.start(), end), (opened.end(), end)


def _with_gaps(text: str, elements: Sequence[tuple[Span, Span]], start: int, end: int) -> Iterator[Span]:
    reached = start
    for whole, inside in elements:
        yield from _paragraphs(text, reached, whole[0])
        yield inside
        reached = whole[1]
    yield from _paragraphs(text, reached, end)


def _counted(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[int]:
    """Positions of the lines that count 1, 2, 3, … from the first 1; other numbers in between belong to a step."""
    places: list[int] = []
    for match in pattern.finditer(text, start, end):
        if int(match[1]) == len(places) + 1:
            places.append(match.start())
    return places


def _paragraphs(text: str, start: int, end: int) -> Iterator[Span]:
    reached = start
    for match in _BLANK_LINE.finditer(text, start, end):
        yield reached, match.start()
        reached = match.end()
    yield reached, end


def _stripped(text: str, start: int, end: int) -> Span | None:
    inner = text[start:end]
    if not (visible := inner.strip()):
        return None
    first = start + len(inner) - len(inner.lstrip())
    return first, first + len(visible)
