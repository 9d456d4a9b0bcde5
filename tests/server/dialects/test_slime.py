"""Wire shape: slime 624b824a8 and miles 31f1ca961, rollout/rm_hub/__init__.py, remote_rm."""

import pytest

from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import PROMPT, RESPONSE, SLIME

URL = f"/trainers/slime/{RUBRIC}"


def test_the_whole_answer_is_the_reward(served_rubric):
    assert served_rubric.post(URL, json=SLIME.body(RESPONSE, None)).json() == pytest.approx(0.9)


def test_with_the_trainers_reward_key_the_answer_is_an_object_with_it(served_rubric):
    answer = served_rubric.post(f"{URL}?reward_key=score", json=SLIME.body(RESPONSE, None)).json()
    assert answer == {"score": pytest.approx(0.9), "judge_failed": 0.0, "judge_coverage": 1.0}


@pytest.mark.parametrize("prompt", [PROMPT, [{"role": "user", "content": PROMPT}]], ids=["text", "messages"])
def test_a_prompt_is_text_or_messages(served_rubric, prompt):
    body = {"prompt": prompt, "response": RESPONSE, "label": None}
    assert served_rubric.post(URL, json=body).json() == pytest.approx(0.9)


def test_null_is_never_the_reward(served_rubric):
    answer = served_rubric.post(f"{URL}?on_error=drop", json=SLIME.body(RESPONSE, None))
    assert answer.status_code == 422
    assert "null crashes it" in answer.json()["detail"]
    assert "?on_error=raise" in answer.json()["remedy"]


def test_a_key_that_is_no_name_is_refused(served_rubric):
    answer = served_rubric.post(f"{URL}?reward_key=a-b", json=SLIME.body(RESPONSE, None))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.reward_key")
