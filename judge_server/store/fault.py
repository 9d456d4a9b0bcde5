"""Database errors as errors for the caller: correct the configuration, or try again later."""

from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

from judge_server.core.errors import BadConfiguration, JudgeServerError, StoreUnavailable
from judge_server.store.location import Location

CHECK_SERVER: Final = "Check that PostgreSQL runs there and accepts connections."
_SQLITE: Final = {
    "SQLITE_BUSY": ("is locked by another process", "Let that process finish, or give each its own database.", False),
    "SQLITE_LOCKED": ("is locked", "Try again.", False),
    "SQLITE_FULL": ("has no room: the disk is full", "Free space on the disk.", False),
    "SQLITE_IOERR": ("cannot be read or written: the disk fails", "Check the disk and its mount.", False),
    "SQLITE_READONLY": ("is read-only", "Make the file and its directory writable, or choose another path.", True),
    "SQLITE_CANTOPEN": ("cannot be opened", "Create its directory and make it writable, or choose another path.", True),
    "SQLITE_PERM": ("cannot be opened", "Give this user access to the file.", True),
    "SQLITE_CORRUPT": ("is damaged", "Restore it from a backup, or choose another path for a new one.", True),
    "SQLITE_NOTADB": ("is not a SQLite database", "Choose another path, or move that file away.", True),
}
# SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final = {
    "28": ("refuses the user or the password", "Check user and password in the URL and pg_hba.conf.", True),
    "3D": ("does not exist", "Create it with createdb, or name another in the URL.", True),
    "3F": ("has no schema to create tables in", "Check the search_path of this user.", True),
    "42501": ("refuses this user", "Grant the user CREATE and USAGE on the schema.", True),
    "08": ("does not answer", CHECK_SERVER, False),
    "25": (
        "is read-only",
        "Connect to the primary, not to a standby (several hosts: target_session_attrs=read-write).",
        True,
    ),
    "53": ("has no room left", "Free disk, memory or connections of the PostgreSQL server.", False),
    "55P03": ("is locked by another session", "Find it in pg_stat_activity, and let it finish.", False),
    "57014": ("took too long for a statement", "See its log and its load; another session may hold it up.", False),
    "57": ("is shutting down or starting", CHECK_SERVER, False),
    "58": ("cannot read or write its files", "Check the disk of the PostgreSQL server.", False),
}
_CONNECTING: Final = {  # a refused connection carries no SQLSTATE, only a message
    "authentication failed": "28",
    "no pg_hba.conf entry": "28",
    "no password supplied": "28",
    "does not exist": "3D",
    "permission denied": "42501",
}
_REPEATABLE: Final = ("40001", "40P01")


def unanswered() -> StoreUnavailable:
    """The error for a wait that a request's deadline ended. What was asked for may still be written."""
    return StoreUnavailable(
        "The database did not answer before the deadline.",
        remedy="Send the request again when the database answers.",
        retry_after_seconds=5.0,
    )


def kind_of(error: BaseException) -> str | None:
    """SQLite's primary error name, or the start of PostgreSQL's SQLSTATE; None if the error concerns one statement."""
    origin = _origin(error)
    name = str(getattr(origin, "sqlite_errorname", ""))
    if name:
        return next((known for known in _SQLITE if name.startswith(known)), None)
    state = getattr(origin, "sqlstate", None)
    if state:
        return next((known for known in _POSTGRESQL if state.startswith(known)), None)
    if isinstance(error, OperationalError) and type(origin).__module__.startswith("psycopg"):
        return next((state for text, state in _CONNECTING.items() if text in str(origin)), "08")
    return None


def concerns_the_database(error: BaseException) -> bool:
    """True if every statement would fail now; False if one row or statement is at fault."""
    return kind_of(error) not in (None, "42501")


def repeatable(error: BaseException) -> bool:
    """True if an immediate retry may succeed: a broken connection, or the victim of a deadlock."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _REPEATABLE


def met_a_standby(error: BaseException) -> bool:
    """True if another connection may succeed: this one's server became a standby when another took over."""
    return getattr(_origin(error), "sqlstate", None) == "25006"


def translate(error: BaseException, location: Location, *, opening: bool = False) -> JudgeServerError:
    """The error for the caller. It is a configuration error only on ``opening``: later the same configuration has
    worked."""
    if isinstance(error, JudgeServerError):
        return error
    kind = kind_of(error)
    if kind is None and opening:
        return BadConfiguration(
            f"The database {location} cannot be used: {_said(error, location)}.",
            remedy="Use an empty database, or one that judge-server made.",
        )
    if kind is None:
        return StoreUnavailable(f"The database {location} refused it: {_said(error, location)}.")
    what, remedy, wrong = (_SQLITE | _POSTGRESQL)[kind]
    detail = f"The database {location} {what} ({_said(error, location)})."
    if opening and wrong:
        return BadConfiguration(detail, remedy=remedy)
    return StoreUnavailable(detail, remedy=remedy, retry_after_seconds=1)


def _said(error: BaseException, location: Location) -> str:
    """The driver's first line, without the statement and its values, which SQLAlchemy adds."""
    origin = _origin(error)
    lines = str(origin).strip().splitlines() or [type(origin).__name__]
    return location.without_secrets(lines[0].rstrip("."))


def _origin(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
