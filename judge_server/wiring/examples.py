"""The labelled examples of the configured judges, read from files or the store when the service starts."""

from collections.abc import Mapping
from pathlib import Path

from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import ExampleRule, JudgeSpecification
from judge_server.judging.exemplified import ExamplePool
from judge_server.labels.label_set import LabelSet
from judge_server.scoring.shown_again import ShownAgain
from judge_server.store.store import Store


async def example_pools(
    specifications: Mapping[str, JudgeSpecification], store: Store, shown_again: ShownAgain
) -> dict[str, ExamplePool]:
    """By judge. Raises BadConfiguration for a label set that does not exist, has no texts, or may not be shown to the
    judge."""
    return {
        name: await _pool(specification, specification.examples, store, shown_again)
        for name, specification in specifications.items()
        if specification.examples is not None
    }


async def _pool(judge: JudgeSpecification, rule: ExampleRule, store: Store, shown_again: ShownAgain) -> ExamplePool:
    from judge_server.calibration.labelled_responses import labelled_responses, pool_of
    from judge_server.labels.archive import find

    labels = _in_file(Path(rule.source)) or await find(rule.source, store.labels)
    if labels is None:
        raise BadConfiguration(
            f"judges.{judge.name}.examples.from: {rule.source!r} is neither a file nor a stored label set.",
            remedy="judge-server calibrate import makes one.",
        )
    await shown_again.require_labelled(labels, judge)
    rows = tuple(labelled_responses(labels))
    if not rows:
        raise BadConfiguration(
            f"judges.{judge.name}.examples.from: no item of {rule.source!r} has a prompt, a response and a majority "
            "among people outside its test split.",
            remedy="Give the label file the columns prompt and response.",
        )
    return pool_of(rows, rule)


def _in_file(path: Path) -> LabelSet | None:
    from judge_server.labels.readers import read_labels

    return read_labels(path) if path.is_file() else None
