"""The database URL, parsed once and never shown with its password."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from judge_server.core.errors import BadConfiguration
from judge_server.util.redaction import keep_secret

FORMS = "sqlite:///judge.db, sqlite:// (in memory), a file's path, or postgresql://user:password@host/name"
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class Location:
    """``url`` is SQLAlchemy's, with the driver we use."""

    url: URL

    @staticmethod
    def of(text: str) -> "Location":
        """Parse ``text``. Raises BadConfiguration that names the accepted forms."""
        text = text.strip()
        if not text:
            raise BadConfiguration("The database URL is empty.", remedy=f"Write {FORMS}.")
        if "://" not in text:
            memory = text == ":memory:"
            return Location(URL.create("sqlite", database=None if memory else str(Path(text).expanduser())))
        scheme = text.partition("://")[0].lower()
        if scheme == "sqlite":
            return Location(_sqlite(text))
        if scheme in _POSTGRESQL:
            return Location(_postgresql(text))
        raise BadConfiguration(
            f"The database URL begins with {scheme}://, which is not known.", remedy=f"Write {FORMS}."
        )

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def memory(self) -> bool:
        return self.sqlite and self.url.database in (None, "", ":memory:")

    @property
    def file(self) -> Path | None:
        """The database file of SQLite."""
        return Path(self.url.database) if self.sqlite and not self.memory and self.url.database else None

    @property
    def name(self) -> str:
        """The file, or host and database: nothing of a user, a password or options."""
        if self.sqlite:
            return "memory" if self.file is None else self.file.name
        return f"{self.url.host or 'local'}/{self.url.database}"

    def __str__(self) -> str:
        """For people and logs: without the password and the options, which may hold one too."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    def without_secrets(self, message: str) -> str:
        """``message`` with every password of this URL removed."""
        secrets = [self.url.password, *(value for name, value in self.url.query.items() if "password" in name)]
        for secret in secrets:
            if isinstance(secret, str) and secret:
                message = message.replace(secret, "***")
        return message


def _sqlite(text: str) -> URL:
    path = text.partition("://")[2]
    if path and not path.startswith("/"):
        raise BadConfiguration(
            "A SQLite URL has three slashes before a relative path and four before an absolute one.",
            remedy=f"Write sqlite:///{path} or the bare path {path}.",
        )
    memory = path[1:] in ("", ":memory:")
    return URL.create("sqlite", database=None if memory else path[1:])


def _postgresql(text: str) -> URL:
    try:
        url = make_url(text).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        url = None
    if url is None or "@" in (url.host or "") or not url.database:
        raise BadConfiguration(
            "The PostgreSQL URL cannot be read.",
            remedy="Write postgresql://user:password@host:5432/name, with odd characters of the password "
            "percent-encoded (@ is %40, / is %2F, : is %3A).",
        )
    for secret in (url.password, *(value for name, value in url.query.items() if "password" in name)):
        keep_secret(secret if isinstance(secret, str) else None)
    return url
