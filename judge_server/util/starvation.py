"""Whether a process that has work gets the processor."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOK_SECONDS: Final = 0.2
_WINDOW_SECONDS: Final = 1.0  # of having work
_LEAST_SHARE: Final = 0.1  # of a processor


class Starvation:
    """Watches one process. ``used_seconds``: its processor time so far; None if the system does not tell, and then it
    is never ``found``."""

    def __init__(self, used_seconds: Callable[[], float | None], clock: Callable[[], float] = time.monotonic) -> None:
        self.found = False
        self._used_seconds = used_seconds
        self._clock = clock
        self._begun: float | None = None  # the last look while it has work
        self._before = 0.0  # the processor time then
        self._worked = self._ran = 0.0  # seconds since the last verdict

    def begin(self) -> None:
        """It has work from now on."""
        self._begun, self._before = self._clock(), self._used_seconds() or 0.0

    def look(self) -> None:
        """Call it often while the process has work. It starves if it had work for ``_WINDOW_SECONDS``, together with
        earlier work, and ran for less than a tenth of them. How many texts wait does not count."""
        now = self._clock()
        if self._begun is not None and now - self._begun >= _LOOK_SECONDS:
            self._count(self._begun, now)

    def end(self) -> None:
        """Call it when the work is done."""
        if self._begun is not None:
            self._count(self._begun, self._clock())
            self._begun = None

    def _count(self, begun: float, now: float) -> None:
        used = self._used_seconds()
        if used is None:
            return
        self._worked += now - begun
        self._ran += used - self._before
        self._begun, self._before = now, used
        if self._worked >= _WINDOW_SECONDS:
            self.found = self._ran < _LEAST_SHARE * self._worked
            self._worked = self._ran = 0.0


def processor_seconds(process: int | str) -> float | None:
    """Of the first thread of a process so far; None where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text("ascii").split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
