"""What is erased on purpose or pruned with age, and what there is in the database."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    and_,
    func,
    literal,
    literal_column,
    not_,
    select,
    text,
    tuple_,
)

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
from judge_server.store.database_clock import now_us
from judge_server.store.measuring_schema import METADATA
from judge_server.store.page import Position
from judge_server.store.payload import SafeText, decode, encode, microseconds, moment
from judge_server.store.reading import tagged
from judge_server.store.removal import PINNED, Batch, Removed, batch_of, remove, remove_batch
from judge_server.store.run_tally import NO_AUDIT
from judge_server.store.schema import ERASURE, JUDGMENT, VERDICT_SOURCE
from judge_server.store.verdict_records import prunable_verdicts, prune_verdicts, remembered_verdicts
from judge_server.store.writing import KEY_DIGITS

AT_ONCE: Final = 200
_KINDS: Final[tuple[RetentionClass, ...]] = ("training", "evaluation", "audit")
_OF_KIND: Final[dict[RetentionClass, ColumnElement[bool]]] = {
    "training": and_(JUDGMENT.c.run.is_not(None), NO_AUDIT),
    "evaluation": and_(JUDGMENT.c.run.is_(None), NO_AUDIT),
    "audit": not_(NO_AUDIT),
}
_PINNED: Final = literal_column(f"({PINNED})", Boolean)
_MOST_COUNTED: Final = 10_000


class PrunedSome(NamedTuple):
    """``rows``: judgments, or texts with the verdicts that were remembered on them. ``seconds``: from the beginning of
    the transaction, in which no judgment could be committed, until the event loop heard of its end."""

    rows: int
    seconds: float


class StoredSince(NamedTuple):
    """``judgments``: how many. ``newest``: microseconds since 1970 in UTC."""

    judgments: int
    newest: int


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

    async def about(self, sources: Sequence[bytes]) -> tuple[str, ...]:
        """Keys of remembered verdicts, of 64 hexadecimal digits, by what they are about; of each row one."""
        column = VERDICT_SOURCE.c
        question = select(column.verdict).where(column.source.in_(sources)).distinct()
        found = await self._read(lambda connection: list(connection.execute(question).scalars()))
        return tuple(bytes(one).hex().ljust(KEY_DIGITS, "0") for one in found)

    async def remove(self, ids: Sequence[str], verdicts: Sequence[str] = ()) -> Removed:
        """In one transaction, whatever refers to them. ``verdicts``: keys of remembered verdicts; those on the
        same texts go with them."""
        return await self._write(lambda connection: remove(connection, ids, verdicts))

    async def record(self, wish: ErasureWish, removed: Removed, by: str) -> Erasure:
        made = Erasure(
            id=f"era_{secrets.token_hex(8)}",
            at=datetime.now(UTC),
            by=by,
            wish=wish,
            **asdict(removed),
        )
        row = {"id": made.id, "at_us": microseconds(made.at), "made_by": by, "payload": encode(made)}
        await self._write(lambda connection: connection.execute(ERASURE.insert(), [row]))
        return made

    async def acts(self, limit: int) -> tuple[Erasure, ...]:
        """Newest first."""
        question = select(ERASURE.c.payload).order_by(ERASURE.c.at_us.desc(), ERASURE.c.id.desc()).limit(limit)
        rows = await self._read(lambda connection: list(connection.execute(question).scalars()))
        return tuple(decode(Erasure, row) for row in rows)

    async def batch(self, kind: RetentionClass, before: datetime, after: Position, most: int) -> Batch | None:
        """At most ``most`` judgments of a class that are older and not pinned, the oldest first, beginning ``after``
        one; None if there is none."""
        created = JUDGMENT.c.created_us
        follows = tuple_(created, JUDGMENT.c.id) > tuple_(
            literal(after.created_us, BigInteger), literal(after.id, SafeText)
        )
        wanted = select(created, JUDGMENT.c.id).where(_older(kind, before), follows, ~_PINNED)
        wanted = wanted.order_by(created, JUDGMENT.c.id).limit(most)

        def work(connection: Connection) -> Batch | None:
            places = [Position(*row) for row in connection.execute(wanted)]
            return batch_of(connection, places) if places else None

        return await self._read(work)

    async def prune(self, batch: Batch) -> PrunedSome:
        """Remove all in one transaction; none if they are no longer what they were when they were looked up."""
        return await self._timed(lambda connection: remove_batch(connection, batch))

    async def stored_since(self, us: int | None) -> StoredSince:
        """Judgments that any server stored after ``us``, of which the newest has that time, or after now. At most
        10,000 are counted. Without ``us`` none are."""
        created = JUDGMENT.c.created_us
        newer = select(created).where(created > (us or 0)).order_by(created).limit(_MOST_COUNTED).subquery()
        question = select(func.count(), func.max(newer.c.created_us)).select_from(newer)

        def work(connection: Connection) -> StoredSince:
            now = now_us(connection)
            if us is None:
                return StoredSince(0, min(now, connection.execute(select(func.max(created))).scalar_one() or 0))
            count, newest = connection.execute(question).one()
            return StoredSince(count, min(now, us if newest is None else newest))

        return await self._read(work)

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
        return await self._timed(lambda connection: prune_verdicts(connection, before, most))

    async def prunable_verdicts(self, before: datetime) -> PrunedVerdicts:
        """What ``prune_verdicts`` would remove in the end."""
        return await self._read(lambda connection: prunable_verdicts(connection, before))

    async def statistics(self) -> DatabaseStatistics:
        return await self._read(_statistics)

    async def _timed(self, work: Callable[[Connection], int]) -> PrunedSome:
        began = 0.0

        def timed(connection: Connection) -> int:
            nonlocal began
            began = time.monotonic()
            return work(connection)

        rows = await self._write(timed)
        return PrunedSome(rows, time.monotonic() - began)


def _older(kind: RetentionClass, before: datetime) -> ColumnElement[bool]:
    return and_(JUDGMENT.c.created_us < microseconds(before), _OF_KIND[kind])


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
