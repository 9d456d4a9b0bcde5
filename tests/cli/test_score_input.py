"""``judge-server score`` reads the rows of other projects as they are, and files of several kinds."""

import asyncio
import gzip
import json

import pytest

from judge_server.cli.actions.score_input import ForeignRows, lines_of
from judge_server.core.errors import BadInput
from tests.command import judge_server
from tests.submissions import checking, submission

HEALTHBENCH = {
    "prompt_id": "h1",
    "prompt": [{"role": "user", "content": "My chest hurts."}],
    "rubrics": [{"criterion": "Says to call for help.", "points": 5, "tags": ["level:example"]}],
    "completion": "Call for help now.",
    "canary": "x",
}
LIST = {"prompt": "Greet.", "response": "Hello.", "rubric": ["Greets the reader.", "Is short."], "group": "g"}
TEXT = LIST | {"rubric": "1. Greets the reader. [Hard Rule]\n2. Is short."}
INSPECT = {
    "eval": {"scorers": [{"name": "model_graded_fact", "options": {}}]},
    "samples": [{"id": 1, "input": "Longest river?", "target": "Nile", "output": {"completion": "The Nile."}}],
}


def read(path, rows=None):
    """What is read of a file."""
    rows = rows or ForeignRows()

    async def every():
        return [line async for line in lines_of(str(path), rows)]

    return asyncio.run(every()), rows


def written(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder / name


def test_a_row_of_another_project_becomes_a_submission_and_the_rest_is_counted(tmp_path):
    (line,), rows = read(written(tmp_path, "rows.jsonl", HEALTHBENCH))
    assert line.item["response"] == "Call for help now."
    assert (line.item["id"], line.item["prompt"]) == ("h1", HEALTHBENCH["prompt"])
    assert [(leaf.statement, leaf.points) for leaf in line.item["rubric"].leaves] == [("Says to call for help.", 5)]
    assert rows.summary() == "read as rows of 1 healthbench; not carried over: canary (1)"


@pytest.mark.parametrize("row", [LIST, TEXT], ids=["list", "numbered text"])
def test_a_list_of_criteria_as_the_rubric_is_read_and_the_coordinates_are_kept(tmp_path, row):
    (line,), rows = read(written(tmp_path, "rows.jsonl", row))
    assert [leaf.statement for leaf in line.item["rubric"].leaves] == ["Greets the reader.", "Is short."]
    assert (line.item["group"], line.item["prompt"], line.item["response"]) == ("g", "Greet.", "Hello.")
    assert rows.forms == {"rows": 1}


@pytest.mark.parametrize("rubric", [LIST["rubric"], {"criteria": LIST["rubric"]}], ids=["list", "object"])
def test_a_rubric_and_a_conversation_as_json_text_are_read(tmp_path, rubric):
    said = [{"role": "user", "content": "Greet."}]
    row = {"prompt": json.dumps(said), "response": "Hello.", "rubric": json.dumps(rubric)}
    (line,), _ = read(written(tmp_path, "rows.jsonl", row))
    assert [leaf.statement for leaf in line.item["rubric"].leaves] == ["Greets the reader.", "Is short."]
    assert line.item["prompt"] == said


def test_a_system_prompt_of_its_own_stands_before_the_prompt(tmp_path):
    row = {"prompt": "Greet.", "system_prompt": "Be kind.", "response": "Hello.", "rubric": LIST["rubric"]}
    (line,), rows = read(written(tmp_path, "rows.jsonl", row))
    assert [turn["role"] for turn in line.item["prompt"]] == ["system", "user"]
    assert "system_prompt" not in (rows.summary() or "")


@pytest.mark.parametrize(
    "row",
    [
        submission(rubric=checking(), colour="red"),
        submission(rubric="medical/consultation", tests=["x"]),
        {"prompt": "p", "response": "r", "rubric": {"id": "a/b", "criteria": [{"id": "c", "statement": "Says it."}]}},
    ],
)
def test_a_row_with_a_rubric_of_ours_or_its_name_is_never_read_as_another_format(tmp_path, row):
    (line,), rows = read(written(tmp_path, "rows.jsonl", row))
    assert line.item == row
    assert rows.summary() is None


def test_with_a_rubric_given_no_row_is_read_as_another_format(tmp_path):
    (line,), _ = read(written(tmp_path, "rows.jsonl", HEALTHBENCH), ForeignRows(rubric_given=True))
    assert line.item == HEALTHBENCH


def test_a_foreign_row_without_a_response_is_refused_by_its_line(tmp_path):
    row = {name: value for name, value in HEALTHBENCH.items() if name != "completion"}
    (line,), _ = read(written(tmp_path, "rows.jsonl", row))
    assert line.item is None
    assert "rows.jsonl:1 is a row of healthbench without a response" in str(line.fault)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl.gz", "a.yaml"])
def test_files_of_other_kinds_are_read(tmp_path, name):
    several = [submission(rubric=checking(), id=str(number)) for number in range(3)]
    content = json.dumps(several).encode()
    if name.endswith(".gz"):
        content = gzip.compress(b"\n".join(json.dumps(one).encode() for one in several))
    found, _ = read(written(tmp_path, name, content))
    assert [line.item["id"] for line in found] == ["0", "1", "2"]
    inside, _ = read(tmp_path)
    assert len(inside) == 3


def test_a_parquet_file_is_read(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist([LIST, LIST | {"response": "Hi."}]), tmp_path / "rows.parquet")
    found, rows = read(tmp_path / "rows.parquet")
    assert [line.item["response"] for line in found] == ["Hello.", "Hi."]
    assert rows.forms == {"rows": 2}


def test_a_key_twice_is_refused_in_every_kind_of_file(tmp_path):
    twice = b'{"prompt": "p", "response": "good", "response": "bad"}'
    (line,), _ = read(written(tmp_path, "a.jsonl", twice))
    assert "'response' stands twice" in str(line.fault)
    with pytest.raises(BadInput, match="'response' stands twice"):
        read(written(tmp_path, "a.json", twice))


def test_samples_of_an_inspect_log_are_scored_as_they_are(tmp_path):
    ended = judge_server("score", written(tmp_path, "log.json", INSPECT), "--model", "baseline")
    assert ended.returncode == 0, ended.stderr
    (judgment,) = [json.loads(line) for line in ended.stdout.splitlines()]
    assert judgment["submission"]["id"] == "1"
    assert judgment["reward"] is not None
    assert "read as rows of 1 inspect" in ended.stderr
