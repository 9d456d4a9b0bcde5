"""Atomic file writes: a reader sees either the old text or the new one."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from judge_server.core.errors import BadConfiguration


def replace_file(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically, creating its directory. Raises BadConfiguration if that is not
    permitted."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)  # noqa: PTH101 - mkstemp gives a name, not a Path
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as fault:
        raise BadConfiguration(
            f"{path} cannot be written: {fault.strerror}.", remedy="Check the permissions."
        ) from None


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lock ``directory`` against other writing processes."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError as fault:
        raise BadConfiguration(f"{directory}: {fault.strerror}.", remedy="Name a directory of rubrics.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
