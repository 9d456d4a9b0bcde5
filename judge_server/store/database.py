"""Connections: one for writing and a few for reading. Calls block and belong in worker threads."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import chain
from typing import Any, Final, Literal, Protocol, TypeVar, get_args

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import registry
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from judge_server.core.errors import BadConfiguration, JudgeServerError, MissingDependency
from judge_server.core.extra import installing
from judge_server.store.fault import met_a_standby, repeatable
from judge_server.store.location import Location

_LOG = logging.getLogger(__name__)
Result = TypeVar("Result")
READERS: Final = 4
_PRAGMAS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    # a commit copies the write-ahead log into the file only if the copier has not kept up
    "PRAGMA wal_autocheckpoint = 8000",
)
_COPY_SECONDS: Final = 1.0
_PASSES: Final = 4  # each shorter than the one before: the next commit after a complete one begins the log anew
_CHECKPOINT_TRIES: Final = 20
# detects a dead server within half a minute; the system's defaults take two hours
_POSTGRESQL_OPTIONS: Final = {
    "connect_timeout": 5,
    "client_encoding": "utf8",
    "keepalives_idle": 10,
    "tcp_user_timeout": 30_000,
    "application_name": "judge-server",
    # no statement waits for another session's lock, or runs, for longer: the server's threads stay free
    "options": "-c lock_timeout=4s -c statement_timeout=120s",
}


Work = Literal["read", "write", "commit"]
WORKS: Final[tuple[Work, ...]] = get_args(Work)


_LATELY_SECONDS: Final = 15.0
_LONG_WAIT_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.004  # a judgment is often stored so soon after what is known of its text was asked for
_MOST_PAUSE_SECONDS: Final = 0.1


class TrafficObserver(Protocol):
    """Is told of every wait for the database."""

    def waited(self, work: Work, seconds: float, error: str | None) -> None:
        """``error``: the type of the fault that ended the wait; None if the database answered."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Of one pool."""

    pool: Literal["read", "write"]
    in_use: int
    size: int


class Traffic:
    """Tells its observer, once there is one."""

    def __init__(self) -> None:
        self.observer: TrafficObserver | None = None
        self._waiting = 0
        self._used_at = float("-inf")
        self._given_up: tuple[float, float] | None = None  # when the first and the last commit was

    async def pause(self) -> None:
        """Return when nobody of this process has used the database for a moment, or soon if that does not happen."""
        latest = time.monotonic() + _MOST_PAUSE_SECONDS
        while (now := time.monotonic()) < latest:
            quiet = 0.0 if self._waiting else now - self._used_at
            if quiet >= _PAUSE_SECONDS:
                return
            await asyncio.sleep(_PAUSE_SECONDS - quiet)

    @property
    def too_slow_seconds(self) -> float:
        """For how long every commit has taken longer than its caller could wait; 0 if one was in time since, or if
        none was given up lately."""
        if self._given_up is None or time.monotonic() - self._given_up[1] > _LATELY_SECONDS:
            return 0.0
        return time.monotonic() - self._given_up[0]

    def _count(self, seconds: float, error: str | None) -> None:
        now = time.monotonic()
        if error is None:
            self._given_up = None
        elif error == "cancelled" and seconds >= _LONG_WAIT_SECONDS:  # a shorter one may be a caller who hung up
            self._given_up = (now if self._given_up is None else self._given_up[0], now)

    @contextmanager
    def waiting(self, work: Work) -> Iterator[None]:
        """Around one wait. One that its caller gave up, such as at a deadline, has the error ``cancelled``."""
        began, error = time.monotonic(), None
        self._waiting += 1
        try:
            yield
        except JudgeServerError as fault:
            error = fault.type
            raise
        except asyncio.CancelledError:
            error = "cancelled"
            raise
        finally:
            self._waiting -= 1
            self._used_at = time.monotonic()
            seconds = self._used_at - began
            if work == "commit":
                self._count(seconds, error)
            if self.observer is not None:
                self.observer.waited(work, seconds, error)


class Run(Protocol):
    """Runs a function on a connection in one transaction, outside the event loop. Raises StoreUnavailable."""

    def __call__(self, work: Callable[[Connection], Result], /) -> Awaitable[Result]: ...


class Database:
    """``read`` and ``write`` run a function on a connection inside one transaction, and retry once if the connection
    broke. They raise SQLAlchemy's exceptions. An in-memory database has one connection: use it from one thread.
    ``mark`` stands for a parameter in the driver's SQL."""

    def __init__(self, location: Location, patience_seconds: float = 10.0) -> None:
        self.location = location
        self.mark = "?" if location.sqlite else "%s"
        self._patience_seconds = patience_seconds
        self._copier: _LogCopier | None = None
        try:
            if location.sqlite:
                self._writer = _sqlite_engine(location, "BEGIN IMMEDIATE", patience_seconds)
                self._reader = self._writer if location.memory else _sqlite_engine(location, "BEGIN", patience_seconds)
                if not location.memory:
                    self._copier = _LogCopier(_sqlite_engine(location, "BEGIN", patience_seconds))
            else:
                self._writer = _postgresql_engine(location, 1)
                self._reader = _postgresql_engine(location, READERS)
        except ImportError as missing:
            raise MissingDependency(
                "The PostgreSQL driver psycopg is not installed.", remedy=installing("postgres")
            ) from missing

    def write(self, work: Callable[[Connection], Result]) -> Result:
        result = _in_transaction(self._writer, work)
        if self._copier is not None:
            self._copier.committed()
        return result

    def read(self, work: Callable[[Connection], Result]) -> Result:
        return _in_transaction(self._reader, work)

    def rows(self, query: str, parameters: tuple[Any, ...]) -> Sequence[Any]:
        """What one SELECT in the driver's SQL finds. In a file of SQLite it needs no transaction, whose frame takes
        several times as long as the reading."""
        if self._copier is not None:
            connection = self._reader.raw_connection()
            try:
                found: list[Any] = connection.cursor().execute(query, parameters).fetchall()
            except sqlite3.Error:
                pass  # met again below, and told as every other
            else:
                return found
            finally:
                connection.close()
        return self.read(lambda connection: driver_rows(connection, query, parameters))

    def prepare(self) -> None:
        """Prepare on opening: switch SQLite to write-ahead logging; check that PostgreSQL's encoding is UTF8."""
        if self.location.sqlite:
            if not self.location.memory:
                self._use_write_ahead_log()
            return
        encoding = self.read(lambda connection: connection.execute(text("SHOW server_encoding")).scalar_one())
        if encoding != "UTF8":
            raise BadConfiguration(
                f"The database {self.location} has the encoding {encoding}.",
                remedy="Create one with createdb --encoding UTF8 --template template0.",
            )

    def checkpoint(self) -> None:
        """Copy the write-ahead log of SQLite into the file and empty it; best effort while others read."""
        if self._copier is not None:
            with self._copier.copying:
                self._empty_write_ahead_log()

    def connections(self) -> tuple[PoolUse, ...]:
        """Of each pool; an in-memory database has one connection and no pool."""
        pools: tuple[tuple[Literal["read", "write"], Engine], ...] = (("read", self._reader), ("write", self._writer))
        return tuple(
            PoolUse(name, engine.pool.checkedout(), engine.pool.size())
            for name, engine in pools
            if isinstance(engine.pool, QueuePool)
        )

    def close(self) -> None:
        if self._copier is not None:
            self._copier.close()
        self._reader.dispose()
        self._writer.dispose()

    def _empty_write_ahead_log(self) -> None:
        """If another process copies at this moment, SQLite does not wait for it, so retry here."""
        connection = self._writer.raw_connection()
        try:
            started = time.monotonic()
            for _ in range(_CHECKPOINT_TRIES):
                ((busy, _, _),) = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if not busy or time.monotonic() - started > _COPY_SECONDS:
                    return
                time.sleep(0.02)
        finally:
            connection.close()

    def _use_write_ahead_log(self) -> None:
        """SQLite needs exclusive access for this switch and does not wait for it, so retry here."""
        connection = self._writer.raw_connection()
        try:
            cursor = connection.cursor()
            give_up = time.monotonic() + self._patience_seconds
            while True:
                try:
                    cursor.execute("PRAGMA journal_mode = WAL")
                except sqlite3.OperationalError as fault:
                    if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                        raise
                    time.sleep(0.02)
                else:
                    return
        finally:
            connection.close()


class _LogCopier:
    """Copies SQLite's write-ahead log into the database's file, on a thread of its own and at most once a second.

    Otherwise SQLite does it in every thousandth page's commit, which then waits for the disk, and all others with it.
    Commits go on meanwhile. ``copying``: held while it copies."""

    def __init__(self, engine: Engine) -> None:
        self.copying = threading.Lock()
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-copier")
        self._due = time.monotonic() + _COPY_SECONDS

    def committed(self) -> None:
        """Something was written."""
        now = time.monotonic()
        if now >= self._due and not self.copying.locked():
            self._due = now + _COPY_SECONDS
            with suppress(RuntimeError):  # the interpreter ends, and SQLite copies when the last connection closes
                self._thread.submit(self._copy)

    def close(self) -> None:
        self._thread.shutdown()
        self._engine.dispose()

    def _copy(self) -> None:
        with self.copying:
            try:
                connection = self._engine.raw_connection()
                try:
                    before = 0
                    for _ in range(_PASSES):
                        found = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                        ((_, _, copied),) = found  # pages, as at the start of the pass
                        if copied == before:
                            break
                        before = copied
                finally:
                    connection.close()
            except (sqlite3.Error, SQLAlchemyError) as fault:
                _LOG.warning("the write-ahead log was not copied, and the next commits will: %s", fault)


def _in_transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    try:
        with engine.begin() as connection:
            return work(connection)
    except SQLAlchemyError as fault:
        if met_a_standby(fault):
            engine.dispose()
        elif not repeatable(fault):
            raise
    with engine.begin() as connection:
        return work(connection)


def _sqlite_engine(location: Location, begin: str, patience_seconds: float) -> Engine:
    options: dict[str, Any] = (
        {"poolclass": StaticPool} if location.memory else {"poolclass": QueuePool, "pool_size": READERS}
    )
    engine = create_engine(
        location.url, connect_args={"check_same_thread": False, "timeout": patience_seconds}, **options
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin late, and SQLite lets no late writer wait
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        _in_driver(connection, begin, lambda cursor: cursor.execute(begin))

    return engine


def _postgresql_engine(location: Location, size: int) -> Engine:
    options = {name: value for name, value in _POSTGRESQL_OPTIONS.items() if name not in location.url.query}
    return create_engine(location.url, connect_args=options, pool_size=size, max_overflow=0, pool_recycle=1800)


def driver_rows(connection: Connection, query: str, parameters: tuple[Any, ...]) -> Sequence[Any]:
    """Rows of a SELECT in the driver's SQL. On SQLite a fifth of the time that SQLAlchemy's own result takes."""
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(query, parameters).fetchall()
    found: list[Any] = _in_driver(connection, query, lambda cursor: cursor.execute(query, parameters).fetchall())
    return found


MISSING: Final = "ON CONFLICT DO NOTHING"
_MOST_ROWS: Final = 64  # of one statement


def insert_many(connection: Connection, into: str, rows: Sequence[tuple[Any, ...]], on_conflict: str = "") -> None:
    """Insert ``rows`` in the driver's SQL; ``into``: the statement up to its values. SQLite gets many rows in one
    statement, because its driver gives the interpreter's lock away and takes it again for each, and a loaded server
    spent a fifth of its processor time on such changes between two threads."""
    if not rows:
        return
    width = len(rows[0])
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_insertion_of(into, on_conflict, "%s", width, 1), list(rows))
        return
    done = 0
    while left := len(rows) - done:
        many = min(1 << (left.bit_length() - 1), _MOST_ROWS)  # few lengths, whose statements the driver keeps
        statement = _insertion_of(into, on_conflict, "?", width, many)
        values = tuple(chain.from_iterable(rows[done : done + many]))
        _in_driver(connection, statement, partial(_execute, statement, values))
        done += many


@lru_cache(maxsize=512)
def _insertion_of(into: str, on_conflict: str, mark: str, width: int, many: int) -> str:
    row = f"({', '.join([mark] * width)})"
    return f"{into} VALUES {', '.join([row] * many)} {on_conflict}"


def _execute(statement: str, values: tuple[Any, ...], cursor: Any) -> None:
    cursor.execute(statement, values)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], on_conflict: str = "") -> None:
    """Insert ``rows``, which have the same columns; with ``MISSING`` those whose key is not stored yet."""
    if rows:
        into, columns = _insertion(table, tuple(rows[0]), connection.dialect.name)
        values = [tuple([row[name] if form is None else form(row[name]) for name, form in columns]) for row in rows]
        insert_many(connection, into, values, on_conflict)


_Columns = tuple[tuple[str, Callable[[Any], Any] | None], ...]


@cache
def _insertion(table: Table, names: tuple[str, ...], dialect: str) -> tuple[str, _Columns]:
    """The statement up to its values, and how the value of each column is given to the driver."""
    spoken = registry.load("sqlite" if dialect == "sqlite" else "postgresql.psycopg")()
    columns = tuple((name, table.c[name].type.dialect_impl(spoken).bind_processor(spoken)) for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)})", columns


def _in_driver(connection: Connection, statement: str, work: Callable[[Any], Any]) -> Any:
    """Raises SQLAlchemy's exceptions, as its own ways of executing do."""
    try:
        return work(connection.connection.cursor())
    except sqlite3.Error as fault:
        raise DBAPIError.instance(statement, None, fault, sqlite3.Error) from fault
