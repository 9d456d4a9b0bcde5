from dataclasses import replace

import pytest

from judge_server.authoring.publication import load_unchanged
from judge_server.core.errors import BadInput
from judge_server.labels.label import Item
from judge_server.labels.readers import read_labels
from judge_server.labels.splits import split_by_prompt
from judge_server.labels.writing import write_labels
from tests.labels.test_label_set import MANY, label, label_set
from tests.project.repository import ROOT

LABELS = [
    label("a", "ann", "yes", rationale='He said "no",\nthen ; yes', probability=0.125, row=2),
    label("a", "gpt", None, status="invalid", written="Sorry, I cannot.", row=3),
    label("b", "gpt", None, status="abstained", probabilities={"no": 0.25, "yes": 0.75}, cluster="p"),
    label("b", "ann", "no", cluster="p"),
    label("c", "gpt", "no"),
    label("c", "ann", "no", saw_judge=True),
]
ITEMS = {
    "a": Item(id="a", prompt="Q — „Q“", response="line\nline", tags=("x", "y z")),
    "c": Item(id="c", language="de"),
}


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl"])
def test_what_is_written_reads_back_with_the_same_digest(tmp_path, name):
    written = label_set(*LABELS, items=ITEMS, splits={"p": "test", "a": "dev", "c": "dev"})
    write_labels(written, tmp_path / name)
    back = read_labels(tmp_path / name)
    assert back.digest == written.digest
    assert back.id == written.id
    assert back.provenance.source == "tests"


def test_a_large_set_keeps_its_split(tmp_path):
    written = split_by_prompt(label_set(*MANY))
    write_labels(written, tmp_path / "x.csv")
    assert read_labels(tmp_path / "x.csv").splits == written.splits


@pytest.mark.parametrize("name", ["labels.xlsx", "no/such/folder/labels.csv"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    with pytest.raises(BadInput, match="labels"):
        write_labels(label_set(*LABELS), tmp_path / name)


@pytest.mark.parametrize("path", sorted((ROOT / "calibration").glob("*.csv")), ids=lambda path: path.stem)
def test_the_bundled_examples_are_marked_as_authored(path):
    found = read_labels(path)
    assert found.provenance.nature == "authored"
    assert "no expert" in found.provenance.note
    assert (found.counts.humans, found.counts.judges) == (2, 1)
    assert all(item.prompt and item.response for item in found.items.values())


@pytest.mark.parametrize("path", sorted((ROOT / "rubrics").glob("[!cp]*/*.yaml")), ids=lambda path: path.stem)
def test_the_rubric_and_the_kind_of_judge_are_written_beside_the_labels(tmp_path, path):
    rubric = load_unchanged(path).rubric
    written = replace(label_set(*LABELS), rubric=rubric, judges={"gpt": "a judge"})
    write_labels(written, tmp_path / "x.csv")
    back = read_labels(tmp_path / "x.csv")
    assert back.rubric.digest == rubric.digest
    assert back.judges == {"gpt": "a judge"}
    assert back.digest == written.digest
