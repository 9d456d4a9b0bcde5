"""Commits of jobs: results, their judgments and the job's counts in one transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, update

from judge_server.core.caller import caller_name
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.database import Database
from judge_server.store.fault import concerns_the_database, translate
from judge_server.store.payload import StoredTexts, encode
from judge_server.store.schema import JOB, JOB_ITEM
from judge_server.store.writing import Judged, Rows, Writer


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of one item. Without ``submission`` the item could not be judged, and the judgment says why; it is
    stored with the item only. ``texts``: the submission's, if they were packed before."""

    job_id: str
    position: int
    judgment: Judgment
    submission: Submission | None = None
    rubric: Rubric | None = None
    caller: str = field(default_factory=caller_name)
    texts: StoredTexts | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    finished: Finished
    judged: Rows | None


class JobWriter:
    """Blocking; used by the writing thread only, like ``writer``."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def commit(self, items: Sequence[Finished]) -> list[Exception | None]:
        """One transaction for all. If one item makes it fail, each is tried alone."""
        prepared = [self._prepared(item) for item in items]
        fault = self._try([ready for ready in prepared if isinstance(ready, _Ready)])
        alone = fault is not None and not concerns_the_database(fault)
        outcomes: list[Exception | None] = []
        for ready in prepared:
            if isinstance(ready, _Ready):
                outcomes.append(self._translated(self._try([ready]) if alone else fault))
            else:
                outcomes.append(ready)
        return outcomes

    def _prepared(self, item: Finished) -> _Ready | Exception:
        if item.submission is None:
            return _Ready(item, None)
        rows = self._writer.prepared(Judged(item.judgment, item.submission, item.rubric, item.caller, item.texts))
        return _Ready(item, rows) if isinstance(rows, Rows) else rows

    def _try(self, ready: Sequence[_Ready]) -> Exception | None:
        if not ready:
            return None
        try:
            new = self._database.write(lambda connection: self._write(connection, ready))
        except Exception as fault:  # noqa: BLE001 passed on to the callers of these rows
            return fault
        self._writer.known(one.judged for one in new if one.judged is not None)
        return None

    def _write(self, connection: Connection, ready: Sequence[_Ready]) -> list[_Ready]:
        new = [one for one in ready if _is_first(connection, one.finished)]
        self._writer.insert(connection, [one.judged for one in new if one.judged is not None])
        _count(connection, (one.finished for one in new))
        return new

    def _translated(self, fault: Exception | None) -> Exception | None:
        return None if fault is None else translate(fault, self._database.location)


def _is_first(connection: Connection, finished: Finished) -> bool:
    """Whether the item had no result before this one."""
    own = (JOB_ITEM.c.job_id == finished.job_id) & (JOB_ITEM.c.position == finished.position)
    kept = finished.submission is not None
    result = {
        "finished": True,
        "judgment_id": finished.judgment.id if kept else None,
        "result": None if kept else encode(finished.judgment),
    }
    return connection.execute(update(JOB_ITEM).where(own, ~JOB_ITEM.c.finished).values(result)).rowcount == 1


def _count(connection: Connection, finished: Iterable[Finished]) -> None:
    """Always in the same order, so that two processes cannot deadlock."""
    counts = Counter((one.job_id, one.judgment.status.value) for one in finished)
    for (job_id, status), number in sorted(counts.items()):
        column = JOB.c[status]
        connection.execute(update(JOB).where(JOB.c.id == job_id).values({column: column + number}))
