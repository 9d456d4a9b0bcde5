"""Takes judgments out of the database with everything that only they refer to: audits, texts, remembered verdicts, a
job's copy.

All SQL is of the driver, because everybody who stores a judgment meanwhile waits for it: building these statements anew
would take longer than they do.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from judge_server.store.payload import TEXT_FIELDS, escape, unescape
from judge_server.store.run_tally import RunTally, counted
from judge_server.store.trigrams import BLOCK
from judge_server.store.verdict_records import forget_verdicts
from judge_server.store.writing import numbered

_AT_ONCE: Final = 500
_UNUSED: Final = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM judgment WHERE judgment.{name} = text.id)"  # noqa: S608 constants
    for name in TEXT_FIELDS
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

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.judgments + other.judgments, self.texts + other.texts, self.verdicts + other.verdicts)


def remove(connection: Connection, ids: Sequence[str], verdicts: Sequence[str] = ()) -> Removed:
    """Whatever refers to them. ``verdicts``: keys of remembered verdicts; those on the same texts go with them."""
    found = _with_audits(connection, ids, "")
    _done(connection, "UPDATE job_item SET item = '{}' WHERE judgment_id IN", [one.id for one in found])
    of_runs = counted(connection, [unescape(one.id) for one in found])
    return _removed(connection, found, of_runs) + Removed(verdicts=forget_verdicts(connection, verdicts))


def remove_unpinned(connection: Connection, of_runs: Mapping[str, Mapping[str, Any] | None]) -> Removed:
    """``remove`` for those that no label, no queue for people and no job's result refers to. ``of_runs``: by id, what
    ``counted`` found before the transaction; that never changes. If the server of the database fails, they may come
    back: nobody waits until its disk has written that they are gone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
    found = _with_audits(connection, list(of_runs), f"AND NOT ({PINNED})")
    counting = (of_runs.get(one) for one in sorted({unescape(one.id) for one in found}))
    return _removed(connection, found, [row for row in counting if row is not None])


class _Found(NamedTuple):
    """``id`` and ``audit``: as they are stored. A judgment is found once for each of its audits."""

    id: str
    audit: str | None
    prompt: int | None
    response: int | None
    reference: int | None


def _with_audits(connection: Connection, ids: Sequence[str], condition: str) -> list[_Found]:
    """Those that are there and meet the condition, and their audits."""
    found = _found(connection, [escape(one) for one in ids], condition)
    return found + _found(connection, sorted({one.audit for one in found if one.audit is not None}), "")


def _found(connection: Connection, stored: Sequence[str], condition: str) -> list[_Found]:
    """In one row on SQLite: its driver gives the interpreter's lock away at each, and would wait up to 5 ms for it
    while the event loop works and the database is locked."""
    columns = "id, audit.judgment_id, prompt, response, reference"
    rest = "FROM judgment LEFT JOIN audit ON audited_id = id WHERE id IN"
    found: list[_Found] = []
    for some in _parts(stored):
        among = f"{rest} ({_marks(connection, len(some))}) {condition}"
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"SELECT json_group_array(json_array({columns})) {among}", some)
            found += (_Found(*one) for one in json.loads(rows.scalar_one()))
        else:
            found += (_Found(*one) for one in connection.exec_driver_sql(f"SELECT {columns} {among}", some))
    return found


def _removed(connection: Connection, found: Sequence[_Found], of_runs: Sequence[Mapping[str, Any]]) -> Removed:
    judgments = _done(connection, "DELETE FROM judgment WHERE id IN", sorted({one.id for one in found}))
    numbers = {number for one in found for number in (one.prompt, one.response, one.reference) if number is not None}
    texts = _done(connection, "DELETE FROM text WHERE id IN", sorted(numbers), f"AND {_UNUSED}")
    # what the search index says of their neighbours is found out anew
    blocks = sorted({number // BLOCK for number in numbers})
    _done(connection, "DELETE FROM text_block WHERE block IN", blocks)
    RunTally(numbered).withdraw(connection, of_runs)  # last, as those who write do it
    return Removed(judgments, texts)


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
