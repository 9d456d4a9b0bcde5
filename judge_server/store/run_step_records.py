"""What the judgments of a run say step by step."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select

from judge_server.core.outcome import JudgmentStatus
from judge_server.store.database import Run
from judge_server.store.measuring_schema import AUDIT
from judge_server.store.run_records import NO_AUDIT
from judge_server.store.schema import JUDGMENT

MOST_STEPS = 5_000


@dataclass(frozen=True, slots=True)
class RunStep:
    """Counts and rewards of one step under one rubric and policy. ``rewards`` have a reward, with ``mean``, ``low`` and
    ``high``; ``flagged``: the guard flagged the response; ``first_us``: microseconds since 1970 in UTC."""

    rubric: str
    policy: str
    step: int
    judgments: int
    rewards: int
    partial: int
    flagged: int
    mean: float | None
    low: float | None
    high: float | None
    first_us: int


class RunStepRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def steps(self, run: str) -> tuple[RunStep, ...]:
        """By rubric and policy, then by step; the first 5,000. Judgments without a step, and audits, are left out."""
        column = JUDGMENT.c
        by = (column.rubric_id, column.policy, column.step)
        question = (
            select(
                *by,
                func.count().label("judgments"),
                func.count(column.reward).label("rewards"),
                func.sum(case((column.status == JudgmentStatus.PARTIAL.value, 1), else_=0)).label("partial"),
                func.sum(case((column.flags != "[]", 1), else_=0)).label("flagged"),
                func.avg(column.reward).label("mean"),
                func.min(column.reward).label("low"),
                func.max(column.reward).label("high"),
                func.min(column.created_us).label("first_us"),
            )
            .where(column.run == run, column.step.is_not(None), NO_AUDIT)
            .group_by(*by)
            .order_by(*by)
            .limit(MOST_STEPS)
        )
        rows = await self._read(lambda connection: connection.execute(question).all())
        return tuple(map(_step, rows))

    async def audits(self, run: str, limit: int) -> tuple[tuple[str, str], ...]:
        """The newest audits of a run's judgments: the audited judgment and the one that audits it."""
        question = (
            select(AUDIT.c.audited_id, AUDIT.c.judgment_id)
            .join(JUDGMENT, JUDGMENT.c.id == AUDIT.c.audited_id)
            .where(JUDGMENT.c.run == run, AUDIT.c.judgment_id.is_not(None))
            .order_by(AUDIT.c.created_us.desc(), AUDIT.c.audited_id)
            .limit(limit)
        )
        rows = await self._read(lambda connection: connection.execute(question).all())
        return tuple((row.audited_id, row.judgment_id) for row in rows)


def _step(row: Row[Any]) -> RunStep:
    return RunStep(
        rubric=row.rubric_id or "",
        policy=row.policy or "",
        step=row.step,
        judgments=row.judgments,
        rewards=row.rewards,
        partial=int(row.partial),
        flagged=int(row.flagged),
        mean=row.mean,
        low=row.low,
        high=row.high,
        first_us=row.first_us,
    )
