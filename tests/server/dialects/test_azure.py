"""Wire shape: microsoft-foundry/fine-tuning de257fc40, Demos/Agentic_RFT_PrivatePreview (endpoint grader)."""

import json
from contextlib import chdir

import pytest

from tests.client.conftest import environment
from tests.client.scripted_server import ScriptedServer, Seen
from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import PROMPT, RESPONSE, submitted
from tests.stub_judge import Reply
from tests.trainers.page import examples

URL = f"/trainers/azure/{RUBRIC}"
ITEM = {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": PROMPT}], "row": 7}
CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
SAMPLES = {
    "text": ({"output_text": RESPONSE}, RESPONSE),
    "json": ({"output_json": {"expression": "72 + 22", "result": 94}}, '{"expression":"72 + 22","result":94}'),
    "choices": (
        {"choices": [{"message": {"role": "assistant", "content": RESPONSE, "refusal": None, "audio": None}}]},
        RESPONSE,
    ),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_score_of_a_sample_in_the_style_of_a_chat_completion(served_rubric, name):
    sample, response = SAMPLES[name]
    answer = served_rubric.post(URL, json={"sample": sample, "item": ITEM, "trace_id": f"trace_{name}"})
    assert answer.json() == {"score": pytest.approx(0.9)}
    found = submitted(served_rubric)
    told = found["response"]
    assert (told if isinstance(told, str) else told[0]["content"]) == response
    assert found["id"] == f"trace_{name}"
    assert [message["role"] for message in found["prompt"]] == ["developer", "user"]


def test_tool_calls_of_the_sample_are_judged_with_it(served_rubric):
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    answer = served_rubric.post(URL, json={"sample": {"choices": [{"message": message}]}, "item": ITEM})
    assert answer.status_code == 200
    assert submitted(served_rubric)["response"][0]["tool_calls"][0]["function"]["name"] == "search"


def test_the_rows_reference_answer_is_the_reference(served_rubric):
    item = {**ITEM, "reference_answer": {"code": "JKT"}}
    served_rubric.post(URL, json={"sample": {"output_text": "JKT, as far as I know."}, "item": item})
    assert submitted(served_rubric)["reference"] == '{"code":"JKT"}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"sample": {}, "item": ITEM}, "sample: it has no choices"),
        ({"sample": {"choices": [5]}, "item": ITEM}, "sample: it has no choices"),
        ({"sample": {"output_text": "x"}, "item": {}}, "item: it has neither messages nor prompt"),
        ({"sample": {"output_text": "x"}, "item": {**ITEM, "rubric": 5}}, "rubric"),
    ],
)
def test_what_cannot_be_judged_is_an_error_that_names_the_place(served_rubric, body, told):
    answer = served_rubric.post(URL, json=body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_to_drop_is_to_answer_with_an_error(served_rubric):
    answer = served_rubric.post(f"{URL}?on_error=drop", json={"sample": {}, "item": ITEM})
    assert answer.status_code == 422


def azure(seen: Seen) -> Reply:
    """The routes of Azure OpenAI that the page's program asks; what its client does not read is left out."""
    if seen.path.startswith("/openai/files"):
        return Reply(body={"id": f"file-{len(seen.content)}", "object": "file", "purpose": "fine-tune"})
    return Reply(body={"id": "ftjob-1", "object": "fine_tuning.job", "model": "o4-mini"})


def test_the_job_of_the_page_has_its_rows_scored(served_rubric, tmp_path):
    (row,) = (json.loads(line) for line in examples("azure", "json")[0].splitlines())
    for name in ("train.jsonl", "valid.jsonl"):
        (tmp_path / name).write_text(json.dumps(row))
    names = {"AZURE_OPENAI_API_KEY": "none", "JUDGE_API_KEY": "jdg_secret"}
    with chdir(tmp_path), ScriptedServer(azure) as foreign, environment(AZURE_OPENAI_ENDPOINT=foreign.url, **names):
        found: dict[str, object] = {}
        exec(examples("azure", "python")[0], found)
        found["client"].close()
    asked = foreign.seen[-1].body
    grader = asked["method"]["reinforcement"]["grader"]

    assert asked["method"]["type"] == "reinforcement"
    assert grader["headers"] == {"Authorization": "Bearer jdg_secret"}
    told = {
        "sample": {"choices": [{"message": {"role": "assistant", "content": RESPONSE}}]},
        "item": row,
        "trace_id": "t",
    }
    answer = served_rubric.post(grader["url"].removeprefix("https://judge.example.org"), json=told)
    assert isinstance(answer.json()["score"], float)
    assert submitted(served_rubric)["reference"] == row["reference_answer"]
