"""Wire shape: openrlhf 0.11.2, utils/agent.py, SingleTurnAgentExecutor._fetch_rewards_via_http."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadSubmission
from judge_server.server.dialects.openrlhf import response_after
from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import CHAT, END, OPENRLHF, RESPONSE
from tests.server.dialects.frames import FRAMES

URL = f"/trainers/openrlhf/{RUBRIC}?on_error=-1"


def test_the_answer_is_lists_of_numbers_under_the_names_that_the_trainer_reads(served_rubric):
    answer = served_rubric.post(URL, json=OPENRLHF.body(RESPONSE, "label")).json()
    assert answer["rewards"] == answer["scores"] == [pytest.approx(0.9)]
    assert answer["extra_logs"] == {"judge_failed": [0.0], "judge_coverage": [1.0]}


def test_a_label_that_the_data_set_lacks_is_no_reference(served_rubric):
    for label in ("", None):
        assert served_rubric.post(URL, json=OPENRLHF.body(RESPONSE, label)).status_code == 200
    body = OPENRLHF.body(RESPONSE, None)
    del body["labels"]
    assert served_rubric.post(URL, json=body).status_code == 200


def test_a_prompt_that_was_cut_on_its_left_is_a_counted_failure_and_not_a_guess(served_rubric):
    body = {"query": [CHAT[20:] + RESPONSE + END], "prompts": [CHAT], "labels": [None]}
    answer = served_rubric.post(URL, json=body)
    assert answer.json()["rewards"] == [-1.0]
    assert answer.headers["x-judge-substituted"] == "unsplit_text=1"


def test_lists_of_different_lengths_are_refused(served_rubric):
    answer = served_rubric.post(URL, json={"query": ["a", "b"], "prompts": ["a"], "labels": [None]})
    assert answer.status_code == 422
    assert "query has 2 elements, prompts 1 and labels 1" in answer.json()["detail"]


@pytest.mark.parametrize("asked", ["", "?on_error=raise", "?on_error=drop"])
def test_a_url_that_does_not_name_a_number_is_refused_at_the_first_request(served_rubric, asked):
    answer = served_rubric.post(f"/trainers/openrlhf/{RUBRIC}{asked}", json=OPENRLHF.body(RESPONSE, None))
    assert answer.status_code == 422
    assert "?on_error=NUMBER" in answer.json()["remedy"]
    assert "five times" in answer.json()["detail"]


def test_fields_that_a_later_release_adds_are_passed_over(served_rubric):
    assert served_rubric.post(URL, json=OPENRLHF.body(RESPONSE, None) | {"images": [None]}).status_code == 200


PROMPT = "What  now?\nTell me."


@given(prompt=st.text(st.characters(exclude_characters="<[")).filter(str.strip), response=st.text())
def test_what_follows_an_exact_prefix_comes_back_exactly(prompt, response):
    assert response_after(prompt, prompt + response) == response


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_template_splits_where_its_prompt_ends(name):
    prompt = FRAMES[name].prompt([{"role": "user", "content": PROMPT}])
    assert response_after(prompt, prompt + "Call.<end>") == "Call.<end>"


@pytest.mark.parametrize(
    "query",
    [
        f"{PROMPT}Call.",
        f"<s>{PROMPT}Call.",
        f"<s> {PROMPT}Call.",
        f"<|endoftext|><|endoftext|>{PROMPT}Call.",
        "What now?\nTell me.Call.",
        " What now? Tell me.Call.",
        "<s> What now ? Tell me .Call.",
    ],
)
def test_white_space_and_marks_at_the_beginning_may_differ(query):
    assert response_after(PROMPT, query) == "Call."
    assert response_after(f"<s>{PROMPT}", query) == "Call."


@pytest.mark.parametrize("query", ["", "hat  now?\nTell me.Call.", "What then? Tell me. Call.", "What now? Tell"])
def test_a_prompt_that_is_no_prefix_is_a_fault_with_a_remedy(query):
    with pytest.raises(BadSubmission) as caught:
        response_after(PROMPT, query)
    assert caught.value.type == "unsplit_text"
    assert "so that none is cut" in caught.value.remedy


def test_an_empty_prompt_is_a_fault():
    with pytest.raises(BadSubmission, match="prompt is empty"):
        response_after(" <s>\n", "Call.")
