"""A worker of bulk scoring: reads a partition, judges its rows and writes them as one file."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
from pyarrow.fs import FileSystem

from judge_server.core.coordinates import Coordinates, content_key
from judge_server.core.errors import BadSubmission, JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.distributed.part_files import KeptRows, PartFiles, ScoredRow
from judge_server.distributed.partitions import Partition, filesystem_of, rows_of
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import failed_judgment, parse_submission, score_item
from judge_server.settings.settings import Settings
from judge_server.wiring.service import Service, open_service

ReadRow = Callable[[Any, str], Any]
"""A row (bytes of a line, or a Parquet row) and how a fault calls it → plain data. Raises BadSubmission."""


@dataclass(frozen=True)
class BulkTask:
    """What every worker of a run is told. ``run``: begins the names of its files; ``rubric`` and ``judge``: of rows
    that name none."""

    settings: Settings
    read: ReadRow
    source: str
    output: str
    run: str
    rubric: Rubric | str | None = None
    judge: str | None = None
    deadline_seconds: float | None = None
    concurrency: int = 64


class TakenPlaces:
    """Which earlier rows are kept: each is given to one row of the input. A partition that is read again, because its
    worker died, gets back what it had."""

    def __init__(self) -> None:
        self._owners: dict[int, int] = {}
        self._of: dict[int, list[int]] = {}

    def take(self, partition: int, wanted: list[list[int]]) -> list[int | None]:
        """For each list of places one that is free, or None."""
        for place in self._of.pop(partition, ()):
            del self._owners[place]
        mine: list[int] = []
        given: list[int | None] = []
        for places in wanted:
            free = next((place for place in places if place not in self._owners), None)
            given.append(free)
            if free is not None:
                self._owners[free] = partition
                mine.append(free)
        self._of[partition] = mine
        return given

    def all(self) -> "np.ndarray[Any, Any]":
        return np.fromiter(self._owners, dtype=np.int64, count=len(self._owners))


class PartitionScorer:
    """For ``ray.data``: called with the fields of a partition, returns what became of its rows. The service is opened
    with the first partition and lives as long as the worker."""

    def __init__(self, task: BulkTask, kept: KeptRows | None, taken: Any) -> None:
        self._task = task
        self._kept = kept
        self._taken = taken
        self._system = filesystem_of(task.source)[0]
        self._parts = PartFiles(*filesystem_of(task.output))
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._service: Service | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        partition = Partition(row["number"], row["path"], row["first"], row["stop"])
        return self._loop.run_until_complete(self._score(partition))

    async def _score(self, partition: Partition) -> dict[str, Any]:
        if self._service is None:
            self._service = await self._stack.enter_async_context(open_service(self._task.settings))
        service = self._service
        rows = list(read_rows(self._system, partition, self._task.read))
        earlier = await self._earlier(service, partition, [item for _, item in rows])
        places = asyncio.Semaphore(self._task.concurrency)

        async def judged(item: Any) -> Judgment:
            async with places:
                return await self._judged(service, item)

        fresh = [number for number, place in enumerate(earlier) if place is None]
        judgments = await asyncio.gather(*(judged(rows[number][1]) for number in fresh))
        made = [
            ScoredRow(partition.path, rows[number][0], judgment)
            for number, judgment in zip(fresh, judgments, strict=True)
        ]
        if made:
            self._parts.write(f"{self._task.run}-{partition.number:08d}", made)
        return {
            "rows": len(rows),
            "kept": len(rows) - len(made),
            "statuses": Counter(str(one.judgment.status) for one in made),
            "errors": Counter(one.judgment.error.type for one in made if one.judgment.error is not None),
        }

    @property
    def _defaults(self) -> dict[str, Any]:
        return {"rubric": self._task.rubric, "judge": self._task.judge}

    async def _judged(self, service: Service, item: Any) -> Judgment:
        if isinstance(item, BadSubmission):
            return failed_judgment(item, Coordinates())
        return await score_item(service.scorer, item, self._terms, self._defaults)

    @property
    def _terms(self) -> Terms:
        return Terms.within(self._task.deadline_seconds, Priority.BATCH)

    async def _earlier(self, service: Service, partition: Partition, items: list[Any]) -> list[int | None]:
        """For each row the earlier one that it keeps, by place; None if it is to be judged."""
        if self._kept is None:
            return [None] * len(items)
        wanted = [await self._still_true(service, self._kept, item) for item in items]
        given: list[int | None] = await self._taken.take.remote(partition.number, wanted)
        return given

    async def _still_true(self, service: Service, kept: KeptRows, item: Any) -> list[int]:
        """The earlier rows with the judgment that the item would get now."""
        try:
            submission = parse_submission(item, self._defaults)
            places = kept.places_of(content_key(submission.digest, submission.coordinates))
            if not places:
                return []
            deciders = await service.scorer.deciders(submission, self._terms)
        except JudgeServerError:
            return []  # its fault is told when it is judged
        return [one for one in places if deciders.decided(self._parts.judgment_at(kept.files, one))]


def read_rows(system: FileSystem, partition: Partition, read: ReadRow) -> Iterator[tuple[int, Any]]:
    """The place and the plain data of each row, or its fault. Where a file cannot be read any further, one fault stands
    for the rest of the partition."""
    place = partition.first - 1
    try:
        for place, raw in rows_of(system, partition):
            try:
                item = read(raw, f"{partition.path}:{place}")
            except BadSubmission as fault:
                item = fault
            yield place, item
    except (OSError, ValueError) as fault:
        first = (str(fault).splitlines() or [type(fault).__name__])[0]
        told = f"{partition.path} cannot be read from {place + 1} to {partition.stop}: {first}."
        yield place + 1, BadSubmission(told, remedy="Write the file again, and --resume.")


def taken_places() -> Any:
    """The actor that all workers of a run ask."""
    return ray.remote(TakenPlaces).options(num_cpus=0).remote()
