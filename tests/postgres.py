"""A PostgreSQL cluster of the tests' own: made from the installed programs, thrown away at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from tests.yardstick import PATIENCE_SECONDS

MISSING = (
    "The tests need PostgreSQL's server programs (initdb, postgres) and found none on PATH or under "
    "/usr/lib/postgresql. Install them: Debian and Ubuntu `apt-get install postgresql`, Fedora `dnf install "
    "postgresql-server`, macOS `brew install postgresql`. To leave these tests out: pytest -m 'not postgres'."
)
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "listen_addresses": "",
    "logging_collector": "off",
}
DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}  # as PostgreSQL is installed


@dataclass
class Cluster:
    """Answers on a Unix socket in ``folder`` only, which nobody else can enter."""

    programs: Path
    folder: Path
    settings: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str, user: str = "judge") -> str:
        return f"postgresql://{user}:secret-word@/{database}?host={self.folder}"

    def new_database(self, options: str = "") -> str:
        """The URL of an empty database."""
        name = f"judge_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def empty_database(self) -> str:
        """The URL of the database ``judge``, emptied: much quicker than a new one."""
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "judge")
        return self.url("judge")

    def run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def start(self) -> None:
        settings = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **_unprivileged())
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError((self.folder / "server.log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Ends connections and server at once, as a crash would; what was committed stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


@contextmanager
def cluster(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A running cluster whose superuser is ``judge``. ``settings``: of PostgreSQL, beside those for tests, which
    survive no power cut. Raises FileNotFoundError, saying what to install."""
    programs = _programs()
    # a short path: the name of a Unix socket has room for about a hundred bytes
    folder = Path(tempfile.mkdtemp(prefix="judge-pg-", dir="/tmp"))
    made = Cluster(programs, folder, _SETTINGS | dict(settings or {}))
    try:
        identity = _unprivileged()
        if identity:
            os.chown(folder, int(identity["user"]), int(identity["group"]))
        initdb = [programs / "initdb", "-D", folder / "data", "-U", "judge", "-E", "UTF8", "--locale=C", "-A", "trust"]
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, cwd=folder, **identity)
        made.start()
        made.run("CREATE DATABASE judge")
        yield made
    finally:
        made.stop()
        with suppress(OSError):
            shutil.rmtree(folder)


def _programs() -> Path:
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))[::-1]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError(MISSING)


def _unprivileged() -> dict[str, object]:
    """PostgreSQL does not run as root: then the account that its package made is used, or nobody."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as.")
