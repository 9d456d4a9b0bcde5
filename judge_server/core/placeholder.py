"""Texts with placeholders: ``{{item.FIELD}}`` and ``{{sample.output_text}}``, and paths below them.

Grammar of a placeholder::

    placeholder = "{{" ("item" | "sample") step+ "}}"
    step        = "." name | "[" number "]" | "[" quoted name "]"

A template is parsed once into its pieces. Inserted values are never parsed, so they cannot contain placeholders. There
are no expressions, filters or loops.
"""

import re
from dataclasses import dataclass
from typing import Literal

SAMPLE_VARIABLES = ("output_text", "output_json", "output_tools", "choices")
_MOST_PLACEHOLDERS = 100
_PLACEHOLDER = re.compile(r"\{\{([^{}]{0,300})\}\}")
_SINGLE_BRACES = re.compile(r"(?<!\{)\{[A-Za-z_]\w{0,40}\}(?!\})")
_STEP = r"""\.[^\s.\[\]'"]+|\[[0-9]{1,6}\]|\["[^"]+"\]|\['[^']+'\]"""
_NAMED = re.compile(rf"(item|sample)((?:{_STEP})+)")
_STEPS = re.compile(_STEP)


class BadTemplate(ValueError):
    """A placeholder for a variable that graders do not have."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``path``: names and positions below the namespace, at least one."""

    namespace: Literal["item", "sample"]
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{self.namespace}{steps}"


Piece = str | Placeholder


def pieces_of(template: str) -> tuple[Piece, ...]:
    """The literal texts and placeholders of a template, in order. Raises BadTemplate with the placeholder."""
    pieces: list[Piece] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        if match.start() > end:
            pieces.append(template[end : match.start()])
        pieces.append(_placeholder(match.group(1).strip()))
        end = match.end()
    if end < len(template):
        pieces.append(template[end:])
    if sum(isinstance(piece, Placeholder) for piece in pieces) > _MOST_PLACEHOLDERS:
        raise BadTemplate(f"more than {_MOST_PLACEHOLDERS} placeholders in one text")
    return tuple(pieces)


def names_the_sample(template: str) -> bool:
    """Whether any placeholder stands for a variable of the sample. Raises BadTemplate."""
    return any(isinstance(piece, Placeholder) and piece.namespace == "sample" for piece in pieces_of(template))


def foreign_placeholders(template: str) -> list[str]:
    """``{output}`` and the like, as other tools write them: plain text here."""
    return _SINGLE_BRACES.findall(template)


def _placeholder(inner: str) -> Placeholder:
    shown = "{{" + inner + "}}"
    match = _NAMED.fullmatch(inner)
    if match is None:
        raise BadTemplate(f"{shown} is no placeholder: write {{{{item.FIELD}}}} or {{{{sample.output_text}}}}")
    path = tuple(_step(step) for step in _STEPS.findall(match.group(2)))
    if match.group(1) == "item":
        return Placeholder("item", path)
    if path[0] not in SAMPLE_VARIABLES:
        raise BadTemplate(f"{shown} names no variable of a sample, which are {', '.join(SAMPLE_VARIABLES)}")
    return Placeholder("sample", path)


def _step(step: str) -> str | int:
    if step.startswith("."):
        return step[1:]
    inner = step[1:-1]
    return int(inner) if inner.isdecimal() else inner[1:-1]
