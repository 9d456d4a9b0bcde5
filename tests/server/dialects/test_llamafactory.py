"""Wire shape: llamafactory 0.9.3, train/ppo/ppo_utils.py, get_rewards_from_server."""

import pytest

from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import LLAMAFACTORY, PROMPT, RESPONSE
from tests.server.dialects.frames import FRAMES

URL = f"/trainers/llamafactory/{RUBRIC}?on_error=-1"


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_texts_in_every_template_are_scored(served_rubric, name):
    whole = FRAMES[name].whole([{"role": "user", "content": PROMPT}], RESPONSE)
    answer = served_rubric.post(URL, json={"model": "model", "messages": [whole, whole]})
    assert answer.json() == {"scores": [pytest.approx(0.9)] * 2}


def test_plain_templates_are_split_where_the_url_says(served_rubric):
    body = {"model": "model", "messages": [f"Human: {PROMPT}\nAssistant: {RESPONSE}</s>"]}
    assert served_rubric.post(URL, json=body).headers["x-judge-substituted"] == "unsplit_text=1"
    answer = served_rubric.post(URL, json=body, params={"on_error": "-1", "answer_after": "\nAssistant:"})
    assert answer.json() == {"scores": [pytest.approx(0.9)]}


@pytest.mark.parametrize("asked", ["", "?on_error=raise", "?on_error=drop"])
def test_a_url_that_does_not_name_a_number_is_refused_at_the_first_request(served_rubric, asked):
    answer = served_rubric.post(f"/trainers/llamafactory/{RUBRIC}{asked}", json=LLAMAFACTORY.body(RESPONSE, None))
    assert answer.status_code == 422
    assert "KeyError: 'scores'" in answer.json()["detail"]


def test_no_texts_are_refused(served_rubric):
    assert served_rubric.post(URL, json={"model": "model", "messages": []}).status_code == 422
