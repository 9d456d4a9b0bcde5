"""Migrates a database to this code's tables, with Alembic and without any file outside the package."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event, inspect, text

from judge_server import __version__
from judge_server.store.database import Database
from judge_server.store.measuring_schema import METADATA
from judge_server.store.new_tables import is_empty, made_again, remembered
from judge_server.store.revision import MIGRATIONS, VERSION_TABLE, newest_revision, revision_of, unreachable
from judge_server.store.schema import MIGRATED_BY
from judge_server.store.writing import insert_missing

_ADVISORY_LOCK: Final = 7_305_521_946_108  # arbitrary: other programs on the server are unlikely to use it
_ONLY_READ: Final = ("PRAGMA", "SELECT")
_ONE_AT_A_TIME: Final = threading.Lock()  # Alembic keeps the running migration in module globals


def rehearse(database: Database, revision: str, *, down: bool = False) -> list[str]:
    """The SQL of a migration, which is run and rolled back, without what only reads. Repeated statements, one for each
    row, are listed once with their number. Writers wait meanwhile."""
    statements: list[list[Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        shown = " ".join(statement.split())
        if shown.startswith(_ONLY_READ):
            return
        if statements and statements[-1][0] == shown:
            statements[-1][1] += 1
        else:
            statements.append([shown, 1])

    def work(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", note)
        _migration(database, revision, down=down)(connection)
        event.remove(connection, "before_cursor_execute", note)
        raise _RolledBack

    with _ONE_AT_A_TIME, suppress(_RolledBack):
        database.write(work)
    return [text if count == 1 else f"{text} -- {count} times" for text, count in statements]


def differences(database: Database) -> list[str]:
    """Where the tables are not those of this code; on SQLite also what its own checks find."""

    def work(connection: Connection) -> list[str]:
        standing, newest = revision_of(connection), newest_revision()
        found = (
            [] if standing == newest else [f"the revision is {standing or 'none'}, and this judge-server's {newest}"]
        )
        found += map(_told, compare_metadata(context_of(connection), METADATA))
        if database.location.sqlite:
            found += [str(row[0]) for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
            found += [
                f"a row of {row[0]} refers to nothing" for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
        return found

    return database.read(work)


def _told(difference: Any) -> str:
    """Such as "add table verdict": what would make the tables those of this code."""
    if isinstance(difference, list):  # several changes of one column
        return "; ".join(map(_told, difference))
    kind, *what = difference
    named = [one for part in what if (one := getattr(part, "name", part)) is not None and isinstance(one, str)]
    table = getattr(getattr(what[0], "table", None), "name", None)
    return " ".join([kind.replace("_", " "), *([f"{table}:"] if table else []), *named])


class _RolledBack(Exception):
    pass


def upgrade(database: Database, revision: str = "head") -> None:
    """Upgrade in one transaction; wait for another process that is upgrading. Raises BadConfiguration for a database
    written by a newer judge-server."""
    if revision == "head" and database.read(revision_of) == newest_revision():
        return
    _migrate(database, revision, down=False)


def downgrade(database: Database, revision: str = "base") -> None:
    """Revert migrations and delete their data."""
    _migrate(database, revision, down=True)


def context_of(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


@lru_cache(maxsize=1)
def _scripts() -> ScriptDirectory:
    """Read once: it executes every migration's file."""
    return ScriptDirectory(str(MIGRATIONS))


def _migration(database: Database, revision: str, *, down: bool) -> Callable[[Connection], None]:
    scripts = _scripts()

    def work(connection: Connection) -> None:
        def steps(current: Any, _context: MigrationContext) -> Any:
            try:
                move = scripts._downgrade_revs if down else scripts._upgrade_revs  # noqa: SLF001 as Alembic does
                return move(revision, current)
            except CommandError as unknown:
                raise unreachable(database, connection, revision) from unknown

        if not database.location.sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})

        def migrate() -> None:
            with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
                environment.configure(
                    connection=connection,
                    target_metadata=METADATA,
                    version_table=VERSION_TABLE,
                    transactional_ddl=True,
                )
                with environment.begin_transaction():
                    environment.run_migrations()

        if down or revision != "head" or not is_empty(connection):
            migrate()
        elif not made_again(connection):
            with remembered(connection):
                migrate()
        if inspect(connection).has_table("migrated_by"):
            row = {"revision": revision_of(connection), "version": __version__}
            insert_missing(connection, MIGRATED_BY, [row])

    return work


def _migrate(database: Database, revision: str, *, down: bool) -> None:
    with _ONE_AT_A_TIME:
        database.write(_migration(database, revision, down=down))
