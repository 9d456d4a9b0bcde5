"""Rubrics as the server lists, checks, publishes and compares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from judge_client.judgment import RubricReference


@dataclass(frozen=True)
class RubricEntry:
    """One rubric of the listing: its newest version, and which versions there are."""

    id: str
    version: str
    versions: tuple[str, ...]
    title: str
    criteria: int
    digest: str
    domain: str | None = None
    authors: tuple[str, ...] = ()
    published: bool = False
    review: str = "unreviewed"


@dataclass(frozen=True)
class RubricList:
    rubrics: tuple[RubricEntry, ...]


@dataclass(frozen=True)
class RubricDocument:
    """``rubric`` as plain data, with the digest that judgments name it by. ``review``: what is recorded about this
    version."""

    reference: RubricReference
    versions: tuple[str, ...]
    rubric: dict[str, Any]
    review: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """``line`` and ``column`` count from 1."""

    rule: str
    severity: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class Validation:
    """``valid``: the rubric can be used."""

    valid: bool
    findings: tuple[Finding, ...]
    reference: RubricReference | None = None


@dataclass(frozen=True)
class Published:
    """``new`` is false if the same content was published before."""

    reference: RubricReference
    new: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Change:
    """``criterion`` is None for the rubric itself; ``step`` is the version step that the change asks for;
    ``told``: what is new, in words."""

    kind: str
    step: str
    told: str
    criterion: str | None = None
    field: str | None = None
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Difference:
    old: RubricReference
    new: RubricReference
    changes: tuple[Change, ...]
    step: str
    suggested_version: str
