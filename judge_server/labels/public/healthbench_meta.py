"""HealthBench's meta-evaluation, whose form the reader of label files knows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers import healthbench
from judge_server.labels.readers.chunk import Record
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.form import form_of
from judge_server.labels.readers.given_scale import EVERY
from judge_server.labels.readers.records import records as json_records

SCALES: Final = (CriterionScale(criterion=EVERY, kind="binary", classes=("false", "true"), positive="true"),)


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """Raises BadInput for lines that are not of the meta-evaluation."""
    for path in paths:
        findings = LabelFindings(path.name)
        rows = list(json_records(path, form_of(path), findings))
        long = list(healthbench.long_records(rows, findings))
        findings.refuse_if_any()
        yield from long
