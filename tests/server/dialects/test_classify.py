"""Wire shape: vllm 0.32, entrypoints/pooling/classify/protocol.py; SGLang's native /classify."""

import pytest

from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import CHAT, END, PROMPT, RESPONSE

URL = f"/trainers/classify/{RUBRIC}/classify"
WHOLE = CHAT + RESPONSE + END
MESSAGES = [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": RESPONSE}]


@pytest.mark.parametrize(
    ("body", "count"),
    [({"input": WHOLE}, 1), ({"input": [WHOLE, WHOLE]}, 2), ({"messages": MESSAGES}, 1)],
    ids=["text", "texts", "messages"],
)
def test_the_answer_is_that_of_a_reward_model_with_one_class(served_rubric, body, count):
    answer = served_rubric.post(URL, json={"model": "judge", **body}).json()
    row = {"label": "reward", "probs": [pytest.approx(0.9)], "num_classes": 1}
    assert answer["data"] == [{"index": place, **row} for place in range(count)]
    assert (answer["object"], answer["model"]) == ("list", "judge")
    assert answer["id"].startswith("classify-")
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


def test_sglangs_own_form_has_the_reward_in_an_embedding(served_rubric):
    answer = served_rubric.post(URL, json={"model": "judge", "text": [WHOLE]}).json()
    assert answer == [{"embedding": [pytest.approx(0.9)], "meta_info": {"judge_failed": 0.0}}]


def test_a_substituted_number_has_its_own_label(served_rubric):
    answer = served_rubric.post(f"{URL}?on_error=-1", json={"model": "judge", "input": [WHOLE, "no template"]}).json()
    assert [(row["label"], row["probs"]) for row in answer["data"]] == [
        ("reward", [pytest.approx(0.9)]),
        ("judge_failed", [-1.0]),
    ]


def test_tool_turns_belong_to_the_response(served_rubric):
    call = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    turns = [
        MESSAGES[0],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
        MESSAGES[1],
    ]
    assert served_rubric.post(URL, json={"model": "judge", "messages": turns}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"input": WHOLE, "messages": MESSAGES}, {"input": [1, 2, 3]}, {"input": []}, {"messages": MESSAGES[:1]}],
    ids=["nothing", "both", "tokens", "none", "unanswered"],
)
def test_what_is_no_text_with_a_response_is_refused(served_rubric, body):
    answer = served_rubric.post(URL, json={"model": "judge", **body})
    assert answer.status_code == 422
    assert answer.json()["remedy"]


def test_a_vector_without_numbers_is_nobodys_wish(served_rubric):
    assert served_rubric.post(f"{URL}?on_error=drop", json={"input": WHOLE}).status_code == 422
