"""The label formats of other tools and data sets, by what a record holds; each has a file beside this one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judge_server.labels.readers import (
    argilla,
    healthbench,
    help_steer,
    inspect_scores,
    label_studio,
    label_studio_min,
    langfuse,
    mlflow_assessments,
    mt_bench,
    prodigy,
    reward_bench,
    ultra_feedback,
)
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import Chunk, Record
from judge_server.labels.readers.word import given

Converter = Callable[[Sequence[Record], LabelFindings], Iterator[Record]]


@dataclass(frozen=True)
class ForeignFormat:
    """``recognizes``: whether a record is of this format; ``long_records``: its records in the long format."""

    name: str
    recognizes: Callable[[Mapping[str, Any]], bool]
    long_records: Converter


FORMATS: Final = (
    ForeignFormat("Label Studio JSON", label_studio.is_export, label_studio.long_records),
    ForeignFormat("Label Studio JSON_MIN", label_studio_min.recognizes, label_studio_min.long_records),
    ForeignFormat("HealthBench meta-evaluation", healthbench.is_meta_evaluation, healthbench.long_records),
    ForeignFormat("Prodigy", prodigy.recognizes, prodigy.long_records),
    ForeignFormat("Argilla", argilla.recognizes, argilla.long_records),
    ForeignFormat("inspect_ai log", inspect_scores.recognizes, inspect_scores.long_records),
    ForeignFormat("HelpSteer", help_steer.recognizes, help_steer.long_records),
    ForeignFormat("UltraFeedback", ultra_feedback.recognizes, ultra_feedback.long_records),
    ForeignFormat("RewardBench 2", reward_bench.recognizes, reward_bench.long_records),
    ForeignFormat("Langfuse scores", langfuse.recognizes, langfuse.long_records),
    ForeignFormat("MLflow assessments", mlflow_assessments.recognizes, mlflow_assessments.long_records),
    ForeignFormat("MT-Bench judgments", mt_bench.recognizes, mt_bench.long_records),
)


def format_of(record: Mapping[str, Any]) -> ForeignFormat | None:
    return next((known for known in FORMATS if known.recognizes(record)), None)


def converted(
    known: ForeignFormat, rows: Sequence[Record], constants: Mapping[str, str], findings: LabelFindings
) -> Iterator[Record]:
    """The records in the long format; ``constants`` fill what a record does not say, such as the role."""
    for row, record in known.long_records(rows, findings):
        yield row, {**record, **{name: value for name, value in constants.items() if given(record.get(name)) is None}}


def records_of(chunks: Iterator[Chunk]) -> Iterator[Record]:
    """The rows of a table as records."""
    for chunk in chunks:
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}
