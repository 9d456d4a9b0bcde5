"""Rubrics by prompt: how a prompt is known again, and what a bad line says at the start."""

import hashlib
import json

import pytest

from judge_server.core.errors import BadConfiguration, UnknownRubric
from judge_server.server.dialects.chat_markup import PromptAndResponse, split_pair
from judge_server.server.dialects.prompt_table import load_prompt_table
from tests.served import served, settings_of
from tests.server.dialects.frames import FRAMES
from tests.submissions import checking, rubric

SYSTEM = {"role": "system", "content": "You are a physician."}
USER = {"role": "user", "content": "What now?"}
GOOD = {"prompt": "What now?", "rubric": "medical/consultation"}


async def known(name):
    if name != "medical/consultation":
        raise UnknownRubric(f"There is no rubric {name!r}.")


def write(tmp_path, *rows):
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": " What now?\n"},
        {"prompt_sha256": hashlib.sha256(b"What now?").hexdigest()},
        {"prompt_sha256": "sha256:" + hashlib.sha256(b"What now?").hexdigest()},
        {"prompt": [USER]},
    ],
    ids=["text", "digest", "named-digest", "messages"],
)
async def test_a_prompt_is_known_again_by_text_digest_or_messages(tmp_path, row):
    table = await load_prompt_table(
        write(tmp_path, {**row, "rubric": "medical/consultation", "reference": "Call."}), known
    )
    assert table.find(PromptAndResponse([USER], "r")).reference == "Call."
    assert table.find(PromptAndResponse([{**USER, "content": "What then?"}], "r")) is None


@pytest.mark.parametrize("name", sorted(FRAMES))
async def test_a_prompt_is_known_again_inside_its_chat_template(tmp_path, name):
    table = await load_prompt_table(write(tmp_path, GOOD), known)
    assert table.find(split_pair(FRAMES[name].prompt([USER]), "r")).rubric == "medical/consultation"


async def test_the_whole_conversation_goes_before_its_only_question(tmp_path):
    rows = [{**GOOD, "reference": "any"}, {**GOOD, "prompt": [SYSTEM, USER], "reference": "physician"}]
    table = await load_prompt_table(write(tmp_path, *rows), known)
    assert table.find(PromptAndResponse([SYSTEM, USER], "r")).reference == "physician"
    assert table.find(PromptAndResponse([USER], "r")).reference == "any"


async def test_the_trainers_own_text_goes_before_everything(tmp_path):
    raw = FRAMES["chatml"].prompt([USER])
    table = await load_prompt_table(write(tmp_path, GOOD, {**GOOD, "prompt": raw, "reference": "raw"}), known)
    assert table.find(split_pair(raw, "r")).reference == "raw"


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "not JSON"),
        ("[]", "valid"),
        ({"rubric": "medical/consultation"}, "either prompt or prompt_sha256"),
        ({**GOOD, "prompt_sha256": "0" * 64}, "either prompt or prompt_sha256"),
        ({"prompt_sha256": "abc", "rubric": "medical/consultation"}, "prompt_sha256"),
        ({"prompt": "x"}, "rubric"),
        ({"prompt": "x", "rubric": "medical/nothing"}, "no rubric 'medical/nothing'"),
        ({"prompt": "x", "rubric": {"id": "a/b"}}, "'version' is missing"),
        ({"prompt": "x", "rubric": "medical/consultation", "refrence": "r"}, "refrence"),
        ({"prompt": " What now? ", "rubric": "medical/consultation"}, "the same prompt stands in line 1"),
    ],
)
async def test_a_bad_line_is_named_with_its_number_and_its_fault(tmp_path, bad, told):
    with pytest.raises(BadConfiguration) as caught:
        await load_prompt_table(write(tmp_path, GOOD, "", bad), known)
    assert "prompts.jsonl line 3: " in caught.value.detail
    assert told in caught.value.detail
    assert "A row is" in caught.value.remedy


async def test_a_file_that_is_not_there_or_empty_is_said(tmp_path):
    with pytest.raises(BadConfiguration, match="cannot be read: No such file"):
        await load_prompt_table(tmp_path / "none.jsonl", known)
    with pytest.raises(BadConfiguration, match="has no rows"):
        await load_prompt_table(write(tmp_path, ""), known)


def test_a_served_table_binds_rubric_reference_and_facts_by_prompt(tmp_path):
    rows = [
        {"prompt": "What now?", "rubric": checking("ambulance")},
        {"prompt": "And then?", "rubric": rubric(), "reference": "Wait.", "facts": {"audience": "patient"}},
    ]
    with served(settings_of(prompt_table=write(tmp_path, *rows))) as client:
        texts = [
            FRAMES["chatml"].whole([{"role": "user", "content": row["prompt"]}], "Call an ambulance.") for row in rows
        ]
        answer = client.post("/trainers/llamafactory/-?on_error=-1", json={"model": "model", "messages": texts})
        unknown = client.post("/trainers/slime/-", json={"prompt": "Where?", "response": "r"})
        found = client.get("/v1/judgments").json()["judgments"]
        submitted = [client.get(f"/v1/judgments/{one['id']}").json()["submitted"] for one in found]
    assert answer.json()["scores"][0] == 1.0
    assert {one.get("reference") for one in submitted} == {None, "Wait."}
    assert unknown.status_code == 422
    assert unknown.json()["type"].endswith("unbound_rubric")
