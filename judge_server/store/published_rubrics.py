"""Rubrics under their digest, and what a version has once it is published or judged with. Called on the writing
thread."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Table, select

from judge_server.core.errors import RubricConflict
from judge_server.core.rubric import Rubric
from judge_server.store.database import Database
from judge_server.store.payload import microseconds
from judge_server.store.schema import PUBLICATION, RUBRIC, SERVED_RUBRIC
from judge_server.store.writing import insert_missing, rubric_row


def put_rubric(database: Database, rubric: Rubric, *, published: bool) -> None:
    """Raises RubricConflict if the version is published with other content."""

    def work(connection: Connection) -> str:
        insert_missing(connection, RUBRIC, [rubric_row(rubric)])
        return _first(connection, PUBLICATION, "published_us", rubric) if published else rubric.digest

    standing = database.write(work)
    if standing != rubric.digest:
        raise RubricConflict(
            f"{rubric.name} is already published with the digest {standing}; this content has {rubric.digest}.",
            remedy="Give the changed rubric a new version.",
            published_digest=standing,
            given_digest=rubric.digest,
        )


def serve_rubric(database: Database, rubric: Rubric) -> str:
    """Store the digest under id@version unless one is stored; return the stored one."""
    return database.write(lambda connection: _first(connection, SERVED_RUBRIC, "first_us", rubric))


def _first(connection: Connection, table: Table, when: str, rubric: Rubric) -> str:
    """The digest that ``table`` has for the version, which is this rubric's if it had none."""
    row = {"rubric_id": rubric.id, "version": rubric.version, "digest": rubric.digest}
    insert_missing(connection, table, [row | {when: microseconds(datetime.now(UTC))}])
    version = (table.c.rubric_id == rubric.id) & (table.c.version == rubric.version)
    return str(connection.execute(select(table.c.digest).where(version)).scalar_one())
