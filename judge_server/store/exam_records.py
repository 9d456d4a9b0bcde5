"""Exams of judges that are over: kept, looked up, listed by judge."""

from sqlalchemy import Connection, select, tuple_

from judge_server.core.exam import ExamRecord
from judge_server.store.database import Run
from judge_server.store.measuring_schema import EXAM
from judge_server.store.page import Page, Position, check_limit
from judge_server.store.payload import decode, encode, microseconds
from judge_server.store.writing import insert_missing


class ExamRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def put(self, record: ExamRecord) -> None:
        judge = record.result.judge
        row = {
            "id": record.id,
            "created_us": microseconds(record.created_at),
            "judge": judge.name,
            "fingerprint": judge.fingerprint,
            "payload": encode(record),
        }
        await self._write(lambda connection: insert_missing(connection, EXAM, [row]))

    async def find(self, exam_id: str) -> ExamRecord | None:
        question = select(EXAM.c.payload).where(EXAM.c.id == exam_id)

        def work(connection: Connection) -> ExamRecord | None:
            payload = connection.execute(question).scalar_one_or_none()
            return None if payload is None else decode(ExamRecord, payload)

        return await self._read(work)

    async def listed(
        self, *, judge: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[ExamRecord]:
        """Newest first; ``judge``: only those of the judge of this name. Raises BadInput for a limit outside 1 to 1000
        or a cursor from another listing."""
        check_limit(limit)
        column = EXAM.c
        question = select(column.id, column.created_us, column.payload)
        if judge is not None:
            question = question.where(column.judge == judge)
        if cursor is not None:
            after = Position.of(cursor)
            question = question.where(tuple_(column.created_us, column.id) < (after.created_us, after.id))
        question = question.order_by(column.created_us.desc(), column.id.desc()).limit(limit + 1)

        def work(connection: Connection) -> Page[ExamRecord]:
            rows = connection.execute(question).all()
            items = tuple(decode(ExamRecord, row.payload) for row in rows[:limit])
            more = Position(rows[limit - 1].created_us, rows[limit - 1].id).cursor() if len(rows) > limit else None
            return Page(items, more)

        return await self._read(work)
