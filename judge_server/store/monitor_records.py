"""Queries of the monitors over stored judgments. Each reads a bounded number of rows, regardless of the table's
size."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, exists, select

from judge_server.core.judgment import NO_JUDGE
from judge_server.core.monitor import Series
from judge_server.store.database import Run
from judge_server.store.judgment_row import columns_of, with_texts
from judge_server.store.measuring_schema import AUDIT
from judge_server.store.observation import (
    MOST_SUBMISSION_CHARACTERS,
    Audited,
    Observed,
    TimeRange,
    Windows,
    audited,
    observed,
    split,
)
from judge_server.store.schema import FORM, JUDGMENT
from judge_server.util.concurrency import cooperatively

_SCANNED: Final = 20_000
_SCANNED_FOR_ONE: Final = 10
_AT_ONCE: Final = 200
_POLICIES: Final = 4
_SHOWN: Final = ("prompt", "response")


@dataclass(frozen=True, slots=True)
class _Edition:
    """What must be constant within a comparison: the judge's fingerprint and, for a series of one rubric, its
    content."""

    fingerprint: str | None
    digest: str | None


@dataclass(slots=True)
class _Taken:
    rows: dict[str, Any] = field(default_factory=dict)
    edition: _Edition | None = None


class MonitorRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def series(self, span: TimeRange, *, least: int, most: int, rubric: str | None = None) -> tuple[Series, ...]:
        """Series with enough judgments in ``span`` to be monitored, largest first: by judge over all rubrics, by rubric
        and judge, and by policy if a rubric has several. Reads the newest 20,000 judgments."""
        return await self._read(lambda connection: _series(connection, span, least, most, rubric))

    async def windows(self, series: Series, span: TimeRange, window: int) -> Windows:
        """The newest and the oldest ``window`` judgments of a series in ``span``, restricted to the newest judgment's
        judge and rubric content; audits are left out."""
        return await self._read(lambda connection: _windows(connection, series, span, window))

    async def audits(self, series: Series, span: TimeRange, window: int) -> tuple[tuple[Audited, ...], ...]:
        """Baseline and recent window of the judgments of a series that were audited, each paired with its audit."""
        return await self._read(lambda connection: _audits(connection, series, span, window))


def _series(connection: Connection, span: TimeRange, least: int, most: int, rubric: str | None) -> tuple[Series, ...]:
    column = JUDGMENT.c
    question = select(column.rubric_id, column.judge, column.policy).where(*span.holds(column.created_us), _no_audit())
    if rubric is not None:
        question = question.where(column.rubric_id == rubric)
    question = question.order_by(column.created_us.desc(), column.id.desc()).limit(_SCANNED)
    rows = [row for row in connection.execute(question) if row.judge is not None]
    whole = Counter((row.rubric_id, row.judge) for row in rows if row.rubric_id is not None)
    judges = Counter(row.judge for row in rows)
    found = [
        (count, Series(rubric=None, judge=judge))
        for judge, count in judges.items()
        if rubric is None and judge != NO_JUDGE.name and sum(judge == one for _, one in whole) > 1
    ]
    found += [(count, Series(rubric=of, judge=judge)) for (of, judge), count in whole.items()]
    by_policy = Counter((row.rubric_id, row.judge, row.policy) for row in rows if row.policy and row.rubric_id)
    for of, judge in whole:
        several = [(count, policy) for (one, by, policy), count in by_policy.items() if (one, by) == (of, judge)]
        if len(several) > 1:
            several.sort(key=lambda pair: (-pair[0], pair[1]))
            found += [(count, Series(rubric=of, judge=judge, policy=policy)) for count, policy in several[:_POLICIES]]
    found.sort(key=lambda pair: (-pair[0], pair[1].name))
    return tuple(one for count, one in found if count >= least)[:most]


def _windows(connection: Connection, series: Series, span: TimeRange, window: int) -> Windows:
    taken = _Taken()
    for newest in (True, False):
        for row in _read(connection, _window(series, span, window, newest)):
            edition = _Edition(row.fingerprint, None if series.rubric is None else row.rubric_digest)
            taken.edition = taken.edition or edition
            if edition == taken.edition and row.id not in taken.rows:
                taken.rows[row.id] = observed(row)
    rows: list[Observed] = sorted(taken.rows.values(), key=lambda one: (one.created_us, one.id))
    return Windows(*split(rows, window))


def _window(series: Series, span: TimeRange, window: int, newest: bool) -> Select[Any]:
    """Find the ids on an index, then read the long columns of at most ``window`` rows."""
    column = JUDGMENT.c
    order = (column.created_us.desc(), column.id.desc()) if newest else (column.created_us, column.id)
    scanned = select(column.id, column.judge, column.policy, column.created_us).where(*span.holds(column.created_us))
    if series.rubric is None:
        scanned = scanned.where(column.judge == series.judge)
    else:
        scanned = scanned.where(column.rubric_id == series.rubric)
    near = scanned.order_by(*order).limit(window * _SCANNED_FOR_ONE).subquery("near")
    wanted = select(near.c.id).where(near.c.judge == series.judge)
    if series.policy is not None:
        wanted = wanted.where(near.c.policy == series.policy)
    wanted = wanted.where(~exists().where(AUDIT.c.judgment_id == near.c.id))
    place = (near.c.created_us.desc(), near.c.id.desc()) if newest else (near.c.created_us, near.c.id)
    chosen = wanted.order_by(*place).limit(window).subquery("chosen")
    question = (
        select(*columns_of(), column.prompt_key, FORM.c.rubric_digest, FORM.c.fingerprint)
        .select_from(JUDGMENT)
        .join(FORM, FORM.c.id == column.form)
    )
    question = question.join(chosen, chosen.c.id == column.id)
    return with_texts(question, _SHOWN, MOST_SUBMISSION_CHARACTERS).order_by(*order)


def _audits(connection: Connection, series: Series, span: TimeRange, window: int) -> tuple[tuple[Audited, ...], ...]:
    rows: dict[str, Audited] = {}
    judge = None
    for newest in (True, False):
        for row in _read(connection, _pairs(series, span, window, newest)):
            judge = judge or row.audit_judge
            pair = audited(row) if row.audit_judge == judge else None
            if pair is not None:
                rows[row.id] = pair
    return split(sorted(rows.values(), key=lambda one: (one.created_us, one.id)), window)


def _pairs(series: Series, span: TimeRange, window: int, newest: bool) -> Select[Any]:
    trained, auditing, other_form = JUDGMENT, JUDGMENT.alias("auditing"), FORM.alias("other_form")
    first, second = AUDIT.c.created_us, AUDIT.c.audited_id
    order = (first.desc(), second.desc()) if newest else (first, second)
    near = (
        select(AUDIT.c.audited_id, AUDIT.c.judgment_id, AUDIT.c.created_us, AUDIT.c.judge)
        .where(*span.holds(AUDIT.c.created_us), AUDIT.c.judgment_id.is_not(None))
        .order_by(*order)
        .limit(window * _SCANNED_FOR_ONE)
        .subquery("near")
    )
    column = trained.c
    question = (
        select(
            *columns_of(),
            column.prompt_key,
            near.c.judge.label("audit_judge"),
            *columns_of(auditing, other_form, "auditing_"),
        )
        .select_from(near)
        .join(trained, column.id == near.c.audited_id)
        .join(FORM, FORM.c.id == column.form)
        .join(auditing, auditing.c.id == near.c.judgment_id)
        .join(other_form, other_form.c.id == auditing.c.form)
        .where(column.judge == series.judge)
    )
    if series.rubric is not None:
        question = question.where(column.rubric_id == series.rubric)
    if series.policy is not None:
        question = question.where(column.policy == series.policy)
    place = (near.c.created_us.desc(), near.c.audited_id.desc()) if newest else (near.c.created_us, near.c.audited_id)
    return question.order_by(*place).limit(window)


def _read(connection: Connection, question: Select[Any]) -> Iterable[Row[Any]]:
    """Read a few rows at a time, so that the long texts are never all in memory."""
    return cooperatively(connection.execute(question.execution_options(yield_per=_AT_ONCE)))


def _no_audit() -> Any:
    return ~exists().where(AUDIT.c.judgment_id == JUDGMENT.c.id)
