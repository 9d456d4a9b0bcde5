"""Dev and test splits by prompt. Every reading of the locked test split is recorded first."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet, Split
from judge_server.store.label_records import LockedReading


class ReadingLog(Protocol):
    """Keeps the record of test-split reads: the store's ``labels``, or a file beside the labels."""

    async def record_reading(self, reading: LockedReading) -> None: ...

    async def readings(self, digest: str) -> tuple[LockedReading, ...]: ...

    async def outcomes(self, digest: str) -> tuple[LockedReading, ...]:
        """Entries with the ``p`` of the test that a reading served; ``record_reading`` takes them too."""
        ...


def split_by_prompt(label_set: LabelSet, *, test_share: float = 0.3, seed: int = 0) -> LabelSet:
    """The same set with its prompts assigned to dev and test by their hash with ``seed``, so that a prompt keeps its
    split when others are added or removed. ``test_share`` in (0, 1) is the expected share, not an exact one."""
    if not 0 < test_share < 1:
        raise BadInput(f"test_share is {test_share}.", remedy="Give a share between 0 and 1, for example 0.3.")
    table = label_set.table
    present = sorted(table.clusters.names[code] for code in np.unique(table.clusters.codes))
    dealt: dict[str, Split] = {cluster: _place(cluster, test_share, seed) for cluster in present}
    return replace(label_set, splits=dealt)


def _place(cluster: str, test_share: float, seed: int) -> Split:
    hashed = hashlib.sha256(f"{seed}\0{cluster}".encode("utf-8", "surrogatepass")).digest()
    return "test" if int.from_bytes(hashed[:8]) < test_share * 2**64 else "dev"


async def read_test(label_set: LabelSet, log: ReadingLog, *, reader: str, reason: str) -> LabelSet:
    """The test split, after ``log`` has recorded the reader and the reason. Raises BadInput for an empty name or
    reason, and any error of the log: without a record nothing is returned."""
    if not reader.strip() or not reason.strip():
        raise BadInput("Reading the test split is recorded.", remedy="Give both a reader's name and a reason.")
    reading = LockedReading(
        label_set=label_set.id,
        digest=label_set.digest,
        split="test",
        reader=reader.strip(),
        reason=reason.strip(),
        read_at=datetime.now(UTC),
    )
    chosen = label_set.split("test", reading)
    await log.record_reading(reading)
    return chosen


class ReadingFile:
    """Readings of a file's locked split, one JSON line each, in ``FILE.readings.jsonl`` next to it, for use without a
    database. Lines are only appended."""

    def __init__(self, labels: Path) -> None:
        self.path = labels.with_name(labels.name + ".readings.jsonl")

    async def record_reading(self, reading: LockedReading) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(reading.model_dump_json() + "\n")
        except OSError as fault:
            raise BadInput(
                f"The reading cannot be recorded in {self.path}: {fault.strerror}.",
                remedy="Make the directory writable, or give --database.",
            ) from fault

    async def readings(self, digest: str) -> tuple[LockedReading, ...]:
        """Oldest first."""
        return tuple(one for one in self._entries(digest) if one.p is None)

    async def outcomes(self, digest: str) -> tuple[LockedReading, ...]:
        return tuple(one for one in self._entries(digest) if one.p is not None)

    def _entries(self, digest: str) -> tuple[LockedReading, ...]:
        if not self.path.exists():
            return ()
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return tuple(reading for line in lines if (reading := LockedReading.model_validate_json(line)).digest == digest)


Part = Literal["dev", "test", "all"]


async def part_of(labels: LabelSet, part: Part, log: ReadingLog, *, reader: str, reason: str) -> LabelSet:
    """The labels of this part. Reading the test split, alone or with the rest, is recorded in ``log`` first. Raises
    BadInput."""
    if part == "dev":
        return labels.split("dev")
    if "test" not in labels.splits.values():
        if part == "all":
            return labels
        raise BadInput(
            f"Label set {labels.id!r} has no test split.",
            remedy="Read its dev split, the default. A file of calibrate run holds both if written with --split all.",
        )
    test = await read_test(labels, log, reader=reader, reason=reason)
    return test if part == "test" else labels
