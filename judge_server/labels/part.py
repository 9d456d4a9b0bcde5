"""Which prompts of a label set are read: dev, the locked test split, or all."""

from typing import Literal

from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog, read_test

Part = Literal["dev", "test", "all"]


async def part_of(labels: LabelSet, part: Part, log: ReadingLog, *, reader: str, reason: str) -> LabelSet:
    """The labels of this part. Reading test, also with the rest, is kept in ``log`` first. Raises BadInput."""
    if part == "dev":
        return labels.split("dev")
    if "test" not in labels.splits.values():
        if part == "all":
            return labels
        raise BadInput(f"Label set {labels.id!r} has no test split.", remedy="Read its dev split, the default.")
    test = await read_test(labels, log, reader=reader, reason=reason)
    return test if part == "test" else labels
