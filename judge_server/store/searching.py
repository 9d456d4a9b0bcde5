"""Judgments whose texts hold a piece of text, newest first, by the index of trigrams and by reading what it leaves."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, or_, select

from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.store.judgment_row import judgment_of, submission_of, submitted_columns, with_texts
from judge_server.store.page import Page, Position
from judge_server.store.payload import TEXT_FIELDS
from judge_server.store.reading import Filter, judgments_with_forms, position_of, rows_of
from judge_server.store.schema import JUDGMENT
from judge_server.store.search_records import candidates, holding

MOST_READ: Final = 2_000
"""Judgments whose texts one page reads."""
_MOST_PASSED: Final = 100_000
_FEW_TEXTS: Final = 1_000
_FIRST_CHUNK, _LARGER_BY, _LARGEST_CHUNK = 256, 8, 16_384
_AT_ONCE: Final = 64


def found_by_text(
    connection: Connection, wanted: Filter, text: str, limit: int, after: Position | None
) -> Page[Judgment]:
    """At most 2,000 judgments are read and 100,000 passed, so that a page may hold fewer than ``limit`` although more
    follow."""
    numbers = candidates(connection, text)
    if numbers is not None and len(numbers) <= _FEW_TEXTS:
        return _of_few(connection, wanted, holding(connection, sorted(numbers), text), text, limit, after)
    return _of_many(connection, wanted, _any if numbers is None else numbers.__contains__, text, limit, after)


def _any(_: int) -> bool:
    return True


def holds(submission: Submission, text: str) -> bool:
    """Whether a text that the submission shows to a judge contains ``text``, ignoring case."""
    return any(text.casefold() in one.casefold() for one in submission.texts())


def _of_few(
    connection: Connection, wanted: Filter, numbers: Sequence[int], text: str, limit: int, after: Position | None
) -> Page[Judgment]:
    """Judgments that refer to one of these texts."""
    if not numbers:
        return Page(())
    refers = or_(*(JUDGMENT.c[name].in_(numbers) for name in TEXT_FIELDS))
    rows = rows_of(connection, _with_submissions().where(refers), wanted, limit, after)
    found = tuple(judgment_of(row) for row in rows[:limit] if holds(submission_of(row), text))
    return Page(found, position_of(rows[limit - 1]).cursor() if len(rows) > limit else None)


def _of_many(
    connection: Connection, wanted: Filter, may: Callable[[int], bool], text: str, limit: int, after: Position | None
) -> Page[Judgment]:
    """By going through the judgments, of which only those with a text that may hold it are read."""
    light: Select[Any] = select(JUDGMENT.c.id, JUDGMENT.c.created_us, *(JUDGMENT.c[name] for name in TEXT_FIELDS))
    found: list[Judgment] = []
    read, passed, chunk, place = 0, 0, _FIRST_CHUNK, after
    while True:
        rows = rows_of(connection, light, wanted, chunk, after)
        ids = [row.id for row in rows[:chunk] if any(may(number) for number in _texts_of(row))]
        for row in _whole(connection, ids):
            if place is not None and (len(found) == limit or read == MOST_READ):
                return Page(tuple(found), place.cursor())
            read, place = read + 1, position_of(row)
            if holds(submission_of(row), text):
                found.append(judgment_of(row))
        if len(rows) <= chunk:
            return Page(tuple(found))
        after = place = position_of(rows[chunk - 1])
        passed += chunk
        if passed >= _MOST_PASSED or len(found) == limit:
            return Page(tuple(found), after.cursor())
        chunk = min(chunk * _LARGER_BY, _LARGEST_CHUNK)


def _texts_of(row: Row[Any]) -> Iterator[int]:
    return (number for number in (row.prompt, row.response, row.reference) if number is not None)


def _whole(connection: Connection, ids: Sequence[str]) -> Iterator[Row[Any]]:
    """The rows with all their texts in the same order, some at a time."""
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        rows = {row.id: row for row in connection.execute(_with_submissions().where(JUDGMENT.c.id.in_(some)))}
        yield from (rows[one] for one in some if one in rows)


def _with_submissions() -> Select[Any]:
    return with_texts(judgments_with_forms(*submitted_columns()[-2:]))
