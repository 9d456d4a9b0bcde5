"""What one commit writes, in one transaction: judgments with their submissions and rubrics, verdicts, charges.

Verdicts are read here too, by the same keys. Their rows go through SQL of the driver: every submission reads and writes
a dozen."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Insert, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from judge_server.core.budget import Charge, Payer
from judge_server.core.errors import RubricConflict, StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.database import Database
from judge_server.store.fault import concerns_the_database, translate
from judge_server.store.payload import (
    TEXT_FIELDS,
    StoredText,
    StoredTexts,
    encode,
    pack_reading,
    stored_texts,
    unpack_reading,
)
from judge_server.store.schema import BUDGET, JUDGMENT, PUBLICATION, RUBRIC, SERVED_RUBRIC, SUBMISSION, TEXT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
LARGEST: Final = 2**63 - 1
_LEFT_OUT: Final = frozenset({"rubric", *TEXT_FIELDS})
_MOST_KNOWN: Final = 10_000
_KEY_DIGITS: Final = 64
_KEYS_PER_QUESTION: Final = 500

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgment to be stored, with its submission and the name of its caller. Without a rubric the judgment says why
    it has none. ``texts``: the submission's, if they were packed before."""

    judgment: Judgment
    submission: Submission
    rubric: Rubric | None
    caller: str
    texts: StoredTexts | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Verdicts to be stored under their content keys."""

    entries: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Charged:
    """What calls cost, to be added to the budgets of who pays for them."""

    charges: Mapping[Payer, Charge]


@dataclass(frozen=True, slots=True)
class Rows:
    """An item prepared for the database. A rubric is encoded only if it is not yet known to be stored."""

    judgment: Row | None
    submission: Row | None
    rubrics: tuple[Rubric, ...]
    verdicts: dict[bytes, bytes]
    texts: tuple[StoredText, ...]
    charges: Mapping[Payer, Charge] = field(default_factory=dict)


class Writer:
    """Blocking; used by the writing thread only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_rubrics: set[str] = set()

    def commit(self, items: Sequence[Judged | Known | Charged]) -> list[Exception | None]:
        """One transaction for all. If one item makes it fail, each is tried alone, so that only that item is lost."""
        prepared = [self.prepared(item) for item in items]
        ready = [rows for rows in prepared if isinstance(rows, Rows)]
        fault = self._try(ready)
        errors: list[Exception | None] = []
        for rows in prepared:
            if not isinstance(rows, Rows):
                errors.append(rows)
            elif fault is None or concerns_the_database(fault):
                errors.append(self._translated(fault))
            else:
                errors.append(self._alone(rows))
        return errors

    def put_rubric(self, rubric: Rubric, *, published: bool) -> None:
        """Raises RubricConflict if the version is published with other content."""

        def work(connection: Connection) -> str:
            insert_missing(connection, RUBRIC, [_rubric_row(rubric)])
            if not published:
                return rubric.digest
            row = {"rubric_id": rubric.id, "version": rubric.version, "digest": rubric.digest}
            insert_missing(connection, PUBLICATION, [row | {"published_us": microseconds(datetime.now(UTC))}])
            version = (PUBLICATION.c.rubric_id == rubric.id) & (PUBLICATION.c.version == rubric.version)
            return str(connection.execute(select(PUBLICATION.c.digest).where(version)).scalar_one())

        standing = self._database.write(work)
        if standing != rubric.digest:
            raise RubricConflict(
                f"{rubric.name} is already published with the digest {standing}; this content has {rubric.digest}.",
                remedy="Give the changed rubric a new version.",
                published_digest=standing,
                given_digest=rubric.digest,
            )

    def serve_rubric(self, rubric: Rubric) -> str:
        """Store the digest under id@version unless one is stored; return the stored one."""

        def work(connection: Connection) -> str:
            row = {"rubric_id": rubric.id, "version": rubric.version, "digest": rubric.digest}
            insert_missing(connection, SERVED_RUBRIC, [row | {"first_us": microseconds(datetime.now(UTC))}])
            version = (SERVED_RUBRIC.c.rubric_id == rubric.id) & (SERVED_RUBRIC.c.version == rubric.version)
            return str(connection.execute(select(SERVED_RUBRIC.c.digest).where(version)).scalar_one())

        return self._database.write(work)

    def prepared(self, item: Judged | Known | Charged) -> "Rows | Exception":
        try:
            return _rows(item)
        except Exception as fault:  # noqa: BLE001 one bad value must not affect the other items
            what = f"judgment {item.judgment.id!r}" if isinstance(item, Judged) else "a verdict"
            return StoreUnavailable(f"{what} cannot be written as JSON: {fault}")

    def known(self, written: Iterable[Rows]) -> None:
        """After the commit: rubrics that need not be written again."""
        if len(self._known_rubrics) > _MOST_KNOWN:
            self._known_rubrics.clear()
        self._known_rubrics.update(rubric.digest for rows in written for rubric in rows.rubrics)

    def _try(self, ready: Sequence[Rows]) -> Exception | None:
        try:
            self._database.write(lambda connection: self.insert(connection, ready))
        except Exception as fault:  # noqa: BLE001 passed on to the callers of these rows
            return fault
        self.known(ready)
        return None

    def _alone(self, rows: Rows) -> Exception | None:
        fault = self._try([rows])
        if isinstance(fault, IntegrityError) and rows.judgment is not None:
            return self._already_there(rows.judgment, fault)
        return self._translated(fault)

    def _already_there(self, row: Row, refusal: Exception) -> Exception | None:
        """Whether it was saved before with the same content, which makes saving again after a lost connection safe."""
        own = select(JUDGMENT.c.content).where(JUDGMENT.c.id == row["id"])
        try:
            standing = self._database.write(lambda connection: connection.execute(own).scalar_one_or_none())
        except Exception as fault:  # noqa: BLE001 passed on to the caller of this row
            return self._translated(fault)
        if standing is None:
            return self._translated(refusal)
        if standing == row["content"]:
            return None
        return StoreUnavailable(f"judgment {row['id']!r} is not stored: another judgment has this id.", stands=True)

    def _translated(self, fault: Exception | None) -> Exception | None:
        return None if fault is None else translate(fault, self._database.location)

    def insert(self, connection: Connection, ready: Sequence[Rows]) -> None:
        rubrics = {rubric.digest: rubric for rows in ready for rubric in rows.rubrics}
        missing = [_rubric_row(rubrics[digest]) for digest in sorted(rubrics.keys() - self._known_rubrics)]
        insert_missing(connection, RUBRIC, missing)
        judgments = [rows.judgment for rows in ready if rows.judgment is not None]
        if judgments:
            texts = {text.digest: text for rows in ready for text in rows.texts}
            insert_missing(connection, TEXT, [_text_row(texts[digest]) for digest in sorted(texts)])
            connection.execute(JUDGMENT.insert(), judgments)
            connection.execute(SUBMISSION.insert(), [rows.submission for rows in ready if rows.submission is not None])
        _insert_verdicts(connection, {key: content for rows in ready for key, content in rows.verdicts.items()})
        _add_charges(connection, [rows.charges for rows in ready if rows.charges])


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not stored yet."""
    if rows:
        connection.execute(_insert_or_ignore(table, connection.dialect.name), rows)


def _add_charges(connection: Connection, charges: Sequence[Mapping[Payer, Charge]]) -> None:
    """Always in the same order, so that two processes cannot deadlock. One without a budget is charged nothing."""
    sums: dict[Payer, Charge] = {}
    for some in charges:
        for payer, charge in some.items():
            sums[payer] = sums.get(payer, Charge()).plus(charge)
    column = BUDGET.c
    for payer, charge in sorted(sums.items()):
        spent = {
            "spent_dollars": column.spent_dollars + charge.dollars,
            "spent_tokens": column.spent_tokens + charge.tokens,
        }
        own = (column.kind == payer.kind) & (column.name == payer.name)
        connection.execute(update(BUDGET).where(own).values(spent))


def known_verdicts(connection: Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``keys`` that are known."""
    found: dict[str, dict[str, Any]] = {}
    mark = _mark(connection)
    for start in range(0, len(keys), _KEYS_PER_QUESTION):
        some = {verdict_key(key): key for key in keys[start : start + _KEYS_PER_QUESTION]}
        marks = ",".join([mark] * len(some))
        query = f"SELECT key, content FROM verdict WHERE key IN ({marks})"  # noqa: S608 - marks of parameters only
        for key, content in connection.exec_driver_sql(query, tuple(some)):
            found[some[bytes(key)]] = unpack_reading(bytes(content))
    return found


def _insert_verdicts(connection: Connection, verdicts: Mapping[bytes, bytes]) -> None:
    """Insert those whose key is not stored yet; always in the same order, so that two processes with the same verdicts
    cannot deadlock."""
    if verdicts:
        mark = _mark(connection)
        insert = f"INSERT INTO verdict (key, content) VALUES ({mark}, {mark}) ON CONFLICT DO NOTHING"  # noqa: S608
        connection.exec_driver_sql(insert, sorted(verdicts.items()))


def verdict_key(key: str) -> bytes:
    """32 bytes: those that a key of 64 hexadecimal digits stands for, or a digest of any other key."""
    if len(key) == _KEY_DIGITS and not key.strip("0123456789abcdef"):
        return bytes.fromhex(key)
    return sha256(b"key\0" + key.encode("utf-8", "surrogatepass")).digest()


def _mark(connection: Connection) -> str:
    """What stands for a parameter in SQL of the driver."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def microseconds(moment: datetime) -> int:
    """Since 1970 in UTC, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    """The inverse of ``microseconds``."""
    return _EPOCH + us * _MICROSECOND


@cache
def _insert_or_ignore(table: Table, dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _rubric_row(rubric: Rubric) -> Row:
    # whole: a rubric outlives our defaults, and a criterion's default points depend on whether it has a gate
    return {"digest": rubric.digest, "payload": encode(rubric, whole=True)}


def _rows(item: Judged | Known | Charged) -> Rows:
    if isinstance(item, Charged):
        return Rows(None, None, (), {}, (), item.charges)
    if isinstance(item, Known):
        verdicts = {verdict_key(key): pack_reading(content) for key, content in item.entries.items()}
        return Rows(None, None, (), verdicts, ())
    submission = item.submission
    inline = submission.rubric if isinstance(submission.rubric, Rubric) else None
    rubrics = tuple(rubric for rubric in (item.rubric, inline) if rubric is not None)
    texts = stored_texts(submission) if item.texts is None else item.texts
    digests = {name: text.digest for name, text in texts.items()}
    return Rows(
        _judgment_row(item.judgment, submission) | {"caller": item.caller},
        _submission_row(item.judgment, submission, inline) | digests,
        rubrics,
        {},
        tuple(texts.values()),
    )


def _text_row(text: StoredText) -> Row:
    return {"digest": text.digest, "size": text.size, "content": text.content}


def _judgment_row(judgment: Judgment, submission: Submission) -> Row:
    rubric, judge, coordinates = judgment.rubric, judgment.judge, judgment.submission
    step = coordinates.step
    return {
        "id": judgment.id,
        "created_us": microseconds(judgment.created_at),
        "rubric_id": rubric.id if rubric else None,
        "rubric_version": rubric.version if rubric else None,
        "rubric_digest": rubric.digest if rubric else None,
        "judge": judge.name if judge else None,
        "fingerprint": judge.fingerprint if judge else None,
        "submission_id": coordinates.id,
        "run": coordinates.run,
        "group_name": coordinates.group,
        "step": None if step is None else min(step, LARGEST),  # the payload has the exact value
        "policy": coordinates.policy,
        "prompt_key": submission.prompt_key,
        "maps": judge.calibration if judge else None,
        "guard": judgment.guard,
        "status": judgment.status.value,
        "reward": judgment.reward,
        "flags": json.dumps(judgment.flags) if judgment.flags else "[]",
        "content": encode(judgment),
    }


def _submission_row(judgment: Judgment, submission: Submission, inline: Rubric | None) -> Row:
    return {
        "judgment_id": judgment.id,
        "digest": judgment.submission_digest,
        "rubric_digest": inline.digest if inline else None,
        **dict.fromkeys(TEXT_FIELDS),
        "content": encode(submission, leave_out=_LEFT_OUT if inline else frozenset(TEXT_FIELDS)),
    }
