"""Remembered verdicts as a whole: how many and from when; they are forgotten on purpose or with age."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from judge_server.core.erasure import PrunedVerdicts, RememberedVerdicts
from judge_server.store.payload import microseconds, moment
from judge_server.store.schema import VERDICT
from judge_server.store.writing import today, verdict_key

_KEYS_PER_QUESTION: Final = 500
_DAY_US: Final = 86_400 * 1_000_000


def forget_verdicts(connection: Connection, keys: Sequence[str]) -> int:
    """Remove all that was said of what was shown under ``keys``; the number of verdicts."""
    shown = sorted({verdict_key(key).shown for key in keys})
    return sum(
        _removed(connection, shown[start : start + _KEYS_PER_QUESTION])
        for start in range(0, len(shown), _KEYS_PER_QUESTION)
    )


def _removed(connection: Connection, shown: Sequence[bytes]) -> int:
    gone = delete(VERDICT).where(VERDICT.c.key.in_(shown)).returning(VERDICT.c.many)
    return sum(connection.execute(gone).scalars().all())


def prune_verdicts(connection: Connection, before: datetime, most: int) -> int:
    """Remove at most ``most`` rows from days before, the oldest first; the number of rows."""
    first = select(VERDICT.c.id, VERDICT.c.day).order_by(VERDICT.c.id).limit(most).subquery()
    old = select(first.c.id).where(_old(first.c.day, before))
    return connection.execute(delete(VERDICT).where(VERDICT.c.id.in_(old))).rowcount


def prunable_verdicts(connection: Connection, before: datetime) -> PrunedVerdicts:
    """What ``prune_verdicts`` would remove in the end."""
    question = select(func.coalesce(func.sum(VERDICT.c.many), 0)).where(_old(VERDICT.c.day, before))
    return PrunedVerdicts(before=before, verdicts=int(connection.execute(question).scalar_one()))


def remembered_verdicts(connection: Connection) -> RememberedVerdicts:
    column = VERDICT.c
    question = select(func.coalesce(func.sum(column.many), 0), func.min(column.day), func.max(column.day))
    count, *days = connection.execute(question).one()
    oldest, newest = (None if day is None else moment(day * _DAY_US) for day in days)
    return RememberedVerdicts(verdicts=int(count), oldest=oldest, newest=newest)


def _old(day: ColumnElement[int], before: datetime) -> ColumnElement[bool]:
    """Rows are numbered as they come, so the oldest are the first, without an index of days. A day to come was written
    by a clock that was wrong; it counts as old, so that it keeps no others in the table."""
    return or_(day < microseconds(before) // _DAY_US, day > today() + 1)
