"""The queue of judgments that people are to label."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, exists, select

from judge_server.core.audit_queue import Framed, QueueItem
from judge_server.core.monitor import Series
from judge_server.store.database import Run
from judge_server.store.measuring_schema import AUDIT, COLLECTED_LABEL, QUEUE_ITEM
from judge_server.store.observation import TimeRange
from judge_server.store.payload import microseconds, moment
from judge_server.store.row_values import values_of
from judge_server.store.schema import JUDGMENT
from judge_server.store.writing import insert_missing

MOST_FRAMED: Final = 20_000
_AT_ONCE: Final = 500


class QueueRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def frame(self, series: Series, span: TimeRange, label_set: str) -> tuple[Framed, ...]:
        """The newest judgments of a series that have a reward, are not audits and were not drawn for this label set
        before; among the 20,000 newest of its rubric, or of its judge."""
        question = _frame(series, span, label_set)
        return await self._read(
            values_of(question, lambda row: Framed(id=row.id, reward=row.reward, flagged=row.flags != "[]"))
        )

    async def put(self, label_set: str, items: Sequence[QueueItem]) -> None:
        rows = [
            {
                "label_set": label_set,
                "judgment_id": item.judgment,
                "drawn_us": microseconds(item.drawn_at),
                **item.model_dump(include={"stratum", "weight", "population", "sampled"}),
            }
            for item in items
        ]
        await self._write(lambda connection: insert_missing(connection, QUEUE_ITEM, rows))

    async def open_items(self, label_set: str, annotator: str | None, limit: int) -> tuple[QueueItem, ...]:
        """Items that this annotator has not labelled (without one: that nobody has labelled); oldest draw first."""
        column = QUEUE_ITEM.c
        said = exists().where(COLLECTED_LABEL.c.set_id == label_set, COLLECTED_LABEL.c.item == column.judgment_id)
        if annotator is not None:
            said = said.where(COLLECTED_LABEL.c.annotator == annotator)
        question = select(QUEUE_ITEM).where(column.label_set == label_set, ~said)
        question = question.order_by(column.drawn_us, column.judgment_id).limit(limit)
        return await self._read(values_of(question, _item))

    async def find(self, label_set: str, ids: Sequence[str]) -> dict[str, QueueItem]:
        """Those of ``ids`` that were drawn for the label set."""

        def work(connection: Connection) -> list[Row[Any]]:
            column = QUEUE_ITEM.c
            mine = select(QUEUE_ITEM).where(column.label_set == label_set)
            parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
            return [row for part in parts for row in connection.execute(mine.where(column.judgment_id.in_(part)))]

        return {row.judgment_id: _item(row) for row in await self._read(work)}


def _frame(series: Series, span: TimeRange, label_set: str) -> Select[Any]:
    column = JUDGMENT.c
    near = select(column.id).where(column.created_us >= microseconds(span.since))
    if span.until is not None:
        near = near.where(column.created_us < microseconds(span.until))
    whose = column.judge == series.judge if series.rubric is None else column.rubric_id == series.rubric
    newest = near.where(whose).order_by(column.created_us.desc(), column.id.desc()).limit(MOST_FRAMED).subquery()
    question = select(column.id, column.reward, column.flags).join(newest, newest.c.id == column.id)
    question = question.where(column.judge == series.judge, column.reward.is_not(None))
    if series.policy is not None:
        question = question.where(column.policy == series.policy)
    audits = exists().where(AUDIT.c.judgment_id == column.id)
    known = exists().where(QUEUE_ITEM.c.label_set == label_set, QUEUE_ITEM.c.judgment_id == column.id)
    return question.where(~audits, ~known)


def _item(row: Row[Any]) -> QueueItem:
    return QueueItem(
        judgment=row.judgment_id,
        stratum=row.stratum,
        weight=row.weight,
        population=row.population,
        sampled=row.sampled,
        drawn_at=moment(row.drawn_us),
    )
