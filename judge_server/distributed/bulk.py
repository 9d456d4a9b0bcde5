"""``judge-server score --on ray``: Ray Data spreads the partitions of an input over workers, which write Parquet."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import ray
from ray.data import ActorPoolStrategy, DataContext

from judge_server.core.errors import BadConfiguration, BadInput
from judge_server.distributed.part_files import PartFiles
from judge_server.distributed.partition_scoring import BulkTask, PartitionScorer, taken_places
from judge_server.distributed.partitions import filesystem_of, partitions_of
from judge_server.distributed.serving import connected
from judge_server.settings.settings import Settings
from judge_server.store.location import Location

_LOG = logging.getLogger(__name__)
_MOST_BLOCKS: Final = 20_000


@dataclass
class BulkProgress:
    """``partitions`` of ``total`` are done."""

    total: int = 0
    partitions: int = 0
    rows: int = 0
    kept: int = 0
    removed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, done: dict[str, Any]) -> None:
        self.partitions += 1
        self.rows += done["rows"]
        self.kept += done["kept"]
        self.statuses.update({name: count for name, count in done["statuses"].items() if count})
        self.errors.update({name: count for name, count in done["errors"].items() if count})


def score_on_ray(task: BulkTask, *, resume: bool, told: Callable[[BulkProgress], None]) -> BulkProgress:
    """Score everything; ``told`` after each partition. Raises BadInput and BadConfiguration before work starts."""
    _require_shared_store(task.settings)
    workers = task.settings.ray.bulk
    partitions = partitions_of(task.source, workers.rows)
    parts = PartFiles(*filesystem_of(task.output))
    parts.begin(resume=resume)
    task = replace(task, run=uuid.uuid4().hex[:8])
    progress = BulkProgress(total=len(partitions))
    with connected(task.settings.ray.address):
        kept = parts.kept() if resume else None
        taken = taken_places() if resume else None
        DataContext.get_current().enable_progress_bars = False
        fields = [{"number": p.number, "path": p.path, "first": p.first, "stop": p.stop} for p in partitions]
        if fields:
            scored = ray.data.from_items(fields, override_num_blocks=min(len(fields), _MOST_BLOCKS)).map(
                PartitionScorer,
                fn_constructor_args=(task, kept, taken),
                compute=ActorPoolStrategy(
                    min_size=min(workers.replicas, len(fields)),
                    max_size=min(workers.most_replicas or workers.replicas, len(fields)),
                    max_tasks_in_flight_per_actor=2,
                ),
                num_cpus=workers.cpus,
                num_gpus=workers.gpus or None,
            )
            for done in scored.iter_rows():
                progress.add(done)
                told(progress)
        if kept is not None and taken is not None:
            progress.removed = parts.keep_only(kept.files, ray.get(taken.all.remote()))
    if progress.partitions != progress.total:
        raise BadInput(f"{progress.partitions} of {progress.total} partitions were scored.", remedy="Use --resume.")
    parts.finish({"rows": progress.rows, **progress.statuses, "kept": progress.kept})
    return progress


def _require_shared_store(settings: Settings) -> None:
    url = settings.database_url
    if url is not None and Location.of(url).sqlite and Location.of(url).file is not None:
        raise BadConfiguration(
            "Workers on a cluster share a database, and SQLite's is a file of one machine.",
            remedy="Name a PostgreSQL database, or none: the judgments are in the output.",
        )
