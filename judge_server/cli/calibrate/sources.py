"""Inputs of the commands: labels by file or name, a split, a rubric, the judge of a file, the store."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from judge_server.cli.options import is_file
from judge_server.core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from judge_server.authoring.rubric_registry import RubricRegistry
    from judge_server.core.judge import ExampleRule
    from judge_server.core.rubric import Rubric
    from judge_server.labels.label_set import LabelSet
    from judge_server.labels.splits import Part, ReadingLog
    from judge_server.settings.settings import Settings
    from judge_server.store.store import Store


@dataclass(frozen=True)
class SplitChoice:
    """Which prompts of a label set. ``reader`` and ``reason`` are recorded if the locked test split is read."""

    split: str = "dev"
    reader: str = ""
    reason: str = ""

    @property
    def name(self) -> "Part":
        """Raises BadInput for anything but dev, test and all."""
        if self.split not in ("dev", "test", "all"):
            raise BadInput(f"--split: {self.split!r} is none of dev, test and all.", remedy="Leave it out for dev.")
        return self.split  # type: ignore[return-value]  # it was just checked against the literal's members

    async def of(self, labels: "LabelSet", store: "Store") -> "LabelSet":
        """The labels of this split; reading test is recorded in the store first."""
        from judge_server.labels.splits import part_of

        return await part_of(labels, self.name, store.labels, reader=self.reader, reason=self.reason)


def positives(given: "Sequence[str]") -> dict[str, str]:
    """``CRITERION=CLASS`` pairs. Raises BadInput."""
    pairs = [pair.partition("=") for pair in given]
    for criterion, equals, label in pairs:
        if not (criterion and equals and label):
            raise BadInput(
                f"--positive {criterion}{equals}{label} is not CRITERION=CLASS.", remedy="Write it like met=yes."
            )
    return {criterion: label for criterion, _, label in pairs}


def example_rules(counts: "Sequence[int] | None", encoder: str | None) -> "tuple[ExampleRule, ...]":
    """Rules for each count, by words and, if an encoder is given, by its vectors; by default for four examples. Their
    source is set by the run."""
    from judge_server.core.judge import ExampleRule

    wanted = [count for count in dict.fromkeys(counts or (4,)) if count]
    rules = [ExampleRule(source="revise", k=count) for count in wanted]
    if encoder is not None:
        rules += [ExampleRule(source="revise", k=count, by="embedding", encoder=encoder) for count in wanted]
    return tuple(rules)


async def label_set(named: str, store: "Store") -> "LabelSet":
    """A file's labels, or a stored set by digest, id or id@version. Raises BadInput."""
    from judge_server.labels.archive import find
    from judge_server.labels.readers import read_labels

    if is_file(named):
        return read_labels(Path(named))
    found = await find(named, store.labels)
    if found is None:
        raise BadInput(
            f"{named!r} is neither a file nor a label set of this database.",
            remedy="judge-server calibrate import makes one.",
        )
    return found


def reading_log(named: str, store: "Store") -> "ReadingLog":
    """Where readings of the locked split are recorded: beside a file, or in the store for a set of the store."""
    from judge_server.labels.splits import ReadingFile

    return ReadingFile(Path(named)) if is_file(named) else store.labels


async def rubric(named: str, shelf: "RubricRegistry") -> "Rubric":
    from judge_server.authoring.publication import load_unchanged

    return load_unchanged(Path(named)).rubric if is_file(named) else await shelf.get(named)


def only_judge(labels: "LabelSet", named: str | None) -> str:
    """The judge that is named, or the only one of the file. Raises BadInput."""
    known = labels.table.annotators_of("judge")
    if named is not None or len(known) == 1:
        return named or known[0]
    raise BadInput(
        f"The file has {len(known)} judges: {', '.join(known) or 'none'}.",
        remedy="Name one with --judge." if known else "Add one with judge-server calibrate run.",
    )


def looking_back(settings: "Settings") -> "Settings":
    """The configured database, or the one that ``run`` made here; None rather than a new one."""
    from judge_server.settings.settings import DEFAULT_DATABASE

    if settings.database_url is None and Path(DEFAULT_DATABASE.removeprefix("sqlite:///")).exists():
        return settings.with_database()
    return settings
