"""Rewards that a judge gave when it was asked again, beside those that a run got."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.store.database import Run
from judge_server.store.observation import TimeRange
from judge_server.store.run_tally import NO_AUDIT
from judge_server.store.schema import JUDGMENT, REASK
from judge_server.store.writing import insert_missing

_NEWEST_PAIRS: Final = 2_000
_NEWEST: Final = 8_000  # of more, the pairs alone would decide how wide an interval is


@dataclass(frozen=True, slots=True)
class Reasked:
    """One rubric of a run. ``pairs``: prompt, first reward and second reward; ``failed``: asked again without a reward;
    ``groups`` of at least two rewards, reasked or not: prompt, sum of squared deviations from the mean, rewards - 1."""

    rubric: str
    pairs: tuple[tuple[str, float, float], ...]
    failed: int
    groups: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True, slots=True)
class RecentReasks:
    """One run and judge under one rubric, in a span of time."""

    run: str
    judge: str
    found: Reasked


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

    async def of_run(self, run: str, caller: str | None = None) -> tuple[Reasked, ...]:
        """By rubric id, sorted: the newest 2,000 that were asked again, and groups of the newest 8,000 judgments; of
        those of ``caller``, if one is given."""
        return await self._read(lambda connection: _of_run(connection, run, caller))

    async def recent(self, span: TimeRange, *, most: int, rubric: str | None = None) -> tuple[RecentReasks, ...]:
        """Of judgments in ``span``: of the newest 2,000 that were asked again, and for their groups of the newest
        8,000. The ``most`` runs, rubrics and judges with most pairs."""
        return await self._read(lambda connection: _recent(connection, span, most, rubric))


def _recent(connection: Connection, span: TimeRange, most: int, rubric: str | None) -> tuple[RecentReasks, ...]:
    column = JUDGMENT.c
    question = (
        select(REASK, column.judge)
        .join(JUDGMENT, column.id == REASK.c.judgment_id)
        .where(*span.holds(column.created_us), column.judge.is_not(None))
        .order_by(column.created_us.desc(), column.id)
        .limit(_NEWEST_PAIRS)
    )
    if rubric is not None:
        question = question.where(REASK.c.rubric_id == rubric)
    parts: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in connection.execute(question):
        parts[row.run, row.rubric_id, row.judge].append(row)
    largest = sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))[:most]
    within = span.holds(column.created_us)
    return tuple(
        RecentReasks(
            run, judge, _reasked(rubric_id, rows, _groups(connection, run, rubric_id, column.judge == judge, *within))
        )
        for (run, rubric_id, judge), rows in largest
    )


def _of_run(connection: Connection, run: str, caller: str | None) -> tuple[Reasked, ...]:
    by_rubric: dict[str, list[Any]] = defaultdict(list)
    column = JUDGMENT.c
    question = select(REASK).join(JUDGMENT, column.id == REASK.c.judgment_id).where(REASK.c.run == run)
    if caller is not None:
        question = question.where(column.caller == caller)
    for row in connection.execute(question.order_by(column.created_us.desc(), column.id).limit(_NEWEST_PAIRS)):
        by_rubric[row.rubric_id].append(row)
    own = () if caller is None else (column.caller == caller,)
    return tuple(
        _reasked(rubric, rows, _groups(connection, run, rubric, *own)) for rubric, rows in sorted(by_rubric.items())
    )


def _reasked(rubric: str, rows: Sequence[Any], groups: tuple[tuple[str, float, int], ...]) -> Reasked:
    pairs = tuple((row.prompt_key, row.reward, row.again) for row in rows if row.again is not None)
    return Reasked(rubric, pairs, len(rows) - len(pairs), groups)


def _groups(
    connection: Connection, run: str, rubric: str, *own: ColumnElement[bool]
) -> tuple[tuple[str, float, int], ...]:
    """Of the newest judgments for which ``own`` holds."""
    column = JUDGMENT.c
    question = select(column.prompt_key, column.group_name, column.step, column.reward)
    question = question.where(column.run == run, column.rubric_id == rubric, column.reward.is_not(None), NO_AUDIT)
    newest = question.where(*own).order_by(column.created_us.desc()).limit(_NEWEST).subquery("newest")
    reward, by = newest.c.reward, (newest.c.prompt_key, newest.c.group_name, newest.c.step)
    sums = {"many": func.count(), "total": func.sum(reward), "squares": func.sum(reward * reward)}
    sums |= {"low": func.min(reward), "high": func.max(reward)}
    groups = select(newest.c.prompt_key, *(one.label(name) for name, one in sums.items()))
    rows = connection.execute(groups.group_by(*by).having(func.count() > 1))
    return tuple((row.prompt_key, _squared_deviations(row), row.many - 1) for row in rows)


def _squared_deviations(row: Any) -> float:
    """Of the rewards of a group from their mean. Rounding leaves dust, which equal rewards must not have."""
    if row.low == row.high:
        return 0.0
    return max(0.0, float(row.squares - row.total * row.total / row.many))
