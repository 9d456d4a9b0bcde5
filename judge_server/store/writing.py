"""What one commit writes, in one transaction: judgments with their submissions and rubrics, verdicts, charges.

Verdicts are read here too. A key of 64 hexadecimal digits names in its first half what a judge was shown, in its second
who was asked what. All verdicts on what was shown stand in one row, because a submission asks for a dozen at once:
fewer and shorter rows than one for each, and one date. They go through SQL of the driver: every submission reads and
writes one.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache, partial
from hashlib import blake2b, sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Insert, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from judge_server.core.budget import Charge, Payer
from judge_server.core.erasure import Sources
from judge_server.core.errors import StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.budget_records import add_charges
from judge_server.store.database import MISSING, Database, driver_rows, insert_many, insert_rows
from judge_server.store.fault import concerns_the_database, translate
from judge_server.store.judgment_row import StoredForm, Templates, columns_of, filed, judgment_of
from judge_server.store.payload import (
    KEY_BYTES,
    LONG_CHARACTERS,
    TEXT_FIELDS,
    StoredText,
    StoredTexts,
    encode,
    part_readings,
    reading_entry,
    stored_texts,
    unpack_reading,
)
from judge_server.store.run_tally import RunTally
from judge_server.store.schema import FORM, JUDGMENT, JUDGMENT_TAG, RUBRIC, TEXT

Row = dict[str, Any]
_NO_TEXTS: Final[Row] = dict.fromkeys(TEXT_FIELDS)
_NAME_SOURCES: Final = "INSERT INTO verdict_source (source, verdict)"
_MOST_KNOWN: Final = 10_000
_FEW_VERDICTS: Final = 64
KEY_DIGITS: Final = 64
_HEXADECIMAL: Final = "0123456789abcdef"
_SHOWN_BYTES: Final = 16
_MOST_BYTES: Final = 262_144  # of one row of verdicts: with more it begins anew
_DAY_SECONDS: Final = 86_400
_KEYS_PER_QUESTION: Final = 500


class VerdictKey(NamedTuple):
    """``shown``: 16 bytes, of a row. ``asked``: 8 bytes, of a verdict in it."""

    shown: bytes
    asked: bytes


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
    """Verdicts to be stored under their content keys, and what they are about."""

    entries: Mapping[str, Mapping[str, Any]]
    sources: Sources


@dataclass(frozen=True, slots=True)
class Charged:
    """What calls cost, for the budgets of who pays for them."""

    charges: Mapping[Payer, Charge]


Writable = Judged | Known | Charged


@dataclass(frozen=True, slots=True)
class Rows:
    """An item prepared for the database. ``form`` and ``texts`` get their numbers there. A rubric is encoded only if it
    is not yet known to be stored."""

    judgment: Row | None
    form: StoredForm | None
    rubrics: tuple[Rubric, ...]
    verdicts: dict[VerdictKey, bytes]
    texts: StoredTexts
    charges: Mapping[Payer, Charge] = field(default_factory=dict)
    made: Judgment | None = None
    tags: tuple[str, ...] = ()
    sources: frozenset[tuple[bytes, bytes]] = frozenset()


class Writer:
    """Blocking; used by the writing thread only, but for ``prepared`` and ``prepared_early``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_rubrics: set[str] = set()
        self._known_forms: dict[StoredForm | None, int] = {}
        self._new_forms: dict[StoredForm | None, int] = {}
        self._templates = Templates()
        self._prompts: dict[bytes, StoredText] = {}  # packed; several responses to one come together
        self._tally = RunTally(numbered)
        self._new_numbers: Mapping[Any, int] = {}
        self.failing = False
        """Whether the database refused the last commit."""

    def commit(self, items: Sequence[Writable | Rows]) -> list[Exception | None]:
        """One transaction for all. If one item makes it fail, each is tried alone, so that only that item is lost."""
        prepared = [self.prepared(item) for item in items]
        ready = [rows for rows in prepared if isinstance(rows, Rows)]
        fault = self._try(ready)
        self.failing = fault is not None and concerns_the_database(fault)
        errors: list[Exception | None] = []
        for rows in prepared:
            if not isinstance(rows, Rows):
                errors.append(rows)
            elif fault is None or concerns_the_database(fault):
                errors.append(self._translated(fault))
            else:
                errors.append(self._alone(rows))
        return errors

    def prepared_early(self, item: Writable) -> Writable | Rows:
        """``item`` as rows, made by the thread that queues it, if that takes less than a millisecond; else as it was,
        and as one that cannot be written, of which ``commit`` tells. Of two threads that run Python each takes the
        interpreter's lock from the other, so the writing thread had better do nothing but write."""
        rows = self.prepared(item) if _is_small(item) else None
        return rows if isinstance(rows, Rows) else item

    def prepared(self, item: Writable | Rows) -> Rows | Exception:
        if isinstance(item, Rows):
            return item
        try:
            return _rows(item, self._templates, self._prompts)
        except Exception as fault:  # noqa: BLE001 one bad value must not affect the other items
            what = f"judgment {item.judgment.id!r}" if isinstance(item, Judged) else "a verdict"
            return StoreUnavailable(f"{what} cannot be written as JSON: {fault}")

    def forget_texts(self) -> None:
        """Keep no text of a submission here: one may be erased."""
        self._prompts.clear()

    def known(self, written: Iterable[Rows]) -> None:
        """After the commit: rubrics that need not be written again."""
        for kept in (self._known_rubrics, self._known_forms):
            if len(kept) > _MOST_KNOWN:
                kept.clear()
        self._known_forms |= self._new_forms
        if self._new_numbers:
            self._tally.settle(self._new_numbers)
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
        if isinstance(fault, IntegrityError) and rows.made is not None:
            return self._already_there(rows.made, fault)
        return self._translated(fault)

    def _already_there(self, judgment: Judgment, refusal: Exception) -> Exception | None:
        """Whether it was saved before with the same content, which makes saving again after a lost connection safe."""
        own = select(*columns_of()).join(FORM, FORM.c.id == JUDGMENT.c.form).where(JUDGMENT.c.id == judgment.id)
        try:
            standing = self._database.write(lambda connection: connection.execute(own).one_or_none())
            if standing is not None and judgment_of(standing) == judgment:
                return None
        except Exception as fault:  # noqa: BLE001 passed on to the caller of this row
            return self._translated(fault)
        if standing is None:
            return self._translated(refusal)
        return StoreUnavailable(f"judgment {judgment.id!r} is not stored: another judgment has this id.", stands=True)

    def _translated(self, fault: Exception | None) -> Exception | None:
        return None if fault is None else translate(fault, self._database.location)

    def insert(self, connection: Connection, ready: Sequence[Rows], *, audits: bool = False) -> None:
        """``audits``: they count in no run."""
        self._new_forms = {}  # of a transaction that failed: their numbers go to others
        rubrics = {rubric.digest: rubric for rows in ready for rubric in rows.rubrics}
        missing = [rubric_row(rubrics[digest]) for digest in sorted(rubrics.keys() - self._known_rubrics)]
        insert_missing(connection, RUBRIC, missing)
        self._insert_judgments(connection, [rows for rows in ready if rows.judgment is not None])
        insert_verdicts(connection, {key: content for rows in ready for key, content in rows.verdicts.items()})
        sources = sorted({one for rows in ready for one in rows.sources})
        insert_many(connection, _NAME_SOURCES, sources, MISSING)
        if charges := [rows.charges for rows in ready if rows.charges]:
            add_charges(connection, charges)
        of_runs = [] if audits else [(rows.judgment, rows.form) for rows in ready if (rows.judgment or {}).get("run")]
        self._new_numbers = self._tally.add(connection, of_runs) if of_runs else {}  # last: others wait for its rows

    def _insert_judgments(self, connection: Connection, ready: Sequence[Rows]) -> None:
        if not ready:
            return
        missing = [rows.form for rows in ready if rows.form is not None and rows.form not in self._known_forms]
        stored = [(form, form_row(form)) for form in missing]
        numbers = numbered(connection, FORM, {row["digest"]: row for _, row in stored})
        self._new_forms = {form: numbers[row["digest"]] for form, row in stored}
        forms = self._known_forms | self._new_forms if stored else self._known_forms
        numbers = numbered(
            connection, TEXT, {one.digest: _text_row(one) for rows in ready for one in rows.texts.values()}
        )
        judgments = [
            (rows.judgment or {})
            | _NO_TEXTS
            | {name: numbers[text.digest] for name, text in rows.texts.items()}
            | {"form": forms[rows.form]}
            for rows in ready
        ]
        insert_rows(connection, JUDGMENT, judgments)
        tags = [{"tag": tag, "judgment_id": rows.made.id} for rows in ready if rows.made for tag in rows.tags]
        if tags:
            connection.execute(JUDGMENT_TAG.insert(), tags)


def numbered(connection: Connection, table: Table, rows: Mapping[bytes, Row]) -> dict[bytes, int]:
    """Numbers of rows by digest, after those that are missing were inserted; always in the same order, so that two
    processes with the same rows cannot deadlock."""
    if not rows:
        return {}
    digests = sorted(rows)
    insert_rows(connection, table, [rows[digest] for digest in digests], MISSING)
    return _numbers(connection, table, digests)


def standing_numbers(connection: Connection, table: Table, rows: Mapping[bytes, Row]) -> dict[bytes, int]:
    """``numbered`` without inserting; -1 for a row that is not there."""
    return dict.fromkeys(rows, -1) | _numbers(connection, table, list(rows))


def _numbers(connection: Connection, table: Table, digests: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    mark = _mark(connection)
    for start in range(0, len(digests), _KEYS_PER_QUESTION):
        some = digests[start : start + _KEYS_PER_QUESTION]
        marks = ",".join([mark] * len(some))
        query = f"SELECT digest, id FROM {table.name} WHERE digest IN ({marks})"  # noqa: S608 - marks of parameters only
        found |= {bytes(digest): number for digest, number in driver_rows(connection, query, tuple(some))}
    return found


def form_row(form: StoredForm) -> Row:
    """``digest``: 16 bytes by which equal forms are stored once."""
    fields = asdict(form)
    named = json.dumps(list(fields.values())).encode()
    return fields | {"digest": blake2b(named, digest_size=16).digest()}


def _text_row(text: StoredText) -> Row:
    return {"digest": text.digest, "size": text.size, "content": text.content}


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not stored yet."""
    if rows:
        connection.execute(_insert_or_ignore(table, connection.dialect.name), rows)


@lru_cache(maxsize=4_096)  # read and then written
def verdict_key(key: str) -> VerdictKey:
    """Of a key of 64 hexadecimal digits, or of any other."""
    if len(key) == KEY_DIGITS and not key.strip(_HEXADECIMAL):
        whole = bytes.fromhex(key)
    else:
        whole = sha256(b"key\0" + key.encode("utf-8", "surrogatepass")).digest()
    return VerdictKey(whole[:_SHOWN_BYTES], whole[_SHOWN_BYTES : _SHOWN_BYTES + KEY_BYTES])


def known_verdicts(database: Database, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``keys`` that are known. Raises ValueError for a row that cannot be read."""
    wanted = {key: verdict_key(key) for key in keys}
    rows = _standing(database.rows, database.mark, {key.shown for key in wanted.values()})
    return {
        key: unpack_reading(packed)
        for key, (shown, asked) in wanted.items()
        if (packed := rows.get(shown, {}).get(asked)) is not None
    }


def insert_verdicts(connection: Connection, verdicts: Mapping[VerdictKey, bytes]) -> None:
    """Add those that are not known yet, as entries. Always in the same order, so that two processes with the same
    verdicts cannot deadlock; if both add one, the first stays."""
    new: dict[bytes, dict[bytes, bytes]] = {}
    for key, packed in verdicts.items():
        new.setdefault(key.shown, {})[key.asked] = packed
    for shown, known in _standing(partial(driver_rows, connection), _mark(connection), new).items():
        new[shown] = {asked: packed for asked, packed in new[shown].items() if asked not in known}
    day = today()
    rows = [(shown, day, len(some), b"".join(some.values())) for shown, some in sorted(new.items()) if some]
    insert_many(connection, _ADD_VERDICTS, rows, _added(connection.dialect.name))


def _standing(
    rows_of: Callable[[str, tuple[Any, ...]], Iterable[Any]], mark: str, shown: Iterable[bytes]
) -> dict[bytes, dict[bytes, bytes]]:
    """Packed verdicts by what was shown and what was asked."""
    found: dict[bytes, dict[bytes, bytes]] = {}
    wanted = list(shown)
    for start in range(0, len(wanted), _KEYS_PER_QUESTION):
        some = wanted[start : start + _KEYS_PER_QUESTION]
        marks = ",".join([mark] * len(some))
        query = f"SELECT key, content FROM verdict WHERE key IN ({marks})"  # noqa: S608 - marks of parameters only
        for key, content in rows_of(query, tuple(some)):
            found[bytes(key)] = part_readings(bytes(content))
    return found


_ADD_VERDICTS: Final = "INSERT INTO verdict (key, day, many, content)"


@cache
def _added(dialect: str) -> str:
    """What was remembered stays in front, so that it counts; its day stays too."""
    both = "verdict.content || excluded.content"
    if dialect == "sqlite":
        both = f"CAST({both} AS BLOB)"
    fits = f"length(verdict.content) + length(excluded.content) <= {_MOST_BYTES}"
    return (
        f"ON CONFLICT (key) DO UPDATE SET content = CASE WHEN {fits} THEN {both} ELSE excluded.content END, "
        f"many = CASE WHEN {fits} THEN verdict.many ELSE 0 END + excluded.many"
    )


def today() -> int:
    """Days since 1970 in UTC."""
    return int(time.time()) // _DAY_SECONDS


def _mark(connection: Connection) -> str:
    """What stands for a parameter in SQL of the driver."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


@cache
def _insert_or_ignore(table: Table, dialect: str) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def rubric_row(rubric: Rubric) -> Row:
    # whole: a rubric outlives our defaults, and a criterion's default points depend on whether it has a gate
    return {"digest": rubric.digest, "payload": encode(rubric, whole=True)}


def _is_small(item: Writable) -> bool:
    if isinstance(item, Judged):
        return item.submission.characters <= LONG_CHARACTERS and len(item.judgment.verdicts) <= _FEW_VERDICTS
    return not isinstance(item, Known) or len(item.entries) <= _FEW_VERDICTS


def _rows(item: Writable, templates: Templates, prompts: dict[bytes, StoredText]) -> Rows:
    if isinstance(item, Charged):
        return Rows(None, None, (), {}, {}, item.charges)
    if isinstance(item, Known):
        keys = ((verdict_key(key), content) for key, content in item.entries.items())
        verdicts = {key: reading_entry(key.asked, content) for key, content in keys}
        sources = frozenset((one, verdict_key(key).shown) for key in item.entries for one in item.sources.get(key, ()))
        return Rows(None, None, (), verdicts, {}, sources=sources)
    submission = item.submission
    inline = submission.rubric if isinstance(submission.rubric, Rubric) else None
    rubrics = tuple(rubric for rubric in (item.rubric, inline) if rubric is not None)
    texts = stored_texts(submission, prompts) if item.texts is None else item.texts
    row, form = filed(item.judgment, submission, templates)
    return Rows(row | {"caller": item.caller}, form, rubrics, {}, texts, made=item.judgment, tags=submission.tags)
