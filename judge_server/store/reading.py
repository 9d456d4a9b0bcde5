"""Queries. They block and use the connection passed to them."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, and_, case, func, literal, select, tuple_

from judge_server.core.errors import BadInput, StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric, split_name, version_key
from judge_server.core.submission import Submission
from judge_server.store.page import Page, Position
from judge_server.store.payload import TEXT_FIELDS, SafeText, decode
from judge_server.store.schema import JUDGMENT, PUBLICATION, RUBRIC, SERVED_RUBRIC, SUBMISSION, TEXT, VERDICT
from judge_server.store.writing import microseconds

Model = TypeVar("Model", bound=BaseModel)
MOST_SEARCHED: Final = 2_000


class Filter(TypedDict, total=False):
    """Which judgments are listed. ``rubric`` is an id, an id@version or a digest; ``since`` is included, ``until`` is
    not, and both are aware; ``reward_below`` leaves out judgments without a reward; ``text`` is searched in the prompt,
    the response and the reference, ignoring case."""

    rubric: str | None
    judge: str | None
    since: datetime | None
    until: datetime | None
    run: str | None
    step: int | None
    group: str | None
    status: str | None
    caller: str | None
    reward_below: float | None
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
        "status": lambda status: column.status == _status(status),
        "caller": lambda name: column.caller == name,
        "reward_below": lambda bound: column.reward < bound,
    }
    return [made[name](value) for name, value in wanted.items() if value is not None and name != "text"]


def judgment(connection: Connection, judgment_id: str, caller: str | None = None) -> Judgment | None:
    """None if it is not of this ``caller``, if one is given."""
    own = select(JUDGMENT.c.content).where(JUDGMENT.c.id == judgment_id)
    if caller is not None:
        own = own.where(JUDGMENT.c.caller == caller)
    payload = connection.execute(own).scalar_one_or_none()
    return None if payload is None else decoded(payload, judgment_id)


def contents(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The JSON of judgments by id."""
    rows = connection.execute(select(JUDGMENT.c.id, JUDGMENT.c.content).where(JUDGMENT.c.id.in_(ids)))
    return {row.id: row.content for row in rows}


def decoded(content: str, judgment_id: str) -> Judgment:
    """Raises StoreUnavailable for content that cannot be read."""
    return _read(Judgment, content, f"judgment {judgment_id!r}")


def submission(connection: Connection, judgment_id: str) -> Submission | None:
    question = select(SUBMISSION.c.content.label("submitted"), RUBRIC.c.payload.label("rubric"))
    question = question.join_from(SUBMISSION, RUBRIC, SUBMISSION.c.rubric_digest == RUBRIC.c.digest, isouter=True)
    row = connection.execute(with_texts(question).where(SUBMISSION.c.judgment_id == judgment_id)).one_or_none()
    return None if row is None else _submission(row, row.rubric, judgment_id)


def _submission(row: Row[Any], rubric: str | None, judgment_id: str) -> Submission:
    what = f"the submission of judgment {judgment_id!r}"
    more = {name: json.loads(text) for name in TEXT_FIELDS if (text := getattr(row, f"{name}_text")) is not None}
    if rubric is not None:
        more["rubric"] = _read(Rubric, rubric, what)
    return _read(Submission, row.submitted, what, **more)


def with_texts(
    question: Select[Any], names: Sequence[str] = TEXT_FIELDS, most_characters: int | None = None
) -> Select[Any]:
    """A question about submissions with the JSON of their texts: ``prompt_text``, ``response_text``,
    ``reference_text``. Longer ones than ``most_characters`` are None."""
    for name in names:
        own = TEXT.alias(f"of_{name}")
        content = own.c.content if most_characters is None else case((own.c.size <= most_characters, own.c.content))
        question = question.add_columns(content.label(f"{name}_text"))
        question = question.join(own, SUBMISSION.c[name] == own.c.digest, isouter=True)
    return question


def judgments(connection: Connection, wanted: Filter, limit: int, after: Position | None) -> Page[Judgment]:
    """One page, newest first. With ``text`` at most ``MOST_SEARCHED`` candidates are read, so that a page may hold
    fewer than ``limit`` judgments although more follow."""
    text = wanted.get("text")
    if text is not None:
        return _search(connection, wanted, text, limit, after)
    rows = _rows(connection, select(JUDGMENT.c.created_us, JUDGMENT.c.id, JUDGMENT.c.content), wanted, limit, after)
    items = tuple(_read(Judgment, row.content, f"judgment {row.id!r}") for row in rows[:limit])
    return Page(items, _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _search(connection: Connection, wanted: Filter, text: str, limit: int, after: Position | None) -> Page[Judgment]:
    columns = JUDGMENT.c.created_us, JUDGMENT.c.id, JUDGMENT.c.content, SUBMISSION.c.content.label("submitted")
    question = with_texts(select(*columns).join_from(SUBMISSION, JUDGMENT, SUBMISSION.c.judgment_id == JUDGMENT.c.id))
    rows = _rows(connection, question, wanted, MOST_SEARCHED, after)
    found: list[Judgment] = []
    for number, row in enumerate(rows[:MOST_SEARCHED], 1):
        if holds(_submission(row, None, row.id), text):
            found.append(_read(Judgment, row.content, f"judgment {row.id!r}"))
        if len(found) == limit:
            return Page(tuple(found), _cursor(row) if number < len(rows) else None)
    return Page(tuple(found), _cursor(rows[MOST_SEARCHED - 1]) if len(rows) > MOST_SEARCHED else None)


def holds(submission: Submission, text: str) -> bool:
    """Whether a text that the submission shows to a judge contains ``text``, ignoring case."""
    return any(text.casefold() in one.casefold() for one in submission.texts())


def _rows(
    connection: Connection, question: Select[Any], wanted: Filter, limit: int, after: Position | None
) -> Sequence[Row[Any]]:
    """At most ``limit`` + 1 rows: the extra one tells that there is a next page."""
    place = tuple_(JUDGMENT.c.created_us, JUDGMENT.c.id)
    question = question.where(*conditions_of(wanted))
    if after is not None:
        question = question.where(place < tuple_(literal(after.created_us, BigInteger), literal(after.id, SafeText)))
    newest_first = (JUDGMENT.c.created_us.desc(), JUDGMENT.c.id.desc())
    return connection.execute(question.order_by(*newest_first).limit(limit + 1)).all()


def _cursor(row: Row[Any]) -> str:
    return Position(row.created_us, row.id).cursor()


def rubric_by_digest(connection: Connection, digest: str) -> Rubric | None:
    payload = connection.execute(select(RUBRIC.c.payload).where(RUBRIC.c.digest == digest)).scalar_one_or_none()
    return None if payload is None else _read(Rubric, payload, f"rubric {digest}")


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
    return None if payload is None else _read(Rubric, payload, f"rubric {rubric_id}@{version}")


def served_rubric(connection: Connection, rubric_id: str, version: str | None) -> Rubric | None:
    """The content with which this version first judged; without ``version``, of the newest version that judged."""
    column = SERVED_RUBRIC.c
    question = select(column.version, RUBRIC.c.payload).join(RUBRIC, column.digest == RUBRIC.c.digest)
    rows = connection.execute(question.where(column.rubric_id == rubric_id)).all()
    found = [row for row in rows if version in (None, row.version)]
    if not found:
        return None
    newest = max(found, key=lambda row: version_key(row.version))
    return _read(Rubric, newest.payload, f"rubric {rubric_id}@{newest.version}")


def rubric_versions(connection: Connection, rubric_id: str) -> tuple[str, ...]:
    """Published versions, in ascending order of semantic versions."""
    question = select(PUBLICATION.c.version).where(PUBLICATION.c.rubric_id == rubric_id)
    return tuple(sorted(connection.execute(question).scalars(), key=version_key))


def rubric_ids(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(select(PUBLICATION.c.rubric_id).distinct()).scalars()))


def counts(connection: Connection) -> dict[str, int]:
    """Row counts by kind."""
    tables = {"judgments": JUDGMENT, "rubrics": RUBRIC, "published_rubrics": PUBLICATION, "verdicts": VERDICT}
    columns = [select(func.count()).select_from(table).scalar_subquery().label(name) for name, table in tables.items()]
    return {name: int(count) for name, count in connection.execute(select(*columns)).mappings().one().items()}


def _read(kind: type[Model], payload: str, what: str, **more: Any) -> Model:
    try:
        return decode(kind, payload, **more)
    except (ValidationError, ValueError) as fault:
        raise StoreUnavailable(
            f"{what} is in the database but cannot be read: {fault}",
            remedy="It was written by another judge-server or by hand: read it with the version that wrote it.",
        ) from fault


def _is_rubric(name: str) -> ColumnElement[bool]:
    if name.startswith("sha256:"):
        return JUDGMENT.c.rubric_digest == name
    try:
        rubric_id, version = split_name(name)
    except ValueError as fault:
        raise BadInput(f"rubric: {fault}.") from fault
    same_id = JUDGMENT.c.rubric_id == rubric_id
    return same_id if version is None else and_(same_id, JUDGMENT.c.rubric_version == version)


def _status(given: str) -> str:
    known = [status.value for status in JudgmentStatus]
    if given not in known:
        raise BadInput(f"status is {given!r}.", remedy=f"Use one of {', '.join(known)}.")
    return str(given)


def _moment(name: str, given: datetime) -> int:
    if given.tzinfo is None:
        raise BadInput(f"{name} has no time zone.", remedy=f"Write it like {given.isoformat()}Z.")
    return microseconds(given)
