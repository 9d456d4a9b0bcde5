"""What turned an empty database into one of the newest revision, to be run again on the next one of this process.

A chain of migrations takes .14 s of processor time on SQLite, most of it to describe every table of every revision to
SQLAlchemy, and the statements that make the last tables alone take .006 s. Programs that open many databases, such as
tests and simulations, gain it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event, inspect, text

_ONLY_READ: Final = ("PRAGMA", "SELECT", "SET LOCAL")
_Statement = tuple[str, Any]  # text and parameters as the driver gets them; a list of parameters is of many rows
_KNOWN: Final[dict[tuple[Any, ...], list[_Statement]]] = {}


def is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def made_again(connection: Connection) -> bool:
    """Whether the tables were made, because this process has made them on such a server before."""
    known = _KNOWN.get(_kind(connection))
    for statement, parameters in known or ():
        connection.exec_driver_sql(statement, parameters or None)
    return known is not None


@contextmanager
def remembered(connection: Connection) -> Iterator[None]:
    """Remembers what the block makes of an empty database, if it succeeds."""
    ran: list[_Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, of_many: bool) -> None:
        if not statement.lstrip().startswith(_ONLY_READ):
            ran.append((statement, list(parameters) if of_many else parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", note)
    _KNOWN[_kind(connection)] = _of_sqlite(connection) if connection.dialect.name == "sqlite" else ran


def _of_sqlite(connection: Connection) -> list[_Statement]:
    """What makes its tables as they stand, and their rows: fewer statements than ran, since every one has SQLite read
    all tables anew."""
    made = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY rowid"
    found: list[_Statement] = [(statement, ()) for statement in connection.scalars(text(made))]
    for table in inspect(connection).get_table_names():
        rows = [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]  # noqa: S608 - our own table
        if rows:
            found.append((f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(rows[0]))})', rows))  # noqa: S608
    return found


def _kind(connection: Connection) -> tuple[Any, ...]:
    return connection.dialect.name, connection.dialect.driver, connection.dialect.server_version_info
