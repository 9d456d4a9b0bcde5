"""Alarms: each is raised and cleared exactly once, even with several processes; and undelivered webhook transitions."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from judge_server.core.monitor import Alarm, MonitorFinding, Transition
from judge_server.store.database import Run
from judge_server.store.measuring_schema import ALARM, ALARM_TRANSITION
from judge_server.store.payload import decode, encode, microseconds, moment
from judge_server.store.row_values import values_of
from judge_server.store.writing import insert_missing

_MOST: Final = 1_000
_GONE: Final = "No longer seen: nothing of it was judged lately."


@dataclass(frozen=True, slots=True)
class Untold:
    """A transition that the webhook has not received, and the number of delivery ``attempts`` so far."""

    transition: Transition
    attempts: int


class AlarmRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def settle(
        self, findings: Sequence[MonitorFinding], *, tell: bool, forget_seconds: float
    ) -> list[Transition]:
        """Apply the findings of one survey and return the transitions, each once. A finding that is ok clears its
        alarm; too little evidence leaves it unchanged. An alarm is also cleared if its series no longer reports it, or
        if there was no finding about it for ``forget_seconds``. ``tell``: queue the transitions for the webhook."""
        now = datetime.now(UTC)
        return await self._write(lambda connection: _settle(connection, findings, now, forget_seconds, tell=tell))

    async def alarms(self, *, raised: bool | None = None) -> tuple[Alarm, ...]:
        """Raised alarms first, then by the latest change; at most 1,000."""
        question = select(ALARM).order_by(ALARM.c.raised.desc(), ALARM.c.changed_us.desc(), ALARM.c.key).limit(_MOST)
        if raised is not None:
            question = question.where(ALARM.c.raised == raised)
        return await self._read(values_of(question, _alarm))

    async def transitions(self, limit: int = 100) -> tuple[Transition, ...]:
        """Transitions, newest first."""
        order = (ALARM_TRANSITION.c.at_us.desc(), ALARM_TRANSITION.c.id)
        question = select(ALARM_TRANSITION).order_by(*order).limit(min(limit, _MOST))
        return await self._read(values_of(question, _transition))

    async def untold(self, limit: int = 100) -> tuple[Untold, ...]:
        """Transitions that are due for the webhook, oldest first."""
        column = ALARM_TRANSITION.c
        question = select(ALARM_TRANSITION).where(column.untold, column.next_us <= microseconds(datetime.now(UTC)))
        question = question.order_by(column.at_us, column.id).limit(limit)
        rows = await self._read(lambda connection: connection.execute(question).all())
        return tuple(Untold(_transition(row), row.attempts) for row in rows)

    async def told(self, transition_id: str) -> None:
        """Mark a transition as delivered or abandoned."""
        await self._change(transition_id, {"untold": False})

    async def postpone(self, transition_id: str, *, attempts: int, seconds: float) -> None:
        next_us = microseconds(datetime.now(UTC) + timedelta(seconds=seconds))
        await self._change(transition_id, {"attempts": attempts, "next_us": next_us})

    async def _change(self, transition_id: str, values: dict[str, Any]) -> None:
        change = update(ALARM_TRANSITION).where(ALARM_TRANSITION.c.id == transition_id).values(values)
        await self._write(lambda connection: connection.execute(change))


def _settle(
    connection: Connection, findings: Sequence[MonitorFinding], now: datetime, forget_seconds: float, *, tell: bool
) -> list[Transition]:
    now_us = microseconds(now)
    made: list[Transition] = []
    for one in sorted(_decided(connection, findings, now_us - int(forget_seconds * 1e6)), key=lambda one: one.key):
        raised = one.state == "alarm"
        row = {"key": one.key, "raised": False, "changed_us": now_us, "seen_us": now_us, "payload": encode(one)}
        if raised:
            insert_missing(connection, ALARM, [row])
        own = update(ALARM).where(ALARM.c.key == one.key)
        changed = own.where(ALARM.c.raised != raised).values(row | {"raised": raised})
        if connection.execute(changed).rowcount == 1:
            made.append(Transition(id=f"alt_{secrets.token_hex(12)}", raised=raised, at=now, finding=one))
        elif raised:
            connection.execute(own.values(seen_us=now_us, payload=encode(one)))
    if made:
        connection.execute(ALARM_TRANSITION.insert(), [_row(one, tell=tell) for one in made])
    return made


def _decided(connection: Connection, findings: Sequence[MonitorFinding], forgotten_us: int) -> Iterable[MonitorFinding]:
    """Findings that raise or clear an alarm; alarms without a finding are returned as ok."""
    spoken = {one.key for one in findings}
    looked_at = {one.series for one in findings}
    yield from (one for one in findings if one.state == "alarm")
    standing = {row.key: row for row in connection.execute(select(ALARM).where(ALARM.c.raised)).all()}
    yield from (one for one in findings if one.state == "ok" and not one.near and one.key in standing)
    for key, row in standing.items():
        finding = decode(MonitorFinding, row.payload)
        if key not in spoken and (finding.series in looked_at or row.seen_us < forgotten_us):
            yield finding.model_copy(update={"state": "ok", "text": _GONE})


def _row(one: Transition, *, tell: bool) -> dict[str, Any]:
    at_us = microseconds(one.at)
    return {
        "id": one.id,
        "key": one.finding.key,
        "raised": one.raised,
        "at_us": at_us,
        "payload": encode(one.finding),
        "untold": tell,
        "attempts": 0,
        "next_us": at_us,
    }


def _alarm(row: Row[Any]) -> Alarm:
    finding = decode(MonitorFinding, row.payload)
    return Alarm(raised=row.raised, changed_at=moment(row.changed_us), seen_at=moment(row.seen_us), finding=finding)


def _transition(row: Row[Any]) -> Transition:
    return Transition(id=row.id, raised=row.raised, at=moment(row.at_us), finding=decode(MonitorFinding, row.payload))
