"""Sums over the judgments of a training run, by step and by group, so that a run is shown without reading them.

They change in the transaction that writes or removes the judgments, so what they say is what ``recount`` would find.
Audits are left out: they have the coordinates of what they audit, and reward nothing.

Two processes may add to one row at once: the database adds. ``run_withdrawal`` takes out again what is removed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    case,
    delete,
    exists,
    func,
    select,
    text,
)

from judge_server.core.outcome import JudgmentStatus
from judge_server.store.database import insert_rows
from judge_server.store.measuring_schema import AUDIT
from judge_server.store.run_schema import NO_STEP, REWARD_SOURCE, RUN_GROUP, RUN_STEP, TRAINING_RUN
from judge_server.store.schema import FORM, JUDGMENT

Row = dict[str, Any]
Key = tuple[Any, ...]
Numbered = Callable[[Connection, Table, Mapping[bytes, Row]], dict[bytes, int]]
NO_AUDIT: Final = ~exists().where(AUDIT.c.judgment_id == JUDGMENT.c.id)
"""An audit has the coordinates of what it audits, and rewards nothing."""
IN_FORM: Final = ("rubric_version", "rubric_digest", "fingerprint", "maps", "guard")
SAME_SOURCE: Final = ("rubric_id", "judge", *IN_FORM)
"""What decides a reward."""
_SOURCE: Final = ("policy", "caller", *SAME_SOURCE)
STEP_KEY: Final = ("source", "step")
GROUP_KEY: Final = ("run", "prompt_key", "step", "group_key")
STEP_SUMS: Final = ("judgments", "ok", "partial", "failed", "flagged", "rewards", "reward")
GROUP_SUMS: Final = ("rewards", "without", "reward")
_MOST_KNOWN: Final = 10_000
_AT_ONCE: Final = 500


def group_key(name: str | None) -> bytes:
    return b"" if name is None else _digest(["group", name], 8)


@lru_cache(maxsize=1_024)
def run_digest(run: str) -> bytes:
    return _digest(["run", run], 16)


def of_run(run: str, caller: str | None = None) -> ColumnElement[bool]:
    """Sources of the run, or of this caller in it: a condition on reward_source."""
    own = select(TRAINING_RUN.c.id).where(TRAINING_RUN.c.digest == run_digest(run)).scalar_subquery()
    whole = REWARD_SOURCE.c.run == own
    return whole if caller is None else whole & (REWARD_SOURCE.c.caller == caller)


def _digest(named: list[Any], size: int) -> bytes:
    return blake2b(json.dumps(named).encode(), digest_size=size).digest()


class RunTally:
    """``numbered``: gives rows of a table numbers by their digests, after it inserted those that are missing. Numbers
    are remembered once they are told to ``settle`` after the commit; nobody ever removes them."""

    def __init__(self, numbered: Numbered) -> None:
        self._numbered = numbered
        self._known: dict[Key, int] = {}
        self._new: dict[Key, int] = {}

    def settle(self, new: Mapping[Key, int]) -> None:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(new)

    def add(self, connection: Connection, judged: Iterable[tuple[Row | None, object]]) -> Mapping[Key, int]:
        """The numbers that are new. ``judged``: rows of judgments of runs that were just written, with their forms."""
        self._new = {}
        whole = [(row or {}) | {name: getattr(form, name) for name in IN_FORM} for row, form in judged]
        steps, groups = self._sums(connection, whole)
        insert_rows(connection, RUN_STEP, ordered(steps), _adding(RUN_STEP))
        insert_rows(connection, RUN_GROUP, ordered(groups), _adding(RUN_GROUP))
        return self._new

    def recount(self, connection: Connection) -> int:
        """Make every sum anew from the judgments; how many steps and groups there are. Writers wait meanwhile."""
        if connection.dialect.name != "sqlite":
            connection.execute(text("LOCK TABLE judgment, run_step, run_group IN SHARE ROW EXCLUSIVE MODE"))
        self._new = {}
        for table in (RUN_STEP, RUN_GROUP):
            connection.execute(delete(table))
        steps = [self.step_row(connection, row) for row in connection.execute(steps_again()).mappings()]
        groups = [self.group_row(connection, row) for row in connection.execute(groups_again()).mappings()]
        for table, rows in ((RUN_STEP, steps), (RUN_GROUP, groups)):
            for start in range(0, len(rows), _AT_ONCE):
                connection.execute(table.insert(), rows[start : start + _AT_ONCE])
        return len(steps) + len(groups)

    def step_row(self, connection: Connection, row: RowMapping) -> Row:
        """Of run_step, from one of ``steps_again``."""
        sums = {column.name: row.get(column.name) for column in RUN_STEP.c}
        placed = {"source": self.source(connection, row), "step": step_of(row["step"])}
        return sums | placed | ({} if row["step"] is not None else {"low": None, "high": None})

    def group_row(self, connection: Connection, row: RowMapping) -> Row:
        """Of run_group, from one of ``groups_again``."""
        sums = {name: row[name] for name in ("prompt_key", *GROUP_SUMS, "low", "high")}
        placed = {"run": self.run(connection, row["run"]), "step": step_of(row["step"])}
        return sums | placed | {"group_key": group_key(row["group_name"])}

    def _sums(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> tuple[dict[Key, Row], dict[Key, Row]]:
        steps: dict[Key, Row] = {}
        groups: dict[Key, Row] = {}
        for one in rows:
            step = step_of(one["step"])
            _count(steps, dict(zip(STEP_KEY, (self.source(connection, one), step), strict=True)), _step_counts(one))
            if one["prompt_key"] is not None and (one["step"] is not None or one["group_name"] is not None):
                place = (self.run(connection, one["run"]), one["prompt_key"], step, group_key(one["group_name"]))
                _count(groups, dict(zip(GROUP_KEY, place, strict=True)), _group_counts(one))
        return steps, groups

    def run(self, connection: Connection, run: str) -> int:
        return self._number(connection, TRAINING_RUN, (run,), {"run": run}, run_digest(run))

    def source(self, connection: Connection, one: RowMapping | Mapping[str, Any]) -> int:
        run = self.run(connection, one["run"])
        named = {"run": run, **{name: one[name] for name in _SOURCE}}
        return self._number(connection, REWARD_SOURCE, tuple(named.values()), named)

    def _number(self, connection: Connection, table: Table, key: Key, row: Row, digest: bytes | None = None) -> int:
        found = self._known.get(key) or self._new.get(key)
        if found is None:
            digest = digest or _digest(list(key), 16)
            found = self._numbered(connection, table, {digest: row | {"digest": digest}})[digest]
            self._new[key] = found
        return found


def step_of(step: int | None) -> int:
    return NO_STEP if step is None else step


def _step_counts(one: Mapping[str, Any]) -> Row:
    extreme = one["reward"] if one["step"] is not None else None
    return {
        "judgments": 1,
        **{status.value: int(one["status"] == status.value) for status in JudgmentStatus},
        "flagged": int(one["flags"] != "[]"),
        "rewards": int(one["reward"] is not None),
        "reward": one["reward"] or 0.0,
        "low": extreme,
        "high": extreme,
        "first_us": one["created_us"],
        "last_us": one["created_us"],
    }


def _group_counts(one: Mapping[str, Any]) -> Row:
    reward = one["reward"]
    there = int(reward is not None)
    return {"rewards": there, "without": 1 - there, "reward": reward or 0.0, "low": reward, "high": reward}


def _count(sums: dict[Key, Row], key: Row, one: Row) -> None:
    found = sums.setdefault(tuple(key.values()), key)
    for name, value in one.items():
        known = found.get(name)
        if known is None:
            found[name] = value
        elif name in LOWEST:
            found[name] = known if value is None else min(known, value)
        elif name in HIGHEST:
            found[name] = known if value is None else max(known, value)
        else:
            found[name] = known + value


LOWEST: Final = ("low", "first_us")
HIGHEST: Final = ("high", "last_us")


def ordered(sums: Mapping[Key, Row]) -> list[Row]:
    """Always in the same order, so that two processes with the same rows cannot deadlock."""
    return [sums[key] for key in sorted(sums)]


@cache
def _adding(table: Table) -> str:
    """What happens to a row that stands: the database adds."""
    keys = [column.name for column in table.primary_key]
    changed = []
    for name in (column.name for column in table.c if column.name not in keys):
        old, new = f"{table.name}.{name}", f"excluded.{name}"
        if name in LOWEST or name in HIGHEST:
            beyond = f"{new} {'<' if name in LOWEST else '>'} {old} OR {old} IS NULL"
            changed.append(f"{name} = CASE WHEN {beyond} THEN {new} ELSE {old} END")
        else:
            changed.append(f"{name} = {old} + {new}")
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(changed)}"


def steps_again() -> Select[Any]:
    column = JUDGMENT.c
    by = [column.run, column.step, column.policy, column.caller, column.rubric_id, column.judge]
    by += [FORM.c[name] for name in IN_FORM]
    statuses = [_share(column.status == one.value).label(one.value) for one in JudgmentStatus]
    return (
        select(
            *by, func.count().label("judgments"), *statuses, _share(column.flags != "[]").label("flagged"),
            *_rewards(), func.min(column.created_us).label("first_us"), func.max(column.created_us).label("last_us"),
        )
        .join(FORM, FORM.c.id == column.form)
        .where(column.run.is_not(None), NO_AUDIT)
        .group_by(*by)
    )  # fmt: skip


def groups_again() -> Select[Any]:
    column = JUDGMENT.c
    by = [column.run, column.step, column.group_name, column.prompt_key]
    placed = column.step.is_not(None) | column.group_name.is_not(None)
    without = _share(column.reward.is_(None)).label("without")
    question = select(*by, without, *_rewards()).group_by(*by)
    return question.where(column.run.is_not(None), column.prompt_key.is_not(None), placed, NO_AUDIT)


def _rewards() -> list[ColumnElement[Any]]:
    reward = JUDGMENT.c.reward
    extremes = [func.min(reward).label("low"), func.max(reward).label("high")]
    return [func.count(reward).label("rewards"), func.coalesce(func.sum(reward), 0.0).label("reward"), *extremes]


def _share(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))
