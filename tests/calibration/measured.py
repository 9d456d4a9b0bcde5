"""Label sets with a judge whose mistakes are known, and the public data beside the repository."""

import csv
from pathlib import Path

import numpy as np
import pytest

from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Label
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.table_builder import table_of
from tests.project.repository import ROOT

DATA = ROOT.parent / "shared" / "data"
NO, YES = "no", "yes"


def rows_of(name: str) -> list[dict[str, str]]:
    """A public data set as rows; the test is skipped where it is not there."""
    path: Path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def label_set(labels, *scales: CriterionScale, **more) -> LabelSet:
    chosen = scales or (CriterionScale(criterion="c0", kind="binary", classes=(NO, YES), positive=YES),)
    return LabelSet("made", "1", Provenance(source="made in a test"), chosen, table_of(labels), **more)


def rubric(*criteria: str, **more) -> Rubric:
    plain = [{"id": name, "statement": f"Says thing {name}."} for name in criteria or ("c0",)]
    return Rubric.model_validate(
        {"id": "medical/test", "version": "1.0.0", "title": "A rubric", "criteria": plain} | more
    )


def overconfident(items: int = 300, criterion: str = "c0", *, seed: int = 0, sharpness: float = 4.0, people: int = 2):
    """People say yes with probability p; the judge's log-odds are ``sharpness`` times those of p: too sure of itself.
    Two items share a prompt."""
    random = np.random.default_rng(seed)
    for number in range(items):
        p = float(random.uniform(0.05, 0.95))
        raw = 1 / (1 + ((1 - p) / p) ** sharpness)
        common = {"item": f"i{number}", "criterion": criterion, "cluster": f"p{number // 2}"}
        for person in range(people):
            said = YES if random.random() < p else NO
            yield Label(annotator=f"h{person}", role="human", label=said, **common)
        yield Label(annotator="main", role="judge", label=YES if raw >= 0.5 else NO, probability=raw, **common)
