"""Facts of items in label files: columns facts.NAME, a JSON column, objects of JSON Lines."""

import json

import pytest

from judge_server.labels.archive import packed, unpacked
from judge_server.labels.readers import read_labels
from judge_server.labels.writing import write_labels
from judge_server.store.label_records import StoredSet
from tests.labels.readers.rows import HEADING, faults, human, table


def test_a_column_holds_one_fact(tmp_path):
    heading = (*HEADING, "facts.allergy", "Facts.Patient age")
    path = table(tmp_path, (*human("a", "yes"), "true", "70"), (*human("b", "no"), "", ""), heading=heading)
    labels = read_labels(path)
    assert labels.items["a"].facts == {"allergy": "true", "Patient age": "70"}
    assert "b" not in labels.items


def test_a_column_holds_all_facts_as_json(tmp_path):
    path = table(tmp_path, (*human("a", "yes"), '{"allergy": true}'), heading=(*HEADING, "facts"))
    assert read_labels(path).items["a"].facts == {"allergy": True}


@pytest.mark.parametrize("text", ["allergy", "[1]", '{"a": '])
def test_facts_that_are_no_object_are_refused(tmp_path, text):
    path = table(tmp_path, (*human("a", "yes"), text), heading=(*HEADING, "facts"))
    assert faults(path) == [(2, "facts", "the facts are not a JSON object")]


def test_an_item_has_each_fact_once(tmp_path):
    rows = [(*human("a", "yes"), "true"), (*human("a", "no", "bob"), "false")]
    path = table(tmp_path, *rows, heading=(*HEADING, "facts.allergy"))
    message = "item 'a' has another facts.allergy here than in an earlier row"
    assert faults(path) == [(3, "facts.allergy", message)]


def test_records_may_have_different_facts(tmp_path):
    first = dict(zip(HEADING, human("a", "yes"), strict=True))
    second = dict(zip(HEADING, human("b", "no"), strict=True)) | {"facts.allergy": True, "facts": {"age": 70}}
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(first | {"facts": {"age": 20}}) + "\n" + json.dumps(second) + "\n", "utf-8")
    labels = read_labels(path)
    assert labels.items["a"].facts == {"age": 20}
    assert labels.items["b"].facts == {"age": 70, "allergy": True}


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_facts_are_written_and_kept(tmp_path, name):
    path = table(tmp_path, (*human("a", "yes"), "true"), heading=(*HEADING, "facts.allergy"))
    labels = read_labels(path)
    write_labels(labels, tmp_path / name)
    assert read_labels(tmp_path / name).digest == labels.digest
    stored = StoredSet.model_construct(id=labels.id, version=labels.version, digest=labels.digest)
    assert unpacked(stored, packed(labels)).digest == labels.digest
