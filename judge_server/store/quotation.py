"""Copies of a submission's texts beside its judgment: in items of jobs that have none, in labels and what was made of
them, and in drafts of rubrics. They are found by what they say, because nothing there refers to the judgment.
"""

import html
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, and_, select, update

from judge_server.core.submission import Submission
from judge_server.store.database import Run
from judge_server.store.measuring_schema import (
    COLLECTED_LABEL,
    EXAM,
    IMPROVEMENT,
    LABEL_PLAN,
    LABEL_SET,
    MEASURED,
    METADATA,
)
from judge_server.store.payload import TEXT_FIELDS
from judge_server.store.schema import RUBRIC_DRAFT
from judge_server.util.concurrency import cooperatively

ERASED: Final = "[erased]"
LEAST_CHARACTERS: Final = 12
"""Of a text that is looked for inside others: a shorter one may stand there by chance. Whole fields that say the same
as a text of a judgment are found however short they are, if their item is named after it."""
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is looked for: ids of judgments, and texts, the longest first."""

    ids: frozenset[str]
    texts: tuple[str, ...]

    @staticmethod
    def of(submissions: Mapping[str, Submission]) -> "Quoted":
        """By the ids of their judgments."""
        said = {text for one in submissions.values() for text in _said(one) if len(text) >= LEAST_CHARACTERS}
        written = {form for text in said for form in _written(text)}
        return Quoted(frozenset(submissions), tuple(sorted(written, key=len, reverse=True)))

    def is_in(self, value: Any) -> bool:
        return self.without(value) is not value

    def without(self, value: Any) -> Any:
        """A JSON value in which the texts are replaced; the value itself if none is in it."""
        if isinstance(value, str):
            return self._replaced(value)
        if isinstance(value, list):
            made = [self.without(one) for one in value]
            return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
        if isinstance(value, dict):
            own = self._named_in(value)
            new = {name: self._field(name, one, own) for name, one in value.items()}
            return new if any(new[name] is not one for name, one in value.items()) else value
        return value

    def _field(self, name: str, value: Any, own: bool) -> Any:
        if own and name in TEXT_FIELDS and isinstance(value, str) and value and value != ERASED:
            return ERASED
        return self.without(value)

    def _named_in(self, value: Mapping[str, Any]) -> bool:
        """Whether it is an item of labels that shows one of the judgments."""
        names = [value.get("id"), value.get("item"), *(value.get("judgments") or ())]
        return any(isinstance(name, str) and name in self.ids for name in names)

    def _replaced(self, value: str) -> str:
        if len(value) < LEAST_CHARACTERS:
            return value
        for text in self.texts:
            if len(text) <= len(value) and text in value:
                value = value.replace(text, ERASED)
        return value


def _written(text: str) -> Iterator[str]:
    """As files have it: plain, in HTML, in JSON, in CSV."""
    yield from (text, html.escape(text), html.escape(text, quote=False), text.replace('"', '""'))
    yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])


def _said(submission: Submission) -> Iterator[str]:
    """Every string in its texts."""
    for name in TEXT_FIELDS:
        given = getattr(submission, name)
        if given is not None:
            yield from _strings(given if isinstance(given, str) else [one.model_dump() for one in given])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if name in ("content", "reasoning", "arguments") or isinstance(one, list | tuple | Mapping):
                yield from _strings(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _strings(one)


class _Place(NamedTuple):
    """A column of JSON; ``zipped``: compressed by zlib, as label sets are."""

    column: Column[Any]
    zipped: bool = False

    @property
    def key(self) -> tuple[Column[Any], ...]:
        return tuple(METADATA.tables[self.table].primary_key.columns)

    @property
    def table(self) -> str:
        return str(self.column.table.name)

    def read(self, kept: Any) -> Any:
        return json.loads(zlib.decompress(kept) if self.zipped else kept)

    def written(self, value: Any) -> Any:
        made = json.dumps(value, separators=(",", ":"))
        return zlib.compress(made.encode(), 6) if self.zipped else made


_PLACES: Final = (
    _Place(COLLECTED_LABEL.c.payload),
    _Place(LABEL_PLAN.c["items"]),
    _Place(LABEL_SET.c.content, zipped=True),
    _Place(LABEL_SET.c.payload),
    *(_Place(IMPROVEMENT.c[name]) for name in ("terms", "progress", "proposals", "files")),
    _Place(RUBRIC_DRAFT.c.payload),
    _Place(MEASURED.c.report),
    _Place(EXAM.c.payload),
)


class Quotations:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def erase(self, quoted: Quoted) -> int:
        """Replace the texts wherever they are quoted; how many rows were changed. Rows are looked through beside the
        writing thread."""
        count = 0
        for place in _PLACES:
            for key in await self._read(partial(_quoting, place, quoted)):
                count += await self._write(partial(_change, place, quoted, key))
        return count

    async def erase_samples(self, author: str) -> int:
        """The responses on which an author tried drafts; in how many drafts there were some."""
        return await self._write(partial(_without_samples, author))


def _quoting(place: _Place, quoted: Quoted, connection: Connection) -> list[tuple[Any, ...]]:
    """Keys of rows that a change would change."""
    question = select(*place.key, place.column).where(place.column.is_not(None))
    rows = cooperatively(connection.execute(question.execution_options(yield_per=_AT_ONCE)))
    return [tuple(row[:-1]) for row in rows if quoted.is_in(place.read(row[-1]))]


def _change(place: _Place, quoted: Quoted, key: Sequence[Any], connection: Connection) -> bool:
    own = and_(*(column == value for column, value in zip(place.key, key, strict=True)))
    kept = connection.execute(select(place.column).where(own).with_for_update()).scalar_one_or_none()
    if kept is None:
        return False
    value = place.read(kept)
    made = quoted.without(value)
    if made is not value:
        connection.execute(update(place.column.table).where(own).values({place.column.name: place.written(made)}))
    return made is not value


def _without_samples(author: str, connection: Connection) -> int:
    column, count = RUBRIC_DRAFT.c, 0
    question = select(column.id, column.payload).where(column.author == author).with_for_update()
    for draft, payload in connection.execute(question).all():
        value = json.loads(payload)
        if value.pop("samples", None):
            connection.execute(update(RUBRIC_DRAFT).where(column.id == draft).values(payload=json.dumps(value)))
            count += 1
    return count
