"""How often judges failed, counted and told."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence

from judge_client.fork import ForkAware
from judge_client.scored import Scored

_LOG = logging.getLogger("judge_client")
_QUIET_SECONDS = 30.0


class Counts(ForkAware):
    """``judged``, ``failed``, ``substituted``, ``dropped`` and ``failed/TYPE``, since this process began to count."""

    def __init__(self) -> None:
        super().__init__()
        self._counter: Counter[str] = Counter()
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._told_at = float("-inf")
        self._untold: Counter[str] = Counter()

    def note(self, scored: Sequence[Scored], policy: object) -> None:
        """Counts, and warns of failures: at once, then at most every half minute with what came since."""
        found: Counter[str] = Counter(judged=len(scored))
        for one in scored:
            if one.failure:
                found.update(["failed", f"failed/{one.failure}", "substituted" if one.substituted else "dropped"])
        self.add(found, policy)

    def add(self, found: Counter[str], policy: object) -> None:
        with self._lock:
            self._counter += found
            self._untold += found
            if not self._untold["failed"] or time.monotonic() - self._told_at < _QUIET_SECONDS:
                return
            untold, self._untold, self._told_at = self._untold, Counter(), time.monotonic()
        kinds = ", ".join(f"{n} {name.partition('/')[2]}" for name, n in sorted(untold.items()) if "/" in name)
        _LOG.warning(
            "%d of %d judgments failed (%s); on_failure is %s", untold["failed"], untold["judged"], kinds, policy
        )

    def snapshot(self) -> dict[str, int]:
        with self._lock:
            return {name: self._counter[name] for name in ("judged", "failed", "substituted", "dropped")} | dict(
                self._counter
            )
