"""Takes judgments that are removed out of the sums over their runs.

What they add up to is asked of the database before, so that the transaction that removes them is short. Lowest and
highest values cannot be subtracted from; they are looked for again, with the row locked first, so that nobody adds to
it in between.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    RowMapping,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    select,
    update,
)

from judge_server.store.run_schema import RUN_GROUP, RUN_STEP
from judge_server.store.run_tally import (
    GROUP_KEY,
    GROUP_SUMS,
    HIGHEST,
    IN_FORM,
    LOWEST,
    NO_AUDIT,
    STEP_KEY,
    STEP_SUMS,
    RunTally,
    groups_again,
    ordered,
    steps_again,
)
from judge_server.store.schema import FORM, JUDGMENT
from judge_server.store.writing import standing_numbers

_AT_ONCE: Final = 200
_OF_SOURCE: Final = ("policy", "caller", "rubric_id", "judge")
_Sums = dict[tuple[Any, ...], dict[str, Any]]
_Places = dict[tuple[Any, ...], RowMapping]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What judgments add to rows of run_step and run_group, by the rows' keys; and by the same keys the run, step and
    whatever else says which judgments count there."""

    steps: _Sums
    groups: _Sums
    step_places: _Places
    group_places: _Places


def withdrawal_of(connection: Connection, ids: Sequence[str]) -> Withdrawal:
    """Reads only. ``ids``: judgments that are there; audits, and those of no run, add nothing."""
    tally, found = RunTally(standing_numbers), Withdrawal({}, {}, {}, {})
    for start in range(0, len(ids), _AT_ONCE):
        some = {"ids": list(ids[start : start + _AT_ONCE])}
        for row in connection.execute(_among(RUN_STEP), some).mappings().all():
            _note(found.steps, found.step_places, STEP_KEY, STEP_SUMS, tally.step_row(connection, row), row)
        for row in connection.execute(_among(RUN_GROUP), some).mappings().all():
            _note(found.groups, found.group_places, GROUP_KEY, GROUP_SUMS, tally.group_row(connection, row), row)
    return found


def withdraw(connection: Connection, gone: Withdrawal) -> None:
    """After the judgments were deleted in the same transaction."""
    for sums in (_STEPS, _GROUPS):
        removed = gone.steps if sums is _STEPS else gone.groups
        if not removed:
            continue
        rows = [{f"gone_{name}": value for name, value in one.items()} for one in ordered(removed)]
        less, none_left = _subtractions(sums)
        connection.execute(less, rows)
        connection.execute(none_left, [{f"gone_{name}": one[f"gone_{name}"] for name in sums.key} for one in rows])
        places = gone.step_places if sums is _STEPS else gone.group_places
        for standing in _standing(connection, sums, removed.keys()):
            key = tuple(getattr(standing, name) for name in sums.key)
            _renew(connection, sums, standing, removed[key], places[key])


class _Kept(NamedTuple):
    """A table of sums."""

    table: Table
    key: tuple[str, ...]
    sums: tuple[str, ...]


_STEPS: Final = _Kept(RUN_STEP, STEP_KEY, STEP_SUMS)
_GROUPS: Final = _Kept(RUN_GROUP, GROUP_KEY, GROUP_SUMS)


@cache
def _among(table: Table) -> Select[Any]:
    again = steps_again() if table is RUN_STEP else groups_again()
    return again.where(JUDGMENT.c.id.in_(bindparam("ids", expanding=True)))


def _note(
    sums: _Sums,
    places: _Places,
    key: Sequence[str],
    added: Sequence[str],
    row: dict[str, Any],
    place: RowMapping,
) -> None:
    """``row`` is one of several of its key if there were more judgments than are asked for at once."""
    name = tuple(row[one] for one in key)
    known = sums.setdefault(name, row)
    places[name] = place
    if known is row:
        return
    for one in added:
        known[one] += row[one]
    for one in (one for one in (*LOWEST, *HIGHEST) if one in row):
        values = [value for value in (known[one], row[one]) if value is not None]
        known[one] = (min if one in LOWEST else max)(values, default=None)


@cache
def _subtractions(kept: _Kept) -> tuple[Update, Delete]:
    """The rows stay locked until the end of the transaction; those of which nothing is left are removed."""
    column = kept.table.c
    own = and_(*(column[name] == bindparam(f"gone_{name}", type_=column[name].type) for name in kept.key))
    less = {name: column[name] - bindparam(f"gone_{name}", type_=column[name].type) for name in kept.sums}
    left = column.judgments if kept.table is RUN_STEP else column.rewards + column.without
    return update(kept.table).where(own).values(less), delete(kept.table).where(own, left <= 0)


def _standing(connection: Connection, kept: _Kept, keys: Collection[tuple[Any, ...]]) -> list[Row[Any]]:
    """Those that are left. Looked for by the first two columns of the key, because SQLite looks for whole keys in a
    list by reading the table."""
    question, found = _question(kept), list[Row[Any]]()
    for one in sorted({key[0] for key in keys}):
        seconds = sorted({key[1] for key in keys if key[0] == one})
        for start in range(0, len(seconds), _AT_ONCE):
            rows = connection.execute(question, {"first": one, "second": seconds[start : start + _AT_ONCE]})
            found += (row for row in rows if tuple(getattr(row, name) for name in kept.key) in keys)
    return found


@cache
def _question(kept: _Kept) -> Select[Any]:
    first, second = (kept.table.c[name] for name in kept.key[:2])
    return select(kept.table).where(first == bindparam("first"), second.in_(bindparam("second", expanding=True)))


def _renew(connection: Connection, kept: _Kept, standing: Row[Any], gone: Mapping[str, Any], place: RowMapping) -> None:
    """Look for extreme values again that were among those removed."""
    found: dict[str, Any] = {} if standing.rewards else {"reward": 0.0}
    for name in (one for one in (*LOWEST, *HIGHEST) if one in kept.table.c):
        value, taken = getattr(standing, name), gone.get(name)
        if value is not None and taken is not None and (taken <= value if name in LOWEST else taken >= value):
            found[name] = _extreme(connection, kept.table, name, value, place)
    if found:
        own = and_(*(kept.table.c[name] == getattr(standing, name) for name in kept.key))
        connection.execute(update(kept.table).where(own).values(found))


def _extreme(connection: Connection, table: Table, name: str, value: Any, place: RowMapping) -> Any:
    shape = table, name, place["step"] is None, table is RUN_GROUP and place["group_name"] is None
    given = {f"of_{one}": said for one, said in place.items()}
    if name in ("low", "high") and connection.execute(_same(*shape), given | {"value": value}).first() is not None:
        return value
    return connection.execute(_next(*shape), given).scalar_one_or_none()


@cache
def _same(table: Table, name: str, no_step: bool, no_group: bool) -> Select[Any]:
    reward = JUDGMENT.c.reward
    return _counting(table, name, no_step, no_group).where(reward == bindparam("value", type_=reward.type)).limit(1)


@cache
def _next(table: Table, name: str, no_step: bool, no_group: bool) -> Select[Any]:
    column = JUDGMENT.c.reward if name in ("low", "high") else JUDGMENT.c.created_us
    first = column if name in LOWEST else column.desc()
    return _counting(table, name, no_step, no_group).where(column.is_not(None)).order_by(first).limit(1)


def _counting(table: Table, name: str, no_step: bool, no_group: bool) -> Select[Any]:
    """The value of each judgment that counts in a row. Steps and groups that are none are named so, because PostgreSQL
    uses no index to find what is not distinct from a parameter."""
    column = JUDGMENT.c
    wanted = column.reward if name in ("low", "high") else column.created_us
    place = [_is(column.run), column.step.is_(None) if no_step else _is(column.step)]
    if table is RUN_GROUP:
        place += [column.group_name.is_(None) if no_group else _is(column.group_name), _is(column.prompt_key)]
        return select(wanted).where(*place, NO_AUDIT)
    same = [column[one] for one in _OF_SOURCE] + [FORM.c[one] for one in IN_FORM]
    place += [one.is_not_distinct_from(bindparam(f"of_{one.name}", type_=one.type)) for one in same]
    return select(wanted).join(FORM, FORM.c.id == column.form).where(*place, NO_AUDIT)


def _is(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam(f"of_{column.key}", type_=column.type)
