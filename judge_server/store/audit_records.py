"""Which judgments are audited, and by which judgments. The work list is the store, so a restart loses nothing."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, delete, exists, literal, or_, select, tuple_, update

from judge_server.core.judgment import NO_JUDGE
from judge_server.store.database import Run
from judge_server.store.database_clock import in_us, now_us
from judge_server.store.measuring_schema import AUDIT, WATCH
from judge_server.store.page import Position
from judge_server.store.payload import SafeText, microseconds
from judge_server.store.row_values import values_of
from judge_server.store.schema import FORM, JUDGMENT, TEXT
from judge_server.store.writing import Judged, Rows, Writer, insert_missing

_HEALTH = "health"
_ROOM_BYTES = 65_536


class WatchRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def claim(self, name: str, worker: str, *, seconds: float) -> bool:
        """Whether ``worker`` holds the lease for the next ``seconds``; claiming again renews it."""

        def work(connection: Connection) -> bool:
            row = {"name": name, "worker": worker, "lease_us": 0, "position_us": 0, "position_id": ""}
            insert_missing(connection, WATCH, [row])
            free = or_(WATCH.c.worker == worker, WATCH.c.lease_us < now_us(connection))
            claimed = update(WATCH).where(WATCH.c.name == name, free)
            return connection.execute(claimed.values(worker=worker, lease_us=in_us(connection, seconds))).rowcount == 1

        return await self._write(work)

    async def release(self, name: str, worker: str) -> None:
        """Let another worker claim the task at once."""
        own = update(WATCH).where(WATCH.c.name == name, WATCH.c.worker == worker).values(lease_us=0)
        await self._write(lambda connection: connection.execute(own))

    async def place(self, name: str) -> Position:
        question = select(WATCH.c.position_us, WATCH.c.position_id).where(WATCH.c.name == name)
        row = await self._read(lambda connection: connection.execute(question).one_or_none())
        return Position() if row is None else Position(row.position_us, row.position_id)

    async def advance(self, name: str, worker: str, place: Position) -> None:
        """Store the progress of ``worker``, unless another worker has taken over."""
        own = update(WATCH).where(WATCH.c.name == name, WATCH.c.worker == worker)
        moved = own.values(position_us=place.created_us, position_id=place.id)
        await self._write(lambda connection: connection.execute(moved))


def prove_writable(connection: Connection) -> None:
    """Write one row, after a wait for the table of judgments if another session locks it."""
    connection.execute(delete(JUDGMENT).where(JUDGMENT.c.id == ""))
    row = {"name": _HEALTH, "worker": "", "lease_us": 0, "position_us": 0, "position_id": ""}
    insert_missing(connection, WATCH, [row])
    connection.execute(update(WATCH).where(WATCH.c.name == _HEALTH).values(position_us=now_us(connection)))


def prove_room(connection: Connection) -> None:
    """``prove_writable``, and that a table can grow: on a full disk a small row may still fit into a page that is
    there. The text is gone with the transaction."""
    prove_writable(connection)
    made = {"digest": secrets.token_bytes(16), "size": 0, "content": secrets.token_bytes(_ROOM_BYTES)}
    connection.execute(TEXT.insert(), [made])
    connection.execute(delete(TEXT).where(TEXT.c.digest == made["digest"]))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A judgment that may be audited. ``open``: it was made by a judge other than the audit judge, is not an audit
    itself, and has not been audited yet."""

    place: Position
    rubric_digest: str | None
    open: bool


class AuditRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run, writer: Writer) -> None:
        self._read = read
        self._write = write
        self._writer = writer

    async def candidates(self, judge: str, after: Position, *, limit: int, settled: timedelta) -> tuple[Candidate, ...]:
        """Judgments after a position that are older than ``settled``, oldest first, for an audit by ``judge``."""
        column = JUDGMENT.c
        mine = exists().where(AUDIT.c.audited_id == column.id, AUDIT.c.judge == judge)
        taken = exists().where(AUDIT.c.judgment_id == column.id) | mine
        place = tuple_(column.created_us, column.id)
        question = (
            select(column.id, column.created_us, column.judge, FORM.c.rubric_digest, taken.label("taken"))
            .join(FORM, FORM.c.id == column.form)
            .where(place > tuple_(literal(after.created_us, BigInteger), literal(after.id, SafeText)))
            .where(column.created_us < microseconds(datetime.now(UTC) - settled))
            .order_by(column.created_us, column.id)
            .limit(limit)
        )
        speechless = (None, NO_JUDGE.name, judge)

        def candidate(row: Row[Any]) -> Candidate:
            open_to_it = not row.taken and row.judge not in speechless
            return Candidate(Position(row.created_us, row.id), row.rubric_digest, open_to_it)

        return await self._read(values_of(question, candidate))

    async def keep(self, audited_id: str, judge: str, made: Judged | None) -> bool:
        """Keeps an audit together with the judgment that it is, or that there can be none. False if the judgment
        has been audited by ``judge`` meanwhile: then nothing is kept."""
        prepared = None if made is None else self._writer.prepared(made)
        rows = (
            prepared if isinstance(prepared, Rows) else None
        )  # an audit that cannot be written would be retried forever
        link = {
            "audited_id": audited_id,
            "judge": judge,
            "judgment_id": None if made is None or rows is None else made.judgment.id,
            "created_us": microseconds(datetime.now(UTC)),
        }

        def work(connection: Connection) -> bool:
            standing = select(AUDIT.c.judge).where(AUDIT.c.audited_id == audited_id, AUDIT.c.judge == judge)
            if connection.execute(standing).one_or_none() is not None:
                return False
            if rows is not None:
                self._writer.insert(connection, [rows], audits=True)
            insert_missing(connection, AUDIT, [link])
            return True

        return await self._write(work)
