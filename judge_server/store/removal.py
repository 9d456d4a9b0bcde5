"""Takes judgments out of the database with everything that only they refer to: audits, texts, remembered verdicts, a
job's copy.

All SQL is of the driver, because everybody who stores a judgment meanwhile waits for it: building these statements anew
would take longer than they do.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from judge_server.store.page import Position
from judge_server.store.payload import TEXT_FIELDS, escape, unescape
from judge_server.store.run_withdrawal import Withdrawal, withdraw, withdrawal_of
from judge_server.store.trigrams import BLOCK
from judge_server.store.verdict_records import forget_verdicts

_AT_ONCE: Final = 500
_UNUSED: Final = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM judgment WHERE judgment.{name} = text.id)"  # noqa: S608 constants
    for name in TEXT_FIELDS
)
_NO_TEXT_LEFT: Final = (
    f"NOT EXISTS (SELECT 1 FROM text WHERE text.id >= text_block.block * {BLOCK} "  # noqa: S608 a constant
    f"AND text.id < (text_block.block + 1) * {BLOCK})"
)
PINNED: Final = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = judgment.id)"  # noqa: S608 constants
    for table, column in (("queue_item", "judgment_id"), ("collected_label", "item"), ("job_item", "judgment_id"))
)


@dataclass(frozen=True, slots=True)
class Removed:
    """``judgments`` include audits of those that were named."""

    judgments: int = 0
    texts: int = 0
    verdicts: int = 0
    job_items: int = 0
    quotations: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


def remove(connection: Connection, ids: Sequence[str], verdicts: Sequence[str] = ()) -> Removed:
    """Whatever refers to them. ``verdicts``: keys of remembered verdicts; those on the same texts go with them."""
    found = _with_audits(connection, [escape(one) for one in ids])
    _done(connection, "UPDATE job_item SET item = '{}' WHERE judgment_id IN", [one.id for one in found])
    gone = withdrawal_of(connection, [unescape(one.id) for one in found])
    removed = _removed(connection, found)
    # what the search index says of their neighbours is found out anew
    blocks = sorted({number // BLOCK for number in _texts_of(found)})
    _done(connection, "DELETE FROM text_block WHERE block IN", blocks)
    _reopen_blocks(connection)
    withdraw(connection, gone)  # last, as those who write do it
    return removed + Removed(verdicts=forget_verdicts(connection, verdicts))


@dataclass(frozen=True, slots=True)
class Batch:
    """Judgments that may be pruned in one transaction, with all that is looked up before it. ``last``: where the
    next batch begins. ``ids``: as they are stored, without their audits."""

    last: Position
    ids: tuple[str, ...]
    found: tuple["_Found", ...]
    gone: Withdrawal


def batch_of(connection: Connection, places: Sequence[Position]) -> Batch:
    """Reads only. ``places``: of at least one judgment."""
    ids = [one.id for one in places]
    stored = tuple(map(escape, ids))
    return Batch(places[-1], stored, tuple(_with_audits(connection, stored)), withdrawal_of(connection, ids))


def remove_batch(connection: Connection, batch: Batch) -> int:
    """How many judgments were removed with their audits; none if one of them was pinned, audited or removed since the
    batch was looked up. If the server of the database fails, they may come back: nobody waits until its disk has
    written that they are gone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
    if not _stands(connection, batch):
        return 0
    removed = _removed(connection, batch.found)
    blocks = sorted({number // BLOCK for number in _texts_of(batch.found)})
    # the others' places in the index stay, and what it says of texts that are gone harms no search
    _done(connection, "DELETE FROM text_block WHERE part > 0 AND block IN", blocks, f"AND {_NO_TEXT_LEFT}")
    _done(connection, "UPDATE text_block SET content = '' WHERE part = 0 AND block IN", blocks, f"AND {_NO_TEXT_LEFT}")
    _reopen_blocks(connection)
    withdraw(connection, batch.gone)
    return removed.judgments


def _stands(connection: Connection, batch: Batch) -> bool:
    lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""
    some = f"SELECT 1 FROM judgment WHERE id IN ({_marks(connection, len(batch.ids))}) AND NOT ({PINNED}){lock}"  # noqa: S608 marks and constants
    there = connection.exec_driver_sql(f"SELECT COUNT(*) FROM ({some}) AS unpinned", batch.ids).scalar_one()  # noqa: S608
    among = f"audited_id IN ({_marks(connection, len(batch.ids))})"
    audits = connection.exec_driver_sql(f"SELECT COUNT(judgment_id) FROM audit WHERE {among}", batch.ids).scalar_one()  # noqa: S608
    return bool(there == len(batch.ids) and audits == sum(one.audit is not None for one in batch.found))


def _reopen_blocks(connection: Connection) -> None:
    """SQLite gives the numbers of the newest texts again once they are gone: blocks from there on are not full."""
    connection.exec_driver_sql(
        f"DELETE FROM text_block WHERE block >= (SELECT COALESCE(MAX(id), 0) / {BLOCK} FROM text)"  # noqa: S608 a constant
    )


class _Found(NamedTuple):
    """``id`` and ``audit``: as they are stored. A judgment is found once for each of its audits."""

    id: str
    audit: str | None
    prompt: int | None
    response: int | None
    reference: int | None


def _with_audits(connection: Connection, stored: Sequence[str]) -> list[_Found]:
    """Those that are there, and their audits."""
    found = _found(connection, stored)
    return found + _found(connection, sorted({one.audit for one in found if one.audit is not None}))


def _found(connection: Connection, stored: Sequence[str]) -> list[_Found]:
    """In one row on SQLite: its driver gives the interpreter's lock away at each, and would wait up to 5 ms for it
    while the event loop works and the database is locked."""
    columns = "id, audit.judgment_id, prompt, response, reference"
    rest = "FROM judgment LEFT JOIN audit ON audited_id = id WHERE id IN"
    found: list[_Found] = []
    for some in _parts(stored):
        among = f"{rest} ({_marks(connection, len(some))})"
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"SELECT json_group_array(json_array({columns})) {among}", some)
            found += (_Found(*one) for one in json.loads(rows.scalar_one()))
        else:
            found += (_Found(*one) for one in connection.exec_driver_sql(f"SELECT {columns} {among}", some))
    return found


def _removed(connection: Connection, found: Sequence[_Found]) -> Removed:
    judgments = _done(connection, "DELETE FROM judgment WHERE id IN", sorted({one.id for one in found}))
    texts = _done(connection, "DELETE FROM text WHERE id IN", sorted(_texts_of(found)), f"AND {_UNUSED}")
    return Removed(judgments, texts)


def _texts_of(found: Sequence[_Found]) -> set[int]:
    return {number for one in found for number in (one.prompt, one.response, one.reference) if number is not None}


def _done(connection: Connection, before: str, values: Sequence[Any], after: str = "") -> int:
    """How many rows a statement with ``(values)`` in its middle changed."""
    return sum(
        connection.exec_driver_sql(f"{before} ({_marks(connection, len(some))}) {after}", some).rowcount
        for some in _parts(values)
    )


def _parts(values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    return (tuple(values[start : start + _AT_ONCE]) for start in range(0, len(values), _AT_ONCE))


def _marks(connection: Connection, count: int) -> str:
    """What stands for so many parameters in SQL of the driver."""
    return ",".join(["?" if connection.dialect.name == "sqlite" else "%s"] * count)
