"""What training runs are pinned to, and what their stored judgments say about them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    cast,
    delete,
    exists,
    func,
    literal,
    select,
)

from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import RubricReference
from judge_server.core.run import Pin, Pinned, RewardSource, RunChange, RunSummary
from judge_server.store.database import Run
from judge_server.store.payload import LARGEST, SafeText, microseconds, moment
from judge_server.store.run_schema import NO_STEP, REWARD_SOURCE, RUN_STEP, TRAINING_RUN
from judge_server.store.run_tally import SAME_SOURCE, RunTally, of_run
from judge_server.store.schema import FORM, JUDGMENT, RUN_CHANGE, RUN_PIN
from judge_server.store.writing import insert_missing, numbered

MOST_SOURCES: Final = 1_000
_MOST_CHANGES: Final = 1_000


@dataclass(frozen=True, slots=True)
class StandingPins:
    """``accepted``: values other than the pinned one that are recorded already."""

    pinned: tuple[Pin, ...]
    accepted: frozenset[Pin]


class RunRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def pins(self, run: str) -> StandingPins:
        return await self._read(lambda connection: _standing(connection, run))

    async def pin(self, run: str, pins: Sequence[Pin], step: int | None) -> StandingPins:
        """Pin what is not pinned yet under its kind and name; return what then stands."""
        row = {"run": run, "since_us": microseconds(datetime.now(UTC)), "step": _bounded(step)}
        rows = [row | {"kind": pin.kind, "name": pin.name, "value": pin.value} for pin in pins]

        def work(connection: Connection) -> StandingPins:
            insert_missing(connection, RUN_PIN, rows)
            return _standing(connection, run)

        return await self._write(work)

    async def accept(self, run: str, before: Pin, after: str, step: int | None, by: str) -> None:
        """Record that ``after`` answered instead of ``before``; once, however often it is called."""

        def work(connection: Connection) -> None:
            mine = (RUN_PIN.c.run == run) & (RUN_PIN.c.kind == before.kind) & (RUN_PIN.c.name == before.name)
            since = connection.execute(select(RUN_PIN.c.since_us).where(mine)).scalar_one_or_none()
            named = "\0".join((run, *before, after, str(since)))
            row = _change(run, "accepted", before, by) | {
                "id": sha256(named.encode("utf-8", "surrogatepass")).hexdigest(),
                "after": after,
                "step": _bounded(step),
            }
            insert_missing(connection, RUN_CHANGE, [row])

        await self._write(work)

    async def doubt(self, judges: Sequence[str], since: datetime, until: datetime, why: str) -> tuple[str, ...]:
        """Record in every run which of its judgments by these judges were made in that time; the runs' names."""
        column = JUDGMENT.c
        span = (column.created_us >= microseconds(since), column.created_us <= microseconds(until))
        question = (
            select(
                column.run,
                column.judge,
                FORM.c.fingerprint,
                func.min(column.step).label("first"),
                func.max(column.step).label("last"),
                func.count().label("judgments"),
            )
            .join(FORM, FORM.c.id == column.form)
            .where(column.run.is_not(None), column.judge.in_(judges), *span)
            .group_by(column.run, column.judge, FORM.c.fingerprint)
        )

        def work(connection: Connection) -> tuple[str, ...]:
            found = connection.execute(question).all()
            rows = [
                _change(one.run, "doubted", Pin("judge", one.judge, one.fingerprint or "none"), "judge-server")
                | {
                    "id": sha256(f"{one.run}\0{one.judge}\0{one.fingerprint}\0{since}".encode()).hexdigest(),
                    "step": one.first,
                    "reason": f"{one.judgments} judgments up to step {one.last}: {why}",
                }
                for one in found
            ]
            insert_missing(connection, RUN_CHANGE, rows)
            return tuple(sorted({one.run for one in found}))

        return await self._write(work)

    async def repin(self, run: str, reason: str, by: str) -> int:
        """Give up the pins of a run, so that the next judgment pins anew; the number given up."""

        def work(connection: Connection) -> int:
            pinned = _standing(connection, run).pinned
            rows = [_change(run, "repinned", pin, by) | {"reason": reason} for pin in pinned]
            insert_missing(connection, RUN_CHANGE, rows)
            connection.execute(delete(RUN_PIN).where(RUN_PIN.c.run == run))
            return len(rows)

        return await self._write(work)

    async def recount(self) -> int:
        """Make the sums over steps and groups of every run anew from the judgments; how many there are. Writers wait
        meanwhile."""
        return await self._write(RunTally(numbered).recount)

    async def summary(self, run: str, caller: str | None = None) -> RunSummary | None:
        """None for a run that has neither pins nor judgments. With ``caller`` only what rewarded that caller."""
        return await self._read(lambda connection: _summary(connection, run, caller))

    async def names(self, limit: int, caller: str | None = None) -> tuple[str, ...]:
        """Runs with pins, the latest pinned first; those that ``caller`` has judgments of, if one is given."""
        newest = func.max(RUN_PIN.c.since_us)
        question = select(RUN_PIN.c.run).group_by(RUN_PIN.c.run).order_by(newest.desc(), RUN_PIN.c.run).limit(limit)
        if caller is not None:
            question = question.where(_judged_by(caller, RUN_PIN.c.run))
        return tuple(await self._read(lambda connection: list(connection.execute(question).scalars())))

    async def judged_by(self, run: str, caller: str) -> bool:
        """Whether ``caller`` has a judgment of this run."""
        question = select(_judged_by(caller, literal(run, SafeText)))
        return bool(await self._read(lambda connection: connection.execute(question).scalar_one()))


def _judged_by(caller: str, run: ColumnElement[str]) -> ColumnElement[bool]:
    source = REWARD_SOURCE.c
    stands = exists().where(RUN_STEP.c.source == source.id)
    return exists().where(TRAINING_RUN.c.run == run, source.run == TRAINING_RUN.c.id, source.caller == caller, stands)


def _standing(connection: Connection, run: str) -> StandingPins:
    rows = connection.execute(select(RUN_PIN).where(RUN_PIN.c.run == run).order_by(RUN_PIN.c.kind, RUN_PIN.c.name))
    pinned = tuple(Pin(row.kind, row.name, row.value) for row in rows)
    accepted = select(RUN_CHANGE.c.kind, RUN_CHANGE.c.name, RUN_CHANGE.c.after)
    seen = connection.execute(accepted.where(RUN_CHANGE.c.run == run, RUN_CHANGE.c.act == "accepted"))
    return StandingPins(pinned, frozenset(Pin(row.kind, row.name, row.after) for row in seen))


def _change(run: str, act: str, before: Pin, by: str) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(16),
        "run": run,
        "act": act,
        "kind": before.kind,
        "name": before.name,
        "before": before.value,
        "after": None,
        "step": None,
        "at_us": microseconds(datetime.now(UTC)),
        "reason": None,
        "made_by": by,
    }


def _bounded(step: int | None) -> int | None:
    return None if step is None else min(step, LARGEST)


def _summary(connection: Connection, run: str, caller: str | None) -> RunSummary | None:
    pins = connection.execute(select(RUN_PIN).where(RUN_PIN.c.run == run).order_by(RUN_PIN.c.kind, RUN_PIN.c.name))
    pinned = tuple(
        Pinned(kind=row.kind, name=row.name, value=row.value, since=moment(row.since_us), step=row.step) for row in pins
    )
    changes = select(RUN_CHANGE).where(RUN_CHANGE.c.run == run).order_by(RUN_CHANGE.c.at_us, RUN_CHANGE.c.id)
    changed = tuple(_run_change(row) for row in connection.execute(changes.limit(_MOST_CHANGES)))
    sources = [_source(row) for row in connection.execute(_sources(run, caller))]
    if not (pinned or changed or sources):
        return None
    left_out = max(0, len(sources) - MOST_SOURCES)
    return RunSummary(
        run=run, pins=pinned, changes=changed, sources=tuple(sources[:MOST_SOURCES]), more_sources=left_out
    )


def _run_change(row: Row[Any]) -> RunChange:
    return RunChange(
        act=row.act,
        kind=row.kind,
        name=row.name,
        before=row.before,
        after=row.after,
        step=row.step,
        at=moment(row.at_us),
        reason=row.reason,
        by=row.made_by,
    )


def _sources(run: str, caller: str | None) -> Select[Any]:
    """Grouped by everything that decides a reward."""
    step, same = RUN_STEP.c, [REWARD_SOURCE.c[name] for name in SAME_SOURCE]
    first, named = func.min(step.first_us).label("first_us"), func.nullif(step.step, NO_STEP)
    sums = ("judgments", "rewards", *(one.value for one in JudgmentStatus))
    return (
        select(
            *same,
            first,
            func.max(step.last_us).label("last_us"),
            func.min(named).label("first_step"),
            func.max(named).label("last_step"),
            func.count(named.distinct()).label("steps"),
            *(cast(func.sum(step[name]), BigInteger).label(name) for name in sums),
            (func.sum(step.reward) / func.nullif(func.sum(step.rewards), 0)).label("mean_reward"),
        )
        .join(REWARD_SOURCE, REWARD_SOURCE.c.id == step.source)
        .where(of_run(run, caller))
        .group_by(*same)
        .order_by(first)
    )


def _source(row: Row[Any]) -> RewardSource:
    rubric = None
    if row.rubric_id is not None:
        rubric = RubricReference(id=row.rubric_id, version=row.rubric_version, digest=row.rubric_digest)
    return RewardSource(
        rubric=rubric,
        first_at=moment(row.first_us),
        last_at=moment(row.last_us),
        **{name: getattr(row, name) for name in _AS_STORED},
    )


_AS_STORED: Final = (
    *("judge", "fingerprint", "maps", "guard", "first_step", "last_step", "steps", "judgments"),
    *("ok", "partial", "failed", "rewards", "mean_reward"),
)
