"""Queries. They block and use the connection passed to them."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, and_, func, literal, select, tuple_

from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric, split_name, version_key
from judge_server.core.submission import Submission
from judge_server.store.judgment_row import (
    columns_of,
    judgment_json,
    judgment_of,
    read,
    submission_of,
    submitted_columns,
    with_texts,
)
from judge_server.store.page import Page, Position
from judge_server.store.payload import SafeText, microseconds
from judge_server.store.schema import FORM, JUDGMENT, JUDGMENT_TAG, PUBLICATION, RUBRIC, SERVED_RUBRIC, VERDICT


class Filter(TypedDict, total=False):
    """Which judgments are listed. ``rubric`` is an id, an id@version or a digest; ``since`` is included, ``until`` is
    not, and both are aware; ``reward_from`` (included) and ``reward_below`` (not) leave out judgments without a reward;
    ``rewarded``: those that have one, or those that have none; ``flag`` is one of the guard's; ``text`` is searched in
    the prompt, the response and the reference, ignoring case."""

    rubric: str | None
    judge: str | None
    since: datetime | None
    until: datetime | None
    run: str | None
    step: int | None
    group: str | None
    policy: str | None
    status: str | None
    flag: str | None
    caller: str | None
    reward_from: float | None
    reward_below: float | None
    rewarded: bool | None
    tag: str | None
    text: str | None


def conditions_of(wanted: Filter) -> list[ColumnElement[bool]]:
    """Raises BadInput for a value that can match nothing."""
    column = JUDGMENT.c
    made: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "rubric": _is_rubric,
        "judge": lambda name: column.judge == name,
        "since": lambda moment: column.created_us >= _moment("since", moment),
        "until": lambda moment: column.created_us < _moment("until", moment),
        "run": lambda name: column.run == name,
        "step": lambda step: column.step == step,
        "group": lambda name: column.group_name == name,
        "policy": lambda name: column.policy == name,
        "status": lambda status: column.status == _status(status),
        "flag": lambda flag: column.flags.contains(json.dumps(flag), autoescape=True),
        "caller": lambda name: column.caller == name,
        "reward_from": lambda bound: column.reward >= bound,
        "reward_below": lambda bound: column.reward < bound,
        "rewarded": lambda there: column.reward.is_not(None) if there else column.reward.is_(None),
        "tag": tagged,
    }
    return [made[name](value) for name, value in wanted.items() if value is not None and name != "text"]


def tagged(tag: str) -> ColumnElement[bool]:
    return JUDGMENT.c.id.in_(select(JUDGMENT_TAG.c.judgment_id).where(JUDGMENT_TAG.c.tag == tag))


def judgments_with_forms(*more: ColumnElement[Any]) -> Select[Any]:
    """A question about judgments, with what ``judgment_of`` reads and ``more`` columns."""
    return select(*columns_of(), *more).select_from(JUDGMENT).join(FORM, FORM.c.id == JUDGMENT.c.form)


def judgment(connection: Connection, judgment_id: str, caller: str | None = None) -> Judgment | None:
    """None if it is not of this ``caller``, if one is given."""
    own = judgments_with_forms().where(JUDGMENT.c.id == judgment_id)
    if caller is not None:
        own = own.where(JUDGMENT.c.caller == caller)
    row = connection.execute(own).one_or_none()
    return None if row is None else judgment_of(row)


def contents(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The JSON of judgments by id."""
    rows = connection.execute(judgments_with_forms().where(JUDGMENT.c.id.in_(ids)))
    return {row.id: judgment_json(row) for row in rows}


def submission(connection: Connection, judgment_id: str) -> Submission | None:
    question = select(*submitted_columns(), RUBRIC.c.payload.label("rubric")).select_from(JUDGMENT)
    question = question.join(FORM, FORM.c.id == JUDGMENT.c.form)
    question = question.join(RUBRIC, JUDGMENT.c.inline_rubric == RUBRIC.c.digest, isouter=True)
    row = connection.execute(with_texts(question).where(JUDGMENT.c.id == judgment_id)).one_or_none()
    return None if row is None or row.prompt_text is None else submission_of(row, row.rubric)


def judgments(connection: Connection, wanted: Filter, limit: int, after: Position | None) -> Page[Judgment]:
    """One page, newest first; ``text`` is searched elsewhere."""
    light: Select[Any] = select(JUDGMENT.c.id, JUDGMENT.c.created_us)  # a sort of thousands carries no contents
    places = rows_of(connection, light, wanted, limit, after)
    ids = [row.id for row in places[:limit]]
    rows = {row.id: row for row in connection.execute(judgments_with_forms().where(JUDGMENT.c.id.in_(ids)))}
    items = tuple(judgment_of(rows[one]) for one in ids if one in rows)
    return Page(items, position_of(places[limit - 1]).cursor() if len(places) > limit else None)


def rows_of(
    connection: Connection, question: Select[Any], wanted: Filter, limit: int, after: Position | None
) -> Sequence[Row[Any]]:
    """At most ``limit`` + 1 rows: the extra one tells that there is a next page."""
    place = tuple_(JUDGMENT.c.created_us, JUDGMENT.c.id)
    question = question.where(*conditions_of(wanted))
    if after is not None:
        question = question.where(place < tuple_(literal(after.created_us, BigInteger), literal(after.id, SafeText)))
    newest_first = (JUDGMENT.c.created_us.desc(), JUDGMENT.c.id.desc())
    return connection.execute(question.order_by(*newest_first).limit(limit + 1)).all()


def position_of(row: Row[Any]) -> Position:
    return Position(row.created_us, row.id)


def rubric_by_digest(connection: Connection, digest: str) -> Rubric | None:
    payload = connection.execute(select(RUBRIC.c.payload).where(RUBRIC.c.digest == digest)).scalar_one_or_none()
    return None if payload is None else read(Rubric, payload, f"rubric {digest}")


def rubric(connection: Connection, rubric_id: str, version: str | None) -> Rubric | None:
    """The published version; the newest without ``version``."""
    if version is None:
        versions = rubric_versions(connection, rubric_id)
        if not versions:
            return None
        version = versions[-1]
    question = (
        select(RUBRIC.c.payload)
        .join(PUBLICATION, PUBLICATION.c.digest == RUBRIC.c.digest)
        .where(PUBLICATION.c.rubric_id == rubric_id, PUBLICATION.c.version == version)
    )
    payload = connection.execute(question).scalar_one_or_none()
    return None if payload is None else read(Rubric, payload, f"rubric {rubric_id}@{version}")


def served_rubric(connection: Connection, rubric_id: str, version: str | None) -> Rubric | None:
    """The content with which this version first judged; without ``version``, of the newest version that judged."""
    column = SERVED_RUBRIC.c
    question = select(column.version, RUBRIC.c.payload).join(RUBRIC, column.digest == RUBRIC.c.digest)
    rows = connection.execute(question.where(column.rubric_id == rubric_id)).all()
    found = [row for row in rows if version in (None, row.version)]
    if not found:
        return None
    newest = max(found, key=lambda row: version_key(row.version))
    return read(Rubric, newest.payload, f"rubric {rubric_id}@{newest.version}")


def rubric_versions(connection: Connection, rubric_id: str) -> tuple[str, ...]:
    """Published versions, in ascending order of semantic versions."""
    question = select(PUBLICATION.c.version).where(PUBLICATION.c.rubric_id == rubric_id)
    return tuple(sorted(connection.execute(question).scalars(), key=version_key))


def rubric_ids(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(select(PUBLICATION.c.rubric_id).distinct()).scalars()))


def counts(connection: Connection) -> dict[str, int]:
    """How many there are of each kind."""
    tables = {"judgments": JUDGMENT, "rubrics": RUBRIC, "published_rubrics": PUBLICATION}
    columns = [select(func.count()).select_from(table).scalar_subquery().label(name) for name, table in tables.items()]
    columns.append(select(func.coalesce(func.sum(VERDICT.c.many), 0)).scalar_subquery().label("verdicts"))
    return {name: int(count) for name, count in connection.execute(select(*columns)).mappings().one().items()}


def _is_rubric(name: str) -> ColumnElement[bool]:
    if name.startswith("sha256:"):
        return _under(FORM.c.rubric_digest == name)
    try:
        rubric_id, version = split_name(name)
    except ValueError as fault:
        raise BadInput(f"rubric: {fault}.") from fault
    same_id = JUDGMENT.c.rubric_id == rubric_id
    if version is None:
        return same_id
    return and_(same_id, _under(and_(FORM.c.rubric_id == rubric_id, FORM.c.rubric_version == version)))


def _under(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return JUDGMENT.c.form.in_(select(FORM.c.id).where(condition))


def _status(given: str) -> str:
    known = [status.value for status in JudgmentStatus]
    if given not in known:
        raise BadInput(f"status is {given!r}.", remedy=f"Use one of {', '.join(known)}.")
    return str(given)


def _moment(name: str, given: datetime) -> int:
    if given.tzinfo is None:
        raise BadInput(f"{name} has no time zone.", remedy=f"Write it like {given.isoformat()}Z.")
    return microseconds(given)
