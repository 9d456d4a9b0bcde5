"""The store's interface: async calls; the blocking work runs in a few threads of its own."""

import asyncio
import logging
import secrets
import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from typing import Any, Final, Generic, Self, TypeVar, Unpack

from sqlalchemy import Connection, select, text

from judge_server.core.budget import Charge, Payer
from judge_server.core.caller import caller_name, current_caller
from judge_server.core.erasure import NO_SOURCES, Sources
from judge_server.core.errors import StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store import audit_records, reading, revision
from judge_server.store.alarm_records import AlarmRecords
from judge_server.store.api_key_records import ApiKeyRecords
from judge_server.store.audit_records import AuditRecords, WatchRecords
from judge_server.store.budget_records import BudgetRecords
from judge_server.store.calibration_records import CalibrationRecords
from judge_server.store.database import READERS, Database, PoolUse, Traffic
from judge_server.store.draft_records import DraftRecords
from judge_server.store.erasure_records import ErasureRecords
from judge_server.store.exam_records import ExamRecords
from judge_server.store.fault import translate, unanswered
from judge_server.store.group_commit import GroupCommit
from judge_server.store.improvement_records import ImprovementRecords
from judge_server.store.job_erasure import JobErasure
from judge_server.store.job_records import JobRecords
from judge_server.store.job_writing import JobWriter
from judge_server.store.judgment_row import read_judgment
from judge_server.store.label_plan_records import LabelPlanRecords
from judge_server.store.label_records import LabelRecords
from judge_server.store.location import Location
from judge_server.store.monitor_records import MonitorRecords
from judge_server.store.page import Page, Position, check_limit
from judge_server.store.payload import LONG_CHARACTERS, stored_apart
from judge_server.store.published_rubrics import put_rubric, serve_rubric
from judge_server.store.queue_records import QueueRecords
from judge_server.store.quotation import Quotations
from judge_server.store.reask_records import ReaskRecords
from judge_server.store.run_prompts import RunPromptRecords
from judge_server.store.run_records import RunRecords
from judge_server.store.run_step_records import RunStepRecords
from judge_server.store.schema import SECRET
from judge_server.store.search_records import SearchRecords
from judge_server.store.searching import found_by_text
from judge_server.store.signature_records import StoredSignatures
from judge_server.store.writing import Charged, Judged, Known, Rows, Writable, Writer, insert_missing, known_verdicts
from judge_server.util.concurrency import in_daemon
from judge_server.util.deadline import wait_ends_at
from judge_server.util.time_limit import until, within
from judge_server.util.turns import FairThreads

Result = TypeVar("Result")
Value = TypeVar("Value")
_AT_ONCE, _MOST_KEYS = 256, 2_000
_LOG = logging.getLogger(__name__)
_CLOSE_SECONDS: Final = 0.4
_FENCES = "fences"
Found = dict[str, dict[str, Any]]


class Store:
    """Keeps judgments, submissions, rubrics and verdicts. Belongs to the event loop that opened it.

    Every method raises StoreUnavailable when the database does not answer. After ``save`` or ``remember`` has returned,
    the data survives a killed process (on SQLite a power cut may lose the last transactions, but does not corrupt the
    file).
    """

    answers_repeats = True

    def __init__(self, database: Database, writing: FairThreads, secret: bytes) -> None:
        self._database = database
        self._writing = writing
        self._reading = (
            writing if database.location.memory else FairThreads(READERS, "store-reader", caller_name, READERS // 2)
        )
        self._secret = secret
        self._writer = Writer(database)
        self._group: GroupCommit[Writable | Rows] = GroupCommit(self._writer.commit, writing)
        self._finishing = GroupCommit(JobWriter(database, self._writer).commit, writing)
        self._recall = GroupRecall(self._ask_for_verdicts)
        self._standing = GroupRecall(self._ask_for_judgments)
        self._closed = False
        self.traffic = Traffic()
        self.labels = LabelRecords(self._read, self._write)
        self.label_plans = LabelPlanRecords(self._read, self._write)
        self.calibrations = CalibrationRecords(self._read, self._write)
        self.drafts = DraftRecords(self._read, self._write)
        self.jobs = JobRecords(self._read, self._write, self._finishing)
        self.monitor = MonitorRecords(self._read)
        self.alarms = AlarmRecords(self._read, self._write)
        self.audits = AuditRecords(self._read, self._write, self._writer)
        self.watches = WatchRecords(self._read, self._write)
        self.runs = RunRecords(self._read, self._write)
        self.run_prompts = RunPromptRecords(self._read)
        self.run_steps = RunStepRecords(self._read)
        self.erasures = ErasureRecords(self._read, self._write)
        self.job_erasure = JobErasure(self._read, self._write)
        self.quotations = Quotations(self._read, self._write)
        self.search = SearchRecords(self._read, self._write)
        self.reasks = ReaskRecords(self._read, self._write)
        self.queue = QueueRecords(self._read, self._write)
        self.exams = ExamRecords(self._read, self._write)
        self.improvements = ImprovementRecords(self._read, self._write)
        self.signatures = StoredSignatures(self._read, self._write)
        self.api_keys = ApiKeyRecords(self._read, self._write)
        self.budgets = BudgetRecords(self._read, self._write)

    @classmethod
    async def open(
        cls, url: str, *, patience_seconds: float = 10.0, secret: bytes | None = None, migrate: bool = True
    ) -> Self:
        """Open and, if needed, migrate the database at ``url``: ``sqlite:///file.db``, ``sqlite://`` (in memory), a
        file's path, or ``postgresql://user:password@host/name``. ``patience_seconds``: how long to wait for another
        process that writes to the same SQLite file. ``secret``: the secret of a new database; random by default.
        Without ``migrate`` nothing is written, and a database of another revision is refused.

        Raises BadConfiguration if another try cannot help (a wrong URL or password, a damaged or read-only file, a
        database of a newer judge-server), MissingDependency without psycopg, else StoreUnavailable.
        """
        location = Location.of(url)
        writing = FairThreads(1, "store-writer", caller_name)
        opening = writing.submit(_open, location, patience_seconds, secret or secrets.token_bytes(32), migrate)
        try:
            database, kept = await asyncio.wrap_future(opening)
        except BaseException:
            opening.add_done_callback(_close_unwanted)  # who asked may have left before the database answered
            writing.shutdown(wait=False)
            raise
        return cls(database, writing, kept)

    async def close(self) -> None:
        """Commit what is queued and close every connection. Idempotent."""
        if self._closed:
            return
        self._closed = True
        closing = asyncio.gather(self._group.close(), self._finishing.close(), return_exceptions=True)
        try:
            with within(_CLOSE_SECONDS):
                try:
                    await closing
                finally:  # what did not end in time ends when the database answers: then nothing stays open
                    released = in_daemon(self._release, "store-release")
                await asyncio.wrap_future(released)
        except TimeoutError:  # the threads wait for the database, which ends their wait
            _LOG.warning("the database %s did not answer while the store closed", self._database.location)

    async def secret(self) -> bytes:
        """At least 32 unguessable bytes, constant for the life of the database."""
        return self._secret

    async def save(self, judgment: Judgment, submission: Submission, rubric: Rubric | None) -> None:
        """Return after the commit that holds the judgment. Saving the same judgment again changes nothing."""
        with self.traffic.waiting("commit"):
            caller, long = current_caller.get().name, submission.characters > LONG_CHARACTERS
            texts = await stored_apart(submission, caller) if long else None
            judged = self._writer.prepared_early(Judged(judgment, submission, rubric, caller, texts))
            await self._group.add(judged, alone=long)

    async def save_many(self, saved: Iterable[tuple[Judgment, Submission, Rubric | None]]) -> None:
        """``save`` for each. One that cannot be stored does not affect the others; its error is raised at the end."""
        items = [Judged(*one, current_caller.get().name) for one in saved]
        some = [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]
        for outcome in await asyncio.gather(*(self._group.add(*part) for part in some), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def remember(self, entries: Mapping[str, Mapping[str, Any]], sources: Sources = NO_SOURCES) -> None:
        """``keep``, and return after the commit."""
        if entries:
            with self.traffic.waiting("commit"):
                await self._group.add(Known(entries, sources))

    def keep(self, entries: Mapping[str, Mapping[str, Any]], sources: Sources = NO_SOURCES) -> "asyncio.Future[None]":
        """Queue JSON objects (integers of at most 64 bits) to be stored under their content keys; an existing value
        stays. They are committed before or with any judgment that is saved later; the future says how it went.
        ``sources``: by key, names of 16 bytes of what the object is about, by which ``erasures.about`` finds it."""
        return self._group.put(self._writer.prepared_early(Known(entries, sources)))

    def charge(self, charges: Mapping[Payer, Charge]) -> "asyncio.Future[None]":
        """Queue what calls cost, to be added to budgets in the same way. Raises StoreUnavailable if too much waits."""
        return self._group.put(Charged(charges))

    async def recall(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The values of ``keys``; unknown keys are left out."""
        return await self._recall.recall(keys) if keys else {}

    async def judgment(self, judgment_id: str, *, caller: str | None = None) -> Judgment | None:
        """None if there is none, or if it is not of this ``caller``."""
        return await self._read(lambda connection: reading.judgment(connection, judgment_id, caller))

    async def standing(self, judgment_id: str) -> Judgment | None:
        """``judgment`` for many callers at once: one query for all that ask at the same time."""
        found = await self._standing.recall((judgment_id,))
        return read_judgment(found[judgment_id], judgment_id) if found else None

    async def submission(self, judgment_id: str) -> Submission | None:
        """The judged submission, including an inline rubric."""
        return await self._read(lambda connection: reading.submission(connection, judgment_id))

    async def judgments(
        self, *, limit: int = 100, cursor: str | None = None, **wanted: Unpack[reading.Filter]
    ) -> Page[Judgment]:
        """Newest first. ``limit`` is 1 to 1000; ``cursor``: ``next_cursor`` of the page before, with the same filters.
        With ``text`` a page may hold fewer judgments although it names a next one. Raises BadInput naming the field."""
        reading.conditions_of(wanted)
        check_limit(limit)
        after = None if cursor is None else Position.of(cursor)
        text = wanted.get("text")
        if text is not None:
            return await self._read(lambda connection: found_by_text(connection, wanted, text, limit, after))
        return await self._read(lambda connection: reading.judgments(connection, wanted, limit, after))

    async def put_rubric(self, rubric: Rubric, *, published: bool) -> None:
        """Store the content under its digest and, if ``published``, permanently under id@version. Raises RubricConflict
        with both digests if that version is published with other content."""
        await self._run(self._writing, lambda: put_rubric(self._database, rubric, published=published))

    async def serve_rubric(self, rubric: Rubric) -> str:
        """The digest that first judged under this id@version in this database; that of ``rubric`` if there was none."""
        return await self._run(self._writing, lambda: serve_rubric(self._database, rubric))

    async def rubric(self, rubric_id: str, version: str | None = None) -> Rubric | None:
        """The published version; the newest without ``version``."""
        return await self._read(lambda connection: reading.rubric(connection, rubric_id, version))

    async def served_rubric(self, rubric_id: str, version: str | None = None) -> Rubric | None:
        """The content with which this version, or the newest one, first judged. None until a
        judgment under it is stored."""
        return await self._read(lambda connection: reading.served_rubric(connection, rubric_id, version))

    async def rubric_by_digest(self, digest: str) -> Rubric | None:
        """Any rubric ever published or judged by."""
        return await self._read(lambda connection: reading.rubric_by_digest(connection, digest))

    async def rubric_versions(self, rubric_id: str) -> tuple[str, ...]:
        """Published versions, oldest first."""
        return await self._read(lambda connection: reading.rubric_versions(connection, rubric_id))

    async def rubric_ids(self) -> tuple[str, ...]:
        """Ids with a published version, sorted."""
        return await self._read(reading.rubric_ids)

    async def counts(self) -> dict[str, int]:
        """``judgments``, ``rubrics`` (contents), ``published_rubrics`` (versions) and ``verdicts``."""
        return await self._read(reading.counts)

    async def overwrite_erased(self) -> None:
        """Leave no removed text in memory and in SQLite's files. On PostgreSQL VACUUM does that, in its own time."""
        self._writer.forget_texts()
        await self._run(self._writing, self._database.checkpoint)

    async def ping(self) -> None:
        """Return when the database answers."""
        await self._read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    async def prove_writable(self) -> None:
        """Return when a row is committed by the thread that writes judgments, and their table took part: then a
        judgment could be stored too. If the database refused the last one, there must also be room for its texts."""
        await self._write(audit_records.prove_room if self._writer.failing else audit_records.prove_writable)

    @property
    def name(self) -> str:
        """The database for people: without user, password and options."""
        return self._database.location.name

    def connections(self) -> tuple[PoolUse, ...]:
        """Of each pool."""
        return self._database.connections()

    def free_bytes(self) -> int | None:
        """Room on the disk of a SQLite file; None for other databases. It blocks as long as the disk does."""
        file = self._database.location.file
        return None if file is None else shutil.disk_usage(file.absolute().parent).free

    async def _ask_for_verdicts(self, keys: Sequence[str]) -> Found:
        with self.traffic.waiting("read"):
            return await self._run(self._reading, lambda: known_verdicts(self._database, keys))

    async def _ask_for_judgments(self, ids: Sequence[str]) -> dict[str, str]:
        return await self._read(partial(reading.contents, ids=ids))

    async def _read(self, question: Callable[[Connection], Result]) -> Result:
        with self.traffic.waiting("read"):
            return await self._run(self._reading, lambda: self._database.read(question))

    async def _write(self, work: Callable[[Connection], Result]) -> Result:
        with self.traffic.waiting("write"):
            return await self._run(self._writing, lambda: self._database.write(work))

    async def _run(self, threads: FairThreads, work: Callable[[], Result]) -> Result:
        if self._closed:
            raise StoreUnavailable("The store is closed.", remedy="The server is shutting down: try again later.")
        limit = until(wait_ends_at.get())
        try:
            with limit:
                return await asyncio.get_running_loop().run_in_executor(threads, work)
        except Exception as fault:
            if limit.expired:
                raise unanswered() from None
            raise translate(fault, self._database.location) from fault

    def _release(self) -> None:
        self._reading.shutdown()
        self._writing.shutdown()
        self._database.close()


def _close_unwanted(opening: "Future[tuple[Database, bytes]]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()


def _open(location: Location, patience_seconds: float, secret: bytes, migrate: bool) -> tuple[Database, bytes]:
    database = Database(location, patience_seconds)
    try:
        database.prepare()
        if not migrate:
            revision.require_newest(database)
            return database, database.read(_standing_secret) or secret  # nobody has opened it to write yet
        if database.read(revision.revision_of) != revision.newest_revision():
            from judge_server.store import migration  # Alembic takes a fifth of a second

            migration.upgrade(database)
        return database, database.write(lambda connection: _secret(connection, secret))
    except Exception as fault:
        database.close()
        raise translate(fault, location, opening=True) from fault


def _secret(connection: Connection, new: bytes) -> bytes:
    """Write on every opening, so that a read-only database fails now."""
    insert_missing(connection, SECRET, [{"name": _FENCES, "value": new}])
    return _standing_secret(connection)


def _standing_secret(connection: Connection) -> bytes:
    """Empty if there is none."""
    found = connection.execute(select(SECRET.c.value).where(SECRET.c.name == _FENCES)).scalar_one_or_none()
    return bytes(found or b"")


class GroupRecall(Generic[Value]):
    """``ask`` gets distinct keys and returns the known ones. One query runs at a time: a query for hundreds of keys
    costs little more than one for ten."""

    def __init__(self, ask: Callable[[Sequence[str]], Awaitable[dict[str, Value]]]) -> None:
        self._ask = ask
        self._waiting: deque[tuple[Sequence[str], asyncio.Future[Mapping[str, Value]]]] = deque()
        self._asking: asyncio.Task[None] | None = None

    async def recall(self, keys: Sequence[str]) -> dict[str, Value]:
        """Those of ``keys`` that are known; re-raises the exception of ``ask``."""
        answer: asyncio.Future[Mapping[str, Value]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_for_all(), name="store-group-recall", context=Context())
        try:
            with until(wait_ends_at.get()):
                found = await answer
        except TimeoutError:
            raise unanswered() from None
        return {key: found[key] for key in keys if key in found}

    async def _ask_for_all(self) -> None:
        while self._waiting:
            wanted: dict[str, None] = {}
            answers = []
            while self._waiting and len(wanted) < _MOST_KEYS:
                keys, answer = self._waiting.popleft()
                wanted.update(dict.fromkeys(keys))
                answers.append(answer)
            try:
                found = await self._ask(list(wanted))
            except Exception as fault:  # noqa: BLE001 passed on to the waiters
                _fail(answers, fault)
            except BaseException:
                _fail(answers, StoreUnavailable("The store stopped before it answered."))
                raise
            else:
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found)


def _fail(answers: Sequence["asyncio.Future[Mapping[str, Value]]"], fault: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(fault)
