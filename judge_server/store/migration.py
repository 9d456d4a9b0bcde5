"""Migrates a database to this code's tables, with Alembic and without any file outside the package."""

import threading
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from judge_server.core.errors import BadConfiguration
from judge_server.store.database import Database
from judge_server.store.measuring_schema import METADATA

VERSION_TABLE: Final = "judge_server_version"
_ADVISORY_LOCK: Final = 7_305_521_946_108  # arbitrary: other programs on the server are unlikely to use it
_ONE_AT_A_TIME: Final = threading.Lock()  # Alembic keeps the running migration in module globals


def upgrade(database: Database, revision: str = "head") -> None:
    """Upgrade in one transaction; wait for another process that is upgrading. Raises BadConfiguration for a database
    written by a newer judge-server."""
    if revision == "head" and database.read(_revision_of) == head():
        return
    _migrate(database, revision, down=False)


def downgrade(database: Database, revision: str = "base") -> None:
    """Revert migrations and delete their data."""
    _migrate(database, revision, down=True)


def head() -> str | None:
    """The newest revision that this code knows."""
    return _scripts().get_current_head()


def context_of(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


def _revision_of(connection: Connection) -> str | None:
    return context_of(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent / "migrations"))


def _migrate(database: Database, revision: str, *, down: bool) -> None:
    scripts = _scripts()

    def steps(current: Any, _context: MigrationContext) -> Any:
        try:
            move = scripts._downgrade_revs if down else scripts._upgrade_revs  # noqa: SLF001 as Alembic's commands do
            return move(revision, current)
        except CommandError as unknown:
            raise BadConfiguration(
                f"The database {database.location} is at revision {current}, which this judge-server does not know: "
                "a newer one has used it.",
                remedy="Upgrade judge-server, or use another database.",
            ) from unknown

    def work(connection: Connection) -> None:
        if not database.location.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
            environment.configure(
                connection=connection,
                target_metadata=METADATA,
                version_table=VERSION_TABLE,
                transactional_ddl=True,
            )
            with environment.begin_transaction():
                environment.run_migrations()

    with _ONE_AT_A_TIME:
        database.write(work)
