"""Attempts to improve a judge: claimed by one worker at a time, so that one outlives the server that began it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Row, Select, select, tuple_, update

from judge_server.store.database import Run
from judge_server.store.database_clock import in_us, now_us
from judge_server.store.measuring_schema import IMPROVEMENT
from judge_server.store.page import Page, Position, check_limit
from judge_server.store.payload import microseconds, moment
from judge_server.store.row_values import values_of
from judge_server.store.writing import insert_missing

ImprovementStatus = Literal["queued", "running", "done", "failed", "cancelled"]
STATUSES: Final[tuple[ImprovementStatus, ...]] = get_args(ImprovementStatus)
_OPEN: Final = ("queued", "running")
_COLUMN: Final = IMPROVEMENT.c


def new_improvement_id() -> str:
    return f"imp_{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class KeptImprovement:
    """``terms`` and ``progress``: JSON, which is the server's."""

    id: str
    created_at: datetime
    status: ImprovementStatus
    terms: str
    progress: str


class ImprovementRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def begin(self, one: KeptImprovement, *, most_open: int) -> bool:
        """Keep a new one, unless so many wait or run."""
        row = {
            "id": one.id,
            "created_us": microseconds(one.created_at),
            "status": one.status,
            "lease_us": 0,
            "terms": one.terms,
            "progress": one.progress,
            "proposals": "{}",
        }
        waiting = select(_COLUMN.id).where(_COLUMN.status.in_(_OPEN)).limit(most_open)

        def work(connection: Connection) -> bool:
            if len(connection.execute(waiting).all()) >= most_open:
                return False
            insert_missing(connection, IMPROVEMENT, [row])
            return True

        return await self._write(work)

    async def find(self, improvement_id: str) -> KeptImprovement | None:
        question = _shown().where(_COLUMN.id == improvement_id)
        row = await self._read(lambda connection: connection.execute(question).one_or_none())
        return None if row is None else _kept(row)

    async def listed(self, *, limit: int = 100, cursor: str | None = None) -> Page[KeptImprovement]:
        """Newest first. Raises BadInput for a limit outside 1 to 1000 or a cursor from another listing."""
        check_limit(limit)
        question = _shown().order_by(_COLUMN.created_us.desc(), _COLUMN.id.desc()).limit(limit + 1)
        if cursor is not None:
            after = Position.of(cursor)
            question = question.where(tuple_(_COLUMN.created_us, _COLUMN.id) < tuple_(after.created_us, after.id))
        found = await self._read(values_of(question, lambda row: (Position(row.created_us, row.id), _kept(row))))
        return Page.of(found, limit)

    async def claim(self, worker: str, *, lease_seconds: float) -> KeptImprovement | None:
        """The oldest one that waits, or whose worker is gone; from now on it is this worker's."""

        def work(connection: Connection) -> KeptImprovement | None:
            free = (_COLUMN.status.in_(_OPEN), _COLUMN.lease_us < now_us(connection))
            question = _shown().where(*free).order_by(_COLUMN.created_us, _COLUMN.id).limit(1)
            row = connection.execute(question.with_for_update(skip_locked=True)).one_or_none()
            if row is None:
                return None
            taken = {"worker": worker, "status": "running", "lease_us": in_us(connection, lease_seconds)}
            connection.execute(update(IMPROVEMENT).where(_COLUMN.id == row.id).values(taken))
            return _kept(row)

        return await self._write(work)

    async def proposals(self, improvement_id: str) -> str:
        question = select(_COLUMN.proposals).where(_COLUMN.id == improvement_id)
        return await self._read(lambda connection: connection.execute(question).scalar_one_or_none()) or "{}"

    async def files(self, improvement_id: str) -> str | None:
        """JSON of the result's texts by file name; None until there is one."""
        question = select(_COLUMN.files).where(_COLUMN.id == improvement_id)
        return await self._read(lambda connection: connection.execute(question).scalar_one_or_none())

    async def keep(self, improvement_id: str, worker: str, *, lease_seconds: float, **changed: str) -> bool:
        """Change columns and renew the lease; False if the worker holds it no more: it was cancelled, or taken over."""

        def work(connection: Connection) -> bool:
            lease = in_us(connection, lease_seconds)
            return connection.execute(_held(improvement_id, worker).values(lease_us=lease, **changed)).rowcount == 1

        return await self._write(work)

    async def end(self, improvement_id: str, worker: str, status: ImprovementStatus, **changed: str) -> bool:
        """As ``keep``; afterwards nobody holds it."""
        ended = _held(improvement_id, worker).values(status=status, worker=None, **changed)
        return await self._write(lambda connection: connection.execute(ended).rowcount == 1)

    async def release(self, improvement_id: str, worker: str) -> None:
        """Let another worker go on with it at once."""
        freed = _held(improvement_id, worker).values(lease_us=0)
        await self._write(lambda connection: connection.execute(freed))

    async def cancel(self, improvement_id: str) -> None:
        """One that is over does not change."""
        ended = update(IMPROVEMENT).where(_COLUMN.id == improvement_id, _COLUMN.status.in_(_OPEN))
        values = {"status": "cancelled", "worker": None}
        await self._write(lambda connection: connection.execute(ended.values(values)))


def _shown() -> Select[Any]:
    return select(_COLUMN.id, _COLUMN.created_us, _COLUMN.status, _COLUMN.terms, _COLUMN.progress)


def _held(improvement_id: str, worker: str) -> Any:
    mine = (_COLUMN.worker == worker, _COLUMN.status == "running")
    return update(IMPROVEMENT).where(_COLUMN.id == improvement_id, *mine)


def _kept(row: Row[Any]) -> KeptImprovement:
    status = next(one for one in STATUSES if one == row.status)
    return KeptImprovement(row.id, moment(row.created_us), status, row.terms, row.progress)
