"""Rewards that a judge gave when it was asked again, beside those that a run got."""

from collections import defaultdict
from dataclasses import dataclass
from math import fsum
from typing import Any

from sqlalchemy import Connection, func, select

from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.store.database import Run
from judge_server.store.run_records import NO_AUDIT
from judge_server.store.schema import JUDGMENT, REASK
from judge_server.store.writing import insert_missing


@dataclass(frozen=True, slots=True)
class Reasked:
    """One rubric of a run. ``pairs``: prompt, first reward and second reward; ``failed``: asked again without a reward;
    ``groups`` of at least two rewards, reasked or not: prompt, sum of squared deviations from the mean, rewards - 1."""

    rubric: str
    pairs: tuple[tuple[str, float, float], ...]
    failed: int
    groups: tuple[tuple[str, float, int], ...]


class ReaskRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def keep(self, judgment: Judgment, submission: Submission, again: float | None) -> None:
        """``judgment``: stored, of a run, with a rubric and a reward."""
        row = {
            "judgment_id": judgment.id,
            "run": submission.run,
            "rubric_id": judgment.rubric.id if judgment.rubric else "",
            "prompt_key": submission.prompt_key,
            "reward": judgment.reward,
            "again": again,
        }
        await self._write(lambda connection: insert_missing(connection, REASK, [row]))

    async def count(self, run: str) -> int:
        question = select(func.count()).select_from(REASK).where(REASK.c.run == run)
        return await self._read(lambda connection: int(connection.execute(question).scalar_one()))

    async def of_run(self, run: str) -> tuple[Reasked, ...]:
        """By rubric id, sorted."""
        return await self._read(lambda connection: _of_run(connection, run))


def _of_run(connection: Connection, run: str) -> tuple[Reasked, ...]:
    by_rubric: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(select(REASK).where(REASK.c.run == run).order_by(REASK.c.judgment_id)):
        by_rubric[row.rubric_id].append(row)
    return tuple(
        Reasked(
            rubric=rubric,
            pairs=tuple((row.prompt_key, row.reward, row.again) for row in rows if row.again is not None),
            failed=sum(row.again is None for row in rows),
            groups=_groups(connection, run, rubric),
        )
        for rubric, rows in sorted(by_rubric.items())
    )


def _groups(connection: Connection, run: str, rubric: str) -> tuple[tuple[str, float, int], ...]:
    column = JUDGMENT.c
    question = select(column.prompt_key, column.group_name, column.step, column.reward)
    question = question.where(column.run == run, column.rubric_id == rubric, column.reward.is_not(None), NO_AUDIT)
    groups: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in connection.execute(question):
        groups[row.group_name or row.prompt_key, row.step, row.prompt_key].append(row.reward)
    return tuple(
        (prompt, fsum((reward - fsum(one) / len(one)) ** 2 for reward in one), len(one) - 1)
        for (_, _, prompt), one in groups.items()
        if len(one) > 1
    )
