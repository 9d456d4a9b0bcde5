"""Small files of labels, and what reading them found."""

import csv
from pathlib import Path

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels

HEADING = ("item", "criterion", "annotator", "role", "label")


def human(item: str, label: str, annotator: str = "ann", criterion: str = "c") -> tuple[str, ...]:
    return item, criterion, annotator, "human", label


def judge(item: str, label: str, annotator: str = "gpt", criterion: str = "c") -> tuple[str, ...]:
    return item, criterion, annotator, "judge", label


def table(folder: Path, *rows: tuple[str, ...], heading: tuple[str, ...] = HEADING, name: str = "labels.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heading, *rows])
    return path


def faults(path: Path, **options) -> list[tuple[int | None, str | None, str]]:
    """Row, column and message of every finding."""
    try:
        read_labels(path, **options)
    except BadInput as fault:
        found = fault.extensions["findings"]
        assert all(one["message"] for one in found)
        return [(one.get("row"), one.get("column"), one["message"]) for one in found]
    raise AssertionError("the labels were read")
