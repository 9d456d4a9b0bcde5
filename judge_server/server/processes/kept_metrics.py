"""What workers have counted outlives them: a server's counters must not fall when one of its workers is killed, or does
not answer in time.

Each worker writes what it exposes into a file whenever the server is asked for its metrics. One that replaces another
adds the counts of its predecessor to those of all that ended before.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from judge_server.server.processes.file_lock import locked
from judge_server.server.processes.place import WorkerPlace
from judge_server.server.telemetry.merged import counts_of

_ENDED: Final = "ended"


class KeptMetrics:
    """One worker's view of the files in the folder of all."""

    def __init__(self, place: WorkerPlace) -> None:
        self._place = place
        self._lock = os.open(place.folder / "metrics.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def close(self) -> None:
        os.close(self._lock)

    def inherit(self) -> None:
        """Take over what a worker of this number had counted; before this one counts anything."""
        last = self._file(self._place.number)
        with locked(self._lock):
            if left := _content(last):
                _write(self._file(_ENDED), counts_of([text for text in (_content(self._file(_ENDED)), left) if text]))
                last.unlink()

    def keep(self, exposed: bytes) -> None:
        """Write what this worker exposes now."""
        _write(self._file(self._place.number), exposed)

    def counts(self, silent: Iterable[int]) -> bytes:
        """The counts of all workers that ended, and those of the ``silent`` ones when they were last asked."""
        with locked(self._lock):
            found = [_content(self._file(name)) for name in (_ENDED, *silent)]
        return counts_of([text for text in found if text])

    def _file(self, name: object) -> Path:
        return self._place.folder / f"metrics.{name}"


def _content(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def _write(path: Path, text: bytes) -> None:
    """So that no reader sees half of it."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(text)
    new.replace(path)
