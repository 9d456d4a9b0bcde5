"""At which revision the tables of a database stand. Reads only, and without Alembic, whose import costs a fifth of a
second of a command that migrates nothing."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from judge_server import __version__
from judge_server.core.errors import BadConfiguration
from judge_server.store.database import Database

VERSION_TABLE: Final = "judge_server_version"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Standing:
    """``revision`` of the tables (None: empty database), the ``newest`` that this code knows, and the ``version`` of
    judge-server that migrated to it, if it is recorded."""

    revision: str | None
    newest: str
    version: str | None

    @property
    def known(self) -> bool:
        return self.revision is None or self.revision in _revisions()


def standing(database: Database) -> Standing:
    return database.read(
        lambda connection: Standing(revision_of(connection), newest_revision(), migrated_by(connection))
    )


def require_newest(database: Database) -> None:
    """For commands that only read. Raises BadConfiguration that names the remedy."""
    found = standing(database)
    if not found.known:
        raise too_new(database, found.revision, found.version)
    if found.revision != found.newest:
        raise BadConfiguration(
            f"The database {database.location} is at revision {found.revision or 'none'}, and this judge-server needs "
            f"{found.newest}.",
            remedy="This command only reads: migrate it with judge-server database upgrade, or start the server.",
        )


def newest_revision() -> str:
    """The newest revision that this code knows."""
    return _revisions()[-1]


@cache
def _revisions() -> tuple[str, ...]:
    """The revisions that the migrations make, oldest first: the number of each file is its revision."""
    return tuple(sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9][0-9][0-9][0-9]_*.py")))


def revision_of(connection: Connection) -> str | None:
    """None for an empty database."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - our own table
    return found


def migrated_by(connection: Connection) -> str | None:
    """The version of judge-server that migrated to the revision; older databases do not tell."""
    if not inspect(connection).has_table("migrated_by"):
        return None
    mine = text("SELECT version FROM migrated_by WHERE revision = :revision")
    found: str | None = connection.execute(mine, {"revision": revision_of(connection)}).scalar_one_or_none()
    return found


def unreachable(database: Database, connection: Connection, wanted: str) -> BadConfiguration:
    """Why no migrations lead from the database's revision to another."""
    standing, known = revision_of(connection), _revisions()
    if standing is not None and standing not in known:
        return too_new(database, standing, migrated_by(connection))
    return BadConfiguration(
        f"No migrations lead from revision {standing or 'none'} of {database.location} to {wanted!r}.",
        remedy=f"This judge-server knows {known[0]} to {known[-1]}, and base; a downgrade names an earlier one.",
    )


def too_new(database: Database, revision: Any, version: str | None) -> BadConfiguration:
    written = "a newer one has used it" if version is None else f"judge-server {version} migrated it"
    return BadConfiguration(
        f"The database {database.location} is at revision {revision}, which this judge-server {__version__} does not "
        f"know: {written}.",
        remedy="Upgrade judge-server, or use another database.",
    )
