"""Exams that run in the background, one at a time; results are kept in the store."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from judge_server.core.errors import JudgeServerError, NotFound, Overloaded, StoreUnavailable
from judge_server.core.exam import ExamRecord, ExamResult, new_exam_id
from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure
from judge_server.exam.sitting import ExamPlan, sit
from judge_server.judging.answer import Judge, Terms
from judge_server.models.protocol import Priority
from judge_server.store.exam_records import ExamRecords
from judge_server.util.deadline import wait_ends_at

_LOG = logging.getLogger(__name__)
_MOST_WAITING = 4
_MOST_REMEMBERED = 50
_AT_ONCE = 8


class ExamProgress(Frozen):
    """How far an exam is: ``done`` of ``questions``, which is known as soon as it has begun."""

    id: str
    status: Literal["running", "done", "failed"]
    created_at: datetime
    judge: str
    done: int = 0
    questions: int | None = None
    result: ExamResult | None = None
    error: Failure | None = None

    @staticmethod
    def over(record: ExamRecord) -> "ExamProgress":
        """An exam as the store keeps it."""
        result = record.result
        return ExamProgress(
            id=record.id,
            status="done",
            created_at=record.created_at,
            judge=result.judge.name,
            done=result.questions,
            questions=result.questions,
            result=result,
        )


class ExamList(Frozen):
    """Newest first. ``next_cursor`` is null on the last page."""

    exams: list[ExamProgress]
    next_cursor: str | None = None


@dataclass
class ExamRun:
    """An exam that runs, or has ended."""

    progress: ExamProgress
    task: "asyncio.Task[None] | None" = None

    def note(self, **changes: Any) -> None:
        self.progress = self.progress.model_copy(update=changes)

    def advance(self, done: int, questions: int) -> None:
        self.note(done=done, questions=questions)


@dataclass
class ExamRuns:
    """Runs one exam at a time, behind all other work of the model; up to 4 may wait. What is over is in ``records``;
    what runs and what failed is known here until the server stops."""

    records: ExamRecords
    _known: "OrderedDict[str, ExamRun]" = field(default_factory=OrderedDict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, judge: Judge, plan: ExamPlan) -> ExamProgress:
        """Start an exam. Raises Overloaded if too many are waiting."""
        waiting = sum(one.progress.status == "running" for one in self._known.values())
        if waiting >= _MOST_WAITING:
            raise Overloaded(
                f"{waiting} exams are under way.", remedy="Wait until one is done.", retry_after_seconds=60
            )
        made = ExamRun(
            ExamProgress(
                id=new_exam_id(),
                status="running",
                created_at=datetime.now(UTC),
                judge=judge.reference.name,
            )
        )
        self._known[made.progress.id] = made
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        made.task = asyncio.create_task(self._carry_out(made, judge, plan), name=made.progress.id)
        return made.progress

    async def find(self, exam_id: str) -> ExamProgress:
        """Raises NotFound."""
        if (running := self._known.get(exam_id)) is not None:
            return running.progress
        record = await self.records.find(exam_id)
        if record is None:
            raise NotFound(
                f"No exam has the id {exam_id!r}.",
                remedy="An exam that was under way when the server stopped is lost: begin it again.",
            )
        return ExamProgress.over(record)

    async def listed(self, judge: str | None, limit: int, cursor: str | None) -> ExamList:
        """Newest first, without failed pairs; ``judge``: of this name only. The first page begins with those that run
        or failed."""
        here = [one.progress for one in reversed(self._known.values()) if judge in (None, one.progress.judge)]
        kept = await self.records.listed(judge=judge, limit=limit, cursor=cursor)
        first = [] if cursor else [one for one in here if one.id not in {record.id for record in kept.items}]
        known = [*first, *map(ExamProgress.over, kept.items)]
        return ExamList(exams=[_brief(one) for one in known], next_cursor=kept.next_cursor)

    async def close(self) -> None:
        """Cancel the exams under way."""
        tasks = [one.task for one in self._known.values() if one.task is not None and not one.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, made: ExamRun, judge: Judge, plan: ExamPlan) -> None:
        wait_ends_at.set(None)  # the request that began it is answered
        try:
            async with self._turn:
                result = await sit(judge, plan, made.advance, _AT_ONCE, Terms(Priority.AUDIT))
            record = ExamRecord(id=made.progress.id, created_at=made.progress.created_at, result=result)
            made.note(status="done", result=result)
            await self.records.put(record)
            self._known.pop(made.progress.id, None)
        except StoreUnavailable as fault:
            _LOG.warning("the exam %s is known until the server stops only: %s", made.progress.id, fault)
        except JudgeServerError as fault:
            made.note(status="failed", error=Failure(type=fault.type, detail=str(fault)))
        except Exception as fault:  # noqa: BLE001 - reported to the caller who polls the exam
            _LOG.exception("the exam %s failed", made.progress.id)
            detail = f"The server failed with {type(fault).__name__}; the log has the details."
            made.note(status="failed", error=Failure(type=JudgeServerError.type, detail=detail))


def _brief(progress: ExamProgress) -> ExamProgress:
    if progress.result is None:
        return progress
    families = tuple(one.model_copy(update={"failed": ()}) for one in progress.result.families)
    return progress.model_copy(update={"result": progress.result.model_copy(update={"families": families})})
