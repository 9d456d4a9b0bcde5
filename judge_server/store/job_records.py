"""Durable jobs: received, claimed by one worker at a time, finished item by item, listed and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, delete, func, select, tuple_, update

from judge_server.core.errors import JobConflict, UploadStalled
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.core.judgment import Judgment
from judge_server.store.database import Run
from judge_server.store.database_clock import in_us, now_us
from judge_server.store.group_commit import GroupCommit
from judge_server.store.job_writing import Finished
from judge_server.store.judgment_row import columns_of, judgment_of
from judge_server.store.page import Page, Position, check_limit
from judge_server.store.payload import LONG_CHARACTERS, decode, encode, microseconds, moment, stored_apart
from judge_server.store.row_values import values_of
from judge_server.store.schema import FORM, JOB, JOB_ITEM, JUDGMENT
from judge_server.store.writing import insert_missing

_ENDED: Final = (JobStatus.DONE.value, JobStatus.CANCELLED.value)
_OPEN: Final = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)
_AT_ONCE: Final = 2_000
_GIVEN_UP: Final = -1  # a lease that no upload can extend


@dataclass(frozen=True, slots=True)
class JobItem:
    """``position`` counts from 0; ``text`` is JSON as it was sent."""

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Keyed:
    """A job begun under an idempotency key; ``digest`` of the upload, None while it is being received."""

    job: Job
    digest: str | None


class JobRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run, finishing: GroupCommit[Finished]) -> None:
        self._read = read
        self._write = write
        self._finishing = finishing

    async def begin(self, job: Job, *, priority: int, key: str | None, patience_seconds: float) -> None:
        """Begin a job whose items are still being received. It is deleted ``patience_seconds`` after the last
        ``extend`` or ``add``. Raises JobConflict if the key is taken."""
        row = {
            "id": job.id,
            "created_us": microseconds(job.created_at),
            "status": JobStatus.RECEIVING.value,
            "priority": priority,
            "caller": job.terms.caller,
            "terms": encode(job.terms),
            "idempotency_key": key,
            "total": 0,
            "ok": 0,
            "partial": 0,
            "failed": 0,
        }

        def work(connection: Connection) -> bool:
            insert_missing(connection, JOB, [row | {"lease_us": in_us(connection, patience_seconds)}])
            return connection.execute(select(JOB.c.id).where(JOB.c.id == job.id)).one_or_none() is not None

        if not await self._write(work):
            raise JobConflict(
                "Another request began a job with this Idempotency-Key a moment ago.",
                remedy="Wait a moment and send the same request again.",
            )

    async def extend(self, job_id: str, *, patience_seconds: float) -> None:
        """Renew the time limit of the upload. Raises UploadStalled if the job was given up in the meantime."""
        await self._write(lambda connection: _extend(connection, job_id, patience_seconds))

    async def add(self, job_id: str, items: Sequence[JobItem], *, patience_seconds: float) -> None:
        """Raises UploadStalled as ``extend`` does; then nothing is added."""
        rows = [{"job_id": job_id, "position": item.position, "item": item.text, "finished": False} for item in items]

        def work(connection: Connection) -> None:
            _extend(connection, job_id, patience_seconds)
            connection.execute(JOB_ITEM.insert(), rows)

        await self._write(work)

    async def seal(self, job_id: str, *, total: int, digest: str) -> Job:
        """Mark the job as complete; from here on it is durable. Raises UploadStalled as ``extend`` does."""
        sealed = _own(job_id).values(total=total, content_digest=digest, lease_us=0, status=JobStatus.QUEUED.value)

        def work(connection: Connection) -> Job:
            _extend(connection, job_id, 0.0)
            connection.execute(sealed)
            return _job(connection.execute(select(JOB).where(JOB.c.id == job_id)).one())

        return await self._write(work)

    async def discard(self, job_id: str) -> None:
        """Delete a job and its items, in parts; judgments stay."""
        part = select(JOB_ITEM.c.position).where(JOB_ITEM.c.job_id == job_id).limit(_AT_ONCE).scalar_subquery()
        some = delete(JOB_ITEM).where(JOB_ITEM.c.job_id == job_id, JOB_ITEM.c.position.in_(part))
        while await self._write(lambda connection: connection.execute(some).rowcount):
            pass
        await self._write(lambda connection: connection.execute(delete(JOB).where(JOB.c.id == job_id)))

    async def keyed(self, key: str) -> Keyed | None:
        question = select(JOB).where(JOB.c.idempotency_key == key)
        row = await self._read(lambda connection: connection.execute(question).one_or_none())
        return None if row is None else Keyed(_job(row), row.content_digest)

    async def find(self, job_id: str) -> Job | None:
        row = await self._read(lambda connection: connection.execute(_shown(job_id)).one_or_none())
        return None if row is None else _job(row)

    async def find_all(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those jobs that exist, by id."""
        question = select(JOB).where(JOB.c.id.in_(job_ids), JOB.c.status != JobStatus.RECEIVING.value)
        return {job.id: job for job in await self._read(values_of(question, _job))}

    async def jobs(
        self, *, status: str | None = None, limit: int = 100, cursor: str | None = None, caller: str | None = None
    ) -> Page[Job]:
        """Newest first; of one ``caller`` if given.

        Raises BadInput for a limit outside 1 to 1000 or a cursor from another listing."""
        check_limit(limit)
        after = None if cursor is None else Position.of(cursor)
        question = select(JOB).order_by(JOB.c.created_us.desc(), JOB.c.id.desc()).limit(limit + 1)
        if status is not None:
            question = question.where(JOB.c.status == status)
        if caller is not None:
            question = question.where(JOB.c.caller == caller)
        if after is not None:
            question = question.where(tuple_(JOB.c.created_us, JOB.c.id) < tuple_(after.created_us, after.id))
        found = await self._read(values_of(question, lambda row: (Position(row.created_us, row.id), _job(row))))
        return Page.of(found, limit)

    async def claim(self, worker: str, *, lease_seconds: float, most_each: int, most_of_class: int) -> tuple[Job, ...]:
        """Claim open jobs without a worker, oldest first, until the worker holds ``most_each`` jobs of each caller in
        each class and ``most_of_class`` jobs of each class. Callers are served in turn."""
        return await self._write(lambda connection: _claim(connection, worker, lease_seconds, most_each, most_of_class))

    async def renew(self, worker: str, job_ids: Sequence[str], *, lease_seconds: float) -> frozenset[str]:
        """Renew the leases; return the jobs that the worker still holds. The others were cancelled or taken over."""
        held = (JOB.c.id.in_(job_ids), JOB.c.worker == worker, JOB.c.status == JobStatus.RUNNING.value)

        def work(connection: Connection) -> frozenset[str]:
            connection.execute(update(JOB).where(*held).values(lease_us=in_us(connection, lease_seconds)))
            return frozenset(connection.execute(select(JOB.c.id).where(*held)).scalars())

        return await self._write(work)

    async def release(self, job_id: str, worker: str) -> None:
        """Let another worker take the job over at once."""
        await self._write(lambda connection: connection.execute(_held(job_id, worker).values(lease_us=0)))

    async def unfinished(self, job_id: str, *, after: int, limit: int) -> tuple[int, ...]:
        """Positions beyond ``after`` of items without a result, in order."""
        column = JOB_ITEM.c
        question = (
            select(column.position)
            .where(column.job_id == job_id, ~column.finished, column.position > after)
            .order_by(column.position)
            .limit(limit)
        )
        return tuple(await self._read(lambda connection: connection.execute(question).scalars().all()))

    async def item(self, job_id: str, position: int) -> str:
        """The JSON of one item as it was sent; empty if the job was forgotten in the meantime."""
        question = select(JOB_ITEM.c.item).where(JOB_ITEM.c.job_id == job_id, JOB_ITEM.c.position == position)
        return await self._read(lambda connection: connection.execute(question).scalar_one_or_none()) or ""

    async def finish(self, finished: Finished) -> None:
        """Return after the commit that holds the result, its judgment and the job's counts: all or none of them. An
        item that already has a result keeps it."""
        given = finished.submission
        if given is None or given.characters <= LONG_CHARACTERS:
            await self._finishing.add(finished)
        else:
            texts = await stored_apart(given, finished.caller)
            await self._finishing.add(replace(finished, texts=texts), alone=True)

    async def complete(self, job_id: str, worker: str, *, retention_seconds: float) -> bool:
        """Ends the job if every item has a result."""
        left = select(JOB_ITEM.c.position).where(JOB_ITEM.c.job_id == job_id, ~JOB_ITEM.c.finished).exists()

        def work(connection: Connection) -> bool:
            ended = _held(job_id, worker).where(~left).values(_end(connection, JobStatus.DONE, retention_seconds))
            return connection.execute(ended).rowcount == 1

        return await self._write(work)

    async def cancel(self, job_id: str, *, retention_seconds: float) -> Job | None:
        """Cancel a job. Finished items keep their results; an ended job does not change."""

        def work(connection: Connection) -> Job | None:
            open_job = _own(job_id).where(JOB.c.status.not_in(_ENDED))
            connection.execute(open_job.values(_end(connection, JobStatus.CANCELLED, retention_seconds)))
            row = connection.execute(_shown(job_id)).one_or_none()
            return None if row is None else _job(row)

        return await self._write(work)

    async def results(self, job_id: str, *, after: int, limit: int) -> tuple[tuple[int, Judgment | None], ...]:
        """Position and judgment of finished items in order, those beyond ``after``; None if it was deleted."""
        column = JOB_ITEM.c
        wanted = (column.job_id == job_id, column.finished, column.position > after)
        question = _with_judgments().where(*wanted).order_by(column.position).limit(limit)
        return await self._read(values_of(question, lambda row: (row.position, _result(row))))

    async def without_reward(self, job_id: str, most: int) -> tuple[tuple[int, Judgment, bool], ...]:
        """Position and judgment of the first ``most`` finished items without a reward, and whether it is stored as one
        or only with the item."""
        column = JOB_ITEM.c
        failed = JUDGMENT.c.id.is_not(None) & JUDGMENT.c.reward.is_(None)
        question = _with_judgments().where(column.job_id == job_id, column.finished)
        question = question.where(column.result.is_not(None) | failed).order_by(column.position).limit(most)
        found = await self._read(values_of(question, lambda row: (row.position, _result(row), not row.result)))
        return tuple((position, one, alone) for position, one, alone in found if one is not None)

    async def forget_expired(self) -> tuple[str, ...]:
        """Delete jobs whose retention has passed and abandoned uploads; return their ids. An upload that is extended at
        the same moment is either extended or deleted as a whole."""
        forgotten = await self._write(_give_up)
        for job_id in forgotten:
            await self.discard(job_id)
        return forgotten


def _give_up(connection: Connection) -> tuple[str, ...]:
    """Mark expired jobs so that nothing can revive them; they are then deleted in parts."""
    now = now_us(connection)
    lost = and_(JOB.c.status == JobStatus.RECEIVING.value, JOB.c.lease_us < now)
    expired = select(JOB.c.id).where(lost | (JOB.c.expires_us < now)).limit(_AT_ONCE)
    found = tuple(connection.execute(expired).scalars())
    if found:
        given_up = {"status": JobStatus.RECEIVING.value, "lease_us": _GIVEN_UP}
        connection.execute(update(JOB).where(JOB.c.id.in_(found)).values(given_up))
    return found


def _extend(connection: Connection, job_id: str, patience_seconds: float) -> None:
    alive = _own(job_id).where(JOB.c.status == JobStatus.RECEIVING.value, JOB.c.lease_us > _GIVEN_UP)
    if connection.execute(alive.values(lease_us=in_us(connection, patience_seconds))).rowcount != 1:
        raise UploadStalled(
            "The upload paused for so long that it was given up.",
            remedy="Send the whole request again, without pauses.",
        )


def _own(job_id: str) -> Any:
    return update(JOB).where(JOB.c.id == job_id)


def _held(job_id: str, worker: str) -> Any:
    return _own(job_id).where(JOB.c.worker == worker, JOB.c.status == JobStatus.RUNNING.value)


def _shown(job_id: str) -> Select[Any]:
    """A fully received job; one that is still being received is not shown."""
    return select(JOB).where(JOB.c.id == job_id, JOB.c.status != JobStatus.RECEIVING.value)


def _claim(
    connection: Connection, worker: str, lease_seconds: float, most_each: int, most_of_class: int
) -> tuple[Job, ...]:
    now = now_us(connection)
    held = (JOB.c.worker == worker) & (JOB.c.status == JobStatus.RUNNING.value) & (JOB.c.lease_us >= now)
    free = JOB.c.status.in_(_OPEN) & (JOB.c.lease_us < now)
    new = case((held, 0), else_=1)  # jobs that the worker already holds count first
    nth = func.row_number().over(
        partition_by=(JOB.c.priority, JOB.c.caller), order_by=(new, JOB.c.created_us, JOB.c.id)
    )
    own = select(JOB.c.id, JOB.c.priority, JOB.c.created_us, new.label("new"), nth.label("nth"))
    turn = own.where(held | free).subquery().c
    place = func.row_number().over(partition_by=turn.priority, order_by=(turn.new, turn.nth, turn.created_us, turn.id))
    placed = select(turn.id, turn.new, place.label("place")).where(turn.nth <= most_each).subquery().c
    chosen = select(placed.id).where(placed.new == 1, placed.place <= most_of_class)
    question = (
        select(JOB)
        .where(JOB.c.id.in_(chosen), free)
        .order_by(JOB.c.priority, JOB.c.created_us, JOB.c.id)
        .with_for_update(skip_locked=True)  # SQLite leaves this out: its one writer has the database to itself
    )
    rows = connection.execute(question).all()
    taken = {"worker": worker, "status": JobStatus.RUNNING.value, "lease_us": in_us(connection, lease_seconds)}
    if rows:
        connection.execute(update(JOB).where(JOB.c.id.in_([row.id for row in rows])).values(taken))
    return tuple(_job(row).model_copy(update={"status": JobStatus.RUNNING}) for row in rows)


def _end(connection: Connection, status: JobStatus, retention_seconds: float) -> dict[str, Any]:
    return {
        "status": status.value,
        "worker": None,
        "ended_us": now_us(connection),
        "expires_us": in_us(connection, retention_seconds),
    }


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        status=JobStatus(row.status),
        created_at=moment(row.created_us),
        ended_at=None if row.ended_us is None else moment(row.ended_us),
        expires_at=None if row.expires_us is None else moment(row.expires_us),
        terms=decode(JobTerms, row.terms),
        total=row.total,
        ok=row.ok,
        partial=row.partial,
        failed=row.failed,
    )


def _with_judgments() -> Select[Any]:
    column = JOB_ITEM.c
    question = select(column.position, column.judgment_id, column.result, *columns_of())
    question = question.select_from(JOB_ITEM.outerjoin(JUDGMENT, JUDGMENT.c.id == column.judgment_id))
    return question.outerjoin(FORM, FORM.c.id == JUDGMENT.c.form)


def _result(row: Row[Any]) -> Judgment | None:
    if row.result:
        return decode(Judgment, row.result)
    return None if row.content is None else judgment_of(row)
