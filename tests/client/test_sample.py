import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_client import BadSample, Sample
from judge_client.sample import encode


def test_members_that_say_nothing_are_not_sent():
    assert Sample("p", "r", step=0, explain=False).submission() == {"prompt": "p", "response": "r", "step": 0}


def test_arrays_and_numbers_of_other_libraries_become_plain():
    facts = {"a": np.float32(0.5), "b": np.arange(2), "c": (1, 2), "d": {1}}
    assert json.loads(encode(facts)) == {"a": 0.5, "b": [0, 1], "c": [1, 2], "d": [1]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("-inf"), np.array([np.nan]), b"x", object()])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(BadSample, match="the sample cannot be written as JSON"):
        encode({"facts": value}, "the sample")


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_written_also_half_a_surrogate_pair(text):
    assert json.loads(encode({"t": text})) == json.loads(json.dumps({"t": text}))


def test_samples_of_one_prompt_have_the_same_key():
    messages = [{"role": "user", "content": "p"}]
    assert Sample(messages, "a").prompt_key == Sample([dict(messages[0])], "b").prompt_key
    assert Sample("p", "a").prompt_key != Sample("p", "a", group="g").prompt_key
