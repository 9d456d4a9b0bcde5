"""Public human-labelled data that may stand beside the repository, and panels made of it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from judge_server.agreement.panel import RatingPanel, RatingRows

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows_of(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the repository, in ../shared/data")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def panel_of(ratings, scale=None):
    """A panel from (item, annotator, role, label, cluster[, probability]) tuples; label None is missing."""
    columns = [list(column) for column in zip(*ratings, strict=True)]
    item, annotator, label, cluster = (coded(column) for column in (columns[0], columns[1], columns[3], columns[4]))
    missing = np.array([text is None for text in columns[3]])
    roles = dict(zip(columns[1], columns[2], strict=True))
    rows = RatingRows(
        item=item[0],
        annotator=annotator[0],
        code=np.where(missing, -1, label[0]),
        annotators=annotator[1],
        roles=[roles[name] for name in annotator[1]],
        labels=[str(text) for text in label[1]],
        cluster=cluster[0],
        probability=np.array(columns[5], dtype=float) if len(columns) > 5 else None,
    )
    return RatingPanel.of(rows, scale)


def coded(values):
    names = list(dict.fromkeys(values))
    numbers = {name: place for place, name in enumerate(names)}
    return np.array([numbers[value] for value in values], dtype=np.int64), names
