"""Removing judgments with everything that only they refer to: audits, texts, remembered verdicts, a job's copy."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, not_, or_, select, text, update

from judge_server.core.erasure import (
    DatabaseStatistics,
    Erasure,
    ErasureWish,
    JudgmentAge,
    Pruned,
    PrunedVerdicts,
    RetentionClass,
    TableSize,
)
from judge_server.store.database import Run
from judge_server.store.measuring_schema import AUDIT, COLLECTED_LABEL, METADATA, QUEUE_ITEM
from judge_server.store.payload import TEXT_FIELDS, decode, encode, microseconds, moment
from judge_server.store.reading import tagged
from judge_server.store.run_tally import NO_AUDIT, RunTally, counted
from judge_server.store.schema import ERASURE, JOB_ITEM, JUDGMENT, TEXT
from judge_server.store.search_records import forget
from judge_server.store.verdict_records import (
    forget_verdicts,
    prunable_verdicts,
    prune_verdicts,
    remembered_verdicts,
)
from judge_server.store.writing import numbered

AT_ONCE: Final = 200
_KINDS: Final[tuple[RetentionClass, ...]] = ("training", "evaluation", "audit")
_OF_KIND: Final[dict[RetentionClass, ColumnElement[bool]]] = {
    "training": and_(JUDGMENT.c.run.is_not(None), NO_AUDIT),
    "evaluation": and_(JUDGMENT.c.run.is_(None), NO_AUDIT),
    "audit": not_(NO_AUDIT),
}
_PINNED: Final = or_(
    exists().where(QUEUE_ITEM.c.judgment_id == JUDGMENT.c.id),
    exists().where(COLLECTED_LABEL.c.item == JUDGMENT.c.id),
    exists().where(JOB_ITEM.c.judgment_id == JUDGMENT.c.id),
)


@dataclass(frozen=True, slots=True)
class Removed:
    """``judgments`` include audits of those that were named."""

    judgments: int = 0
    texts: int = 0
    verdicts: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.judgments + other.judgments, self.texts + other.texts, self.verdicts + other.verdicts)


class PrunedSome(NamedTuple):
    """``rows``: judgments, or texts with the verdicts that were remembered on them. ``seconds``: how long the
    transaction took, in which no judgment could be committed."""

    rows: int
    seconds: float


class ErasureRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def matching(self, wish: ErasureWish) -> tuple[str, ...]:
        """Ids of at most 200 judgments that match; call again after they are removed."""
        columns = {"judgment": "id", "submission": "submission_id", "group": "group_name"}
        given = wish.model_dump(exclude={"reason", "tag"}, exclude_none=True)
        same = [JUDGMENT.c[columns.get(name, name)] == value for name, value in given.items()]
        if wish.tag is not None:
            same.append(tagged(wish.tag))
        question = select(JUDGMENT.c.id).where(*same).order_by(JUDGMENT.c.id).limit(AT_ONCE)
        return tuple(await self._read(lambda connection: list(connection.execute(question).scalars())))

    async def remove(self, ids: Sequence[str], verdicts: Sequence[str] = ()) -> Removed:
        """In one transaction, whatever refers to them. ``verdicts``: keys of remembered verdicts; those on the
        same texts go with them."""
        return await self._write(lambda connection: _remove(connection, ids, verdicts))

    async def record(self, wish: ErasureWish, removed: Removed, by: str) -> Erasure:
        made = Erasure(
            id=f"era_{secrets.token_hex(8)}",
            at=datetime.now(UTC),
            by=by,
            wish=wish,
            judgments=removed.judgments,
            texts=removed.texts,
            verdicts=removed.verdicts,
        )
        row = {"id": made.id, "at_us": microseconds(made.at), "made_by": by, "payload": encode(made)}
        await self._write(lambda connection: connection.execute(ERASURE.insert(), [row]))
        return made

    async def acts(self, limit: int) -> tuple[Erasure, ...]:
        """Newest first."""
        question = select(ERASURE.c.payload).order_by(ERASURE.c.at_us.desc(), ERASURE.c.id.desc()).limit(limit)
        rows = await self._read(lambda connection: list(connection.execute(question).scalars()))
        return tuple(decode(Erasure, row) for row in rows)

    async def prune(self, kind: RetentionClass, before: datetime, most: int = AT_ONCE) -> PrunedSome:
        """Remove at most ``most`` judgments of a class that are older and not pinned, the oldest first."""
        wanted = select(JUDGMENT.c.id).where(_older(kind, before), ~_PINNED)
        wanted = wanted.order_by(JUDGMENT.c.created_us, JUDGMENT.c.id).limit(most)

        def work(connection: Connection) -> PrunedSome:
            began = time.monotonic()
            ids = list(connection.execute(wanted).scalars())
            count = _remove(connection, ids, ()).judgments if ids else 0
            return PrunedSome(count, time.monotonic() - began)

        return await self._write(work)

    async def prunable(self, kind: RetentionClass, before: datetime) -> Pruned:
        """What ``prune`` would remove in the end."""

        def work(connection: Connection) -> Pruned:
            older = select(func.count()).select_from(JUDGMENT).where(_older(kind, before))
            pinned = int(connection.execute(older.where(_PINNED)).scalar_one())
            count = int(connection.execute(older).scalar_one()) - pinned
            return Pruned(kind=kind, before=before, judgments=count, pinned=pinned)

        return await self._read(work)

    async def prune_verdicts(self, before: datetime, most: int = AT_ONCE) -> PrunedSome:
        """Forget what judges said of at most ``most`` texts on days before, the oldest first."""

        def work(connection: Connection) -> PrunedSome:
            began = time.monotonic()
            return PrunedSome(prune_verdicts(connection, before, most), time.monotonic() - began)

        return await self._write(work)

    async def prunable_verdicts(self, before: datetime) -> PrunedVerdicts:
        """What ``prune_verdicts`` would remove in the end."""
        return await self._read(lambda connection: prunable_verdicts(connection, before))

    async def statistics(self) -> DatabaseStatistics:
        return await self._read(_statistics)


def _older(kind: RetentionClass, before: datetime) -> ColumnElement[bool]:
    return and_(JUDGMENT.c.created_us < microseconds(before), _OF_KIND[kind])


def _remove(connection: Connection, ids: Sequence[str], verdicts: Sequence[str]) -> Removed:
    made = select(AUDIT.c.judgment_id).where(AUDIT.c.audited_id.in_(ids), AUDIT.c.judgment_id.is_not(None))
    every = sorted({*ids, *connection.execute(made).scalars()})
    mine = JUDGMENT.c.id.in_(every)
    rows = connection.execute(select(*(JUDGMENT.c[name] for name in TEXT_FIELDS)).where(mine)).all()
    numbers = sorted({number for row in rows for number in row if number is not None})
    connection.execute(update(JOB_ITEM).where(JOB_ITEM.c.judgment_id.in_(every)).values(item="{}"))
    of_runs = counted(connection, every)
    count = connection.execute(delete(JUDGMENT).where(mine)).rowcount
    texts = sum(connection.execute(delete(TEXT).where(*_orphans(some))).rowcount for some in _parts(numbers))
    forget(connection, numbers)
    forgotten = forget_verdicts(connection, verdicts)
    RunTally(numbered).withdraw(connection, of_runs)  # last, as those who write do it
    return Removed(count, texts, forgotten)


def _orphans(numbers: Sequence[int]) -> list[ColumnElement[bool]]:
    used = [~exists().where(JUDGMENT.c[name] == TEXT.c.id) for name in TEXT_FIELDS]
    return [TEXT.c.id.in_(numbers), *used]


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _statistics(connection: Connection) -> DatabaseStatistics:
    return DatabaseStatistics(
        judgments=tuple(_age(connection, kind) for kind in _KINDS),
        remembered=remembered_verdicts(connection),
        tables=tuple(sorted(_sizes(connection), key=lambda one: (-(one.bytes or 0), one.table))),
    )


def _age(connection: Connection, kind: RetentionClass) -> JudgmentAge:
    created = JUDGMENT.c.created_us
    row = connection.execute(select(func.count(), func.min(created), func.max(created)).where(_OF_KIND[kind])).one()
    oldest, newest = (None if one is None else moment(one) for one in row[1:])
    return JudgmentAge(kind=kind, judgments=row[0], oldest=oldest, newest=newest)


def _sizes(connection: Connection) -> Iterator[TableSize]:
    sizes = _sqlite_sizes(connection) if connection.dialect.name == "sqlite" else None
    for name, table in METADATA.tables.items():
        rows = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        if connection.dialect.name == "sqlite":
            size = None if sizes is None else sizes.get(name, 0)
        else:
            size = int(connection.execute(select(func.pg_total_relation_size(name))).scalar_one())
        yield TableSize(table=name, rows=rows, bytes=size)


def _sqlite_sizes(connection: Connection) -> dict[str, int] | None:
    """By table, with its indexes; None if this SQLite has no dbstat."""
    built = {row[0] for row in connection.execute(text("PRAGMA compile_options"))}
    if "ENABLE_DBSTAT_VTAB" not in built:
        return None
    question = text(
        "SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_schema m ON m.name = d.name GROUP BY m.tbl_name"
    )
    return {row[0]: int(row[1]) for row in connection.execute(question)}
