"""Sums over the judgments of a training run, by step and by group, so that a run is shown without reading them.

They change in the transaction that writes or removes the judgments, so what they say is what ``recount`` would find.
Audits are left out: they have the coordinates of what they audit, and reward nothing.

Two processes may add to one row at once: the database adds. Lowest and highest values cannot be subtracted from; after
a removal they are looked for again, with the row locked first, so that nobody adds to it in between.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from judge_server.core.outcome import JudgmentStatus
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
_OF_JUDGMENT: Final = ("run", "step", "group_name", "prompt_key", "status", "reward", "flags", "created_us")
_STEP_KEY: Final = ("source", "step")
_GROUP_KEY: Final = ("run", "prompt_key", "step", "group_key")
_STEP_SUMS: Final = ("judgments", "ok", "partial", "failed", "flagged", "rewards", "reward")
_GROUP_SUMS: Final = ("rewards", "without", "reward")
_MOST_KNOWN: Final = 10_000
_AT_ONCE: Final = 500


def group_key(name: str | None) -> bytes:
    return b"" if name is None else _digest(["group", name], 8)


@lru_cache(maxsize=1_024)
def run_digest(run: str) -> bytes:
    return _digest(["run", run], 16)


def of_run(run: str) -> ColumnElement[bool]:
    """Sources of the run: a condition on reward_source."""
    own = select(TRAINING_RUN.c.id).where(TRAINING_RUN.c.digest == run_digest(run)).scalar_subquery()
    return REWARD_SOURCE.c.run == own


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
        connection.execute(_upsert(RUN_STEP, connection.dialect.name), _ordered(steps))
        if groups:
            connection.execute(_upsert(RUN_GROUP, connection.dialect.name), _ordered(groups))
        return self._new

    def withdraw(self, connection: Connection, removed: Sequence[Mapping[str, Any]]) -> None:
        """``removed``: what ``counted`` found before these judgments were deleted, which must have happened."""
        if not removed:
            return
        self._new = {}
        steps, groups = self._sums(connection, removed)
        sources = {self._source(connection, one): one for one in removed}
        named = {(self._run(connection, one["run"]), group_key(one["group_name"])): one for one in removed}
        _subtract(connection, RUN_STEP, _STEP_KEY, _STEP_SUMS, steps)
        _subtract(connection, RUN_GROUP, _GROUP_KEY, _GROUP_SUMS, groups)
        for key, gone in steps.items():
            _renew(connection, RUN_STEP, _STEP_KEY, key, gone, _of_step(sources[key[0]], key[1]))
        for key, gone in groups.items():
            one = named[key[0], key[3]]
            _renew(connection, RUN_GROUP, _GROUP_KEY, key, gone, _of_group(one, key[2], key[1]))

    def recount(self, connection: Connection) -> int:
        """Make every sum anew from the judgments; how many steps and groups there are. Writers wait meanwhile."""
        if connection.dialect.name != "sqlite":
            connection.execute(text("LOCK TABLE judgment, run_step, run_group IN SHARE ROW EXCLUSIVE MODE"))
        self._new = {}
        for table in (RUN_STEP, RUN_GROUP):
            connection.execute(delete(table))
        steps = [
            {column.name: row.get(column.name) for column in RUN_STEP.c}
            | {"source": self._source(connection, dict(row)), "step": _step_of(row["step"])}
            | ({} if row["step"] is not None else {"low": None, "high": None})
            for row in connection.execute(_steps_again()).mappings()
        ]
        groups = [
            {name: getattr(row, name) for name in ("prompt_key", *_GROUP_SUMS, "low", "high")}
            | {
                "run": self._run(connection, row.run),
                "step": _step_of(row.step),
                "group_key": group_key(row.group_name),
            }
            for row in connection.execute(_groups_again())
        ]
        for table, rows in ((RUN_STEP, steps), (RUN_GROUP, groups)):
            for start in range(0, len(rows), _AT_ONCE):
                connection.execute(table.insert(), rows[start : start + _AT_ONCE])
        return len(steps) + len(groups)

    def _sums(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> tuple[dict[Key, Row], dict[Key, Row]]:
        steps: dict[Key, Row] = {}
        groups: dict[Key, Row] = {}
        for one in rows:
            step = _step_of(one["step"])
            _count(steps, dict(zip(_STEP_KEY, (self._source(connection, one), step), strict=True)), _step_counts(one))
            if one["prompt_key"] is not None and (one["step"] is not None or one["group_name"] is not None):
                place = (self._run(connection, one["run"]), one["prompt_key"], step, group_key(one["group_name"]))
                _count(groups, dict(zip(_GROUP_KEY, place, strict=True)), _group_counts(one))
        return steps, groups

    def _run(self, connection: Connection, run: str) -> int:
        return self._number(connection, TRAINING_RUN, (run,), {"run": run}, run_digest(run))

    def _source(self, connection: Connection, one: Mapping[str, Any]) -> int:
        run = self._run(connection, one["run"])
        named = {"run": run, **{name: one[name] for name in _SOURCE}}
        return self._number(connection, REWARD_SOURCE, tuple(named.values()), named)

    def _number(self, connection: Connection, table: Table, key: Key, row: Row, digest: bytes | None = None) -> int:
        found = self._known.get(key) or self._new.get(key)
        if found is None:
            digest = digest or _digest(list(key), 16)
            found = self._numbered(connection, table, {digest: row | {"digest": digest}})[digest]
            self._new[key] = found
        return found


def counted(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """Of these judgments those that count in a run, as ``withdraw`` wants them; each has its id."""
    return [dict(row) for row in connection.execute(_counting(), {"ids": ids}).mappings()]


@cache
def _counting() -> Any:
    column = JUDGMENT.c
    wanted = [column[name] for name in ("id", *_OF_JUDGMENT, "policy", "caller", "rubric_id", "judge")]
    question = select(*wanted, *(FORM.c[name] for name in IN_FORM)).join(FORM, FORM.c.id == column.form)
    among = column.id.in_(bindparam("ids", expanding=True))
    return question.where(among, column.run.is_not(None), NO_AUDIT)


def _step_of(step: int | None) -> int:
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
        elif name in _LOWEST:
            found[name] = known if value is None else min(known, value)
        elif name in _HIGHEST:
            found[name] = known if value is None else max(known, value)
        else:
            found[name] = known + value


_LOWEST: Final = ("low", "first_us")
_HIGHEST: Final = ("high", "last_us")


def _ordered(sums: Mapping[Key, Row]) -> list[Row]:
    """Always in the same order, so that two processes with the same rows cannot deadlock."""
    return [sums[key] for key in sorted(sums)]


@cache
def _upsert(table: Table, dialect: str) -> Any:
    made = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    keys = [column.name for column in table.primary_key]
    changed: dict[str, ColumnElement[Any]] = {}
    for column in table.c:
        new = made.excluded[column.name]
        if column.name in _LOWEST:
            changed[column.name] = case(((new < column) | column.is_(None), new), else_=column)
        elif column.name in _HIGHEST:
            changed[column.name] = case(((new > column) | column.is_(None), new), else_=column)
        elif column.name not in keys:
            changed[column.name] = column + new
    return made.on_conflict_do_update(index_elements=keys, set_=changed)


def _subtract(
    connection: Connection, table: Table, keys: Sequence[str], sums: Sequence[str], gone: Mapping[Key, Row]
) -> None:
    """The rows stay locked until the end of the transaction; those of which nothing is left are removed."""
    if not gone:
        return
    rows = [{f"gone_{name}": value for name, value in one.items()} for one in _ordered(gone)]
    less, none_left = _subtractions(table, tuple(keys), tuple(sums))
    connection.execute(less, rows)
    connection.execute(none_left, [{f"gone_{name}": one[f"gone_{name}"] for name in keys} for one in rows])


@cache
def _subtractions(table: Table, keys: tuple[str, ...], sums: tuple[str, ...]) -> tuple[Update, Delete]:
    """The update, and the removal of rows of which nothing is left."""
    own = and_(*(table.c[name] == bindparam(f"gone_{name}", type_=table.c[name].type) for name in keys))
    less = {name: table.c[name] - bindparam(f"gone_{name}", type_=table.c[name].type) for name in sums}
    left = table.c.judgments if table is RUN_STEP else table.c.rewards + table.c.without
    return update(table).where(own).values(less), delete(table).where(own, left <= 0)


def _renew(
    connection: Connection, table: Table, keys: Sequence[str], key: Key, gone: Row, judgments: ColumnElement[bool]
) -> None:
    """Look for extreme values again that were among those removed. ``judgments``: those that still count here."""
    own = and_(*(table.c[name] == value for name, value in zip(keys, key, strict=True)))
    standing = connection.execute(select(table).where(own)).one_or_none()
    if standing is None:
        return
    found: Row = {} if standing.rewards else {"reward": 0.0}
    for name in (one for one in (*_LOWEST, *_HIGHEST) if one in table.c):
        value, taken = getattr(standing, name), gone.get(name)
        if value is not None and taken is not None and (taken <= value if name in _LOWEST else taken >= value):
            found[name] = _extreme(connection, name, value, judgments)
    if found:
        connection.execute(update(table).where(own).values(found))


def _extreme(connection: Connection, name: str, value: Any, judgments: ColumnElement[bool]) -> Any:
    column = JUDGMENT.c.reward if name in ("low", "high") else JUDGMENT.c.created_us
    question = select(column).join(FORM, FORM.c.id == JUDGMENT.c.form).where(judgments, NO_AUDIT)
    if column is JUDGMENT.c.reward:
        if connection.execute(question.where(column == value).limit(1)).first() is not None:
            return value
        question = question.where(column.is_not(None))
    first = column if name in _LOWEST else column.desc()
    return connection.execute(question.order_by(first).limit(1)).scalar_one_or_none()


def _of_step(one: Mapping[str, Any], step: int) -> ColumnElement[bool]:
    column = JUDGMENT.c
    place = (column.run == one["run"], column.step.is_(None) if step == NO_STEP else column.step == step)
    same = (column[name].is_not_distinct_from(one[name]) for name in ("policy", "caller", "rubric_id", "judge"))
    return and_(*place, *same, *(FORM.c[name].is_not_distinct_from(one[name]) for name in IN_FORM))


def _of_group(one: Mapping[str, Any], step: int, prompt_key: str) -> ColumnElement[bool]:
    column, name = JUDGMENT.c, one["group_name"]
    return and_(
        column.run == one["run"],
        column.step.is_(None) if step == NO_STEP else column.step == step,
        column.group_name.is_(None) if name is None else column.group_name == name,
        column.prompt_key == prompt_key,
    )


def _steps_again() -> Any:
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


def _groups_again() -> Any:
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
