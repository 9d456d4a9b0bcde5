"""The questions asked of the database. Blocking; each works on the connection it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import BigInteger, ColumnElement, Connection, func, literal, select, tuple_

from judge_server.core.errors import BadInput, StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric, split_name, version_key
from judge_server.core.submission import Submission
from judge_server.store.page import Page, Position
from judge_server.store.payload import SafeText, decode, decode_mapping
from judge_server.store.schema import JUDGMENT, PUBLICATION, RUBRIC, SUBMISSION, VERDICT
from judge_server.store.writing import microseconds

Model = TypeVar("Model", bound=BaseModel)
_KEYS_PER_QUESTION: Final = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """``rubric`` is an id, an id@version or a digest; ``since`` is included, ``until`` is not; both are aware."""

    rubric: str | None = None
    judge: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    group: str | None = None
    status: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Raises BadInput for a value that can match nothing."""
        column = JUDGMENT.c
        found: list[ColumnElement[bool]] = []
        if self.rubric is not None:
            found += _of_rubric(self.rubric)
        if self.judge is not None:
            found.append(column.judge == self.judge)
        if self.group is not None:
            found.append(column.group_name == self.group)
        if self.status is not None:
            found.append(column.status == _status(self.status))
        if self.since is not None:
            found.append(column.created_us >= _moment("since", self.since))
        if self.until is not None:
            found.append(column.created_us < _moment("until", self.until))
        return found


def judgment(connection: Connection, judgment_id: str) -> Judgment | None:
    payload = connection.execute(select(JUDGMENT.c.payload).where(JUDGMENT.c.id == judgment_id)).scalar_one_or_none()
    return None if payload is None else _read(Judgment, payload, f"judgment {judgment_id!r}")


def submission(connection: Connection, judgment_id: str) -> Submission | None:
    question = (
        select(SUBMISSION.c.payload, RUBRIC.c.payload.label("rubric"))
        .join(RUBRIC, SUBMISSION.c.rubric_digest == RUBRIC.c.digest, isouter=True)
        .where(SUBMISSION.c.judgment_id == judgment_id)
    )
    row = connection.execute(question).one_or_none()
    if row is None:
        return None
    what = f"the submission of judgment {judgment_id!r}"
    if row.rubric is None:
        return _read(Submission, row.payload, what)
    return _read(Submission, row.payload, what, rubric=_read(Rubric, row.rubric, what))


def judgments(connection: Connection, wanted: Filter, limit: int, after: Position | None) -> Page[Judgment]:
    place = tuple_(JUDGMENT.c.created_us, JUDGMENT.c.id)
    question = select(JUDGMENT.c.created_us, JUDGMENT.c.id, JUDGMENT.c.payload).where(*wanted.conditions())
    if after is not None:
        question = question.where(place < tuple_(literal(after.created_us, BigInteger), literal(after.id, SafeText)))
    question = question.order_by(JUDGMENT.c.created_us.desc(), JUDGMENT.c.id.desc()).limit(limit + 1)
    rows = connection.execute(question).all()
    items = tuple(_read(Judgment, row.payload, f"judgment {row.id!r}") for row in rows[:limit])
    more = len(rows) > limit
    return Page(items, Position(rows[limit - 1].created_us, rows[limit - 1].id).cursor() if more else None)


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


def rubric_versions(connection: Connection, rubric_id: str) -> tuple[str, ...]:
    """Published versions, oldest first in the order of semantic versions."""
    question = select(PUBLICATION.c.version).where(PUBLICATION.c.rubric_id == rubric_id)
    return tuple(sorted(connection.execute(question).scalars(), key=version_key))


def rubric_ids(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(select(PUBLICATION.c.rubric_id).distinct()).scalars()))


def verdicts(connection: Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``keys`` that are known."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), _KEYS_PER_QUESTION):
        some = keys[start : start + _KEYS_PER_QUESTION]
        rows = connection.execute(select(VERDICT.c.key, VERDICT.c.payload).where(VERDICT.c.key.in_(some)))
        found.update((row.key, decode_mapping(row.payload)) for row in rows)
    return found


def counts(connection: Connection) -> dict[str, int]:
    """Rows by noun."""
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


def _of_rubric(name: str) -> list[ColumnElement[bool]]:
    if name.startswith("sha256:"):
        return [JUDGMENT.c.rubric_digest == name]
    try:
        rubric_id, version = split_name(name)
    except ValueError as fault:
        raise BadInput(f"rubric: {fault}.") from fault
    same_id = JUDGMENT.c.rubric_id == rubric_id
    return [same_id] if version is None else [same_id, JUDGMENT.c.rubric_version == version]


def _status(given: str) -> str:
    known = [status.value for status in JudgmentStatus]
    if given not in known:
        raise BadInput(f"status is {given!r}.", remedy=f"Use one of {', '.join(known)}.")
    return str(given)


def _moment(name: str, given: datetime) -> int:
    if given.tzinfo is None:
        raise BadInput(f"{name} has no time zone.", remedy=f"Write it like {given.isoformat()}Z.")
    return microseconds(given)
