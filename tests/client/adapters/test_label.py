import json

import pytest

from judge_client.adapters.label import sample_of
from judge_client.errors import BadSample

PROMPT = [{"role": "user", "content": "p"}]


def test_a_plain_label_is_the_reference():
    assert sample_of("r", prompt="p", label="42").reference == "42"
    assert sample_of("r", prompt="p", label='{"answer": 42}').reference == '{"answer": 42}'
    assert sample_of("r", prompt="p", label=42).reference == "42"
    assert sample_of("r", prompt="p", label=[1, 2]).reference == "[1,2]"


@pytest.mark.parametrize("label", [None, ""])
def test_an_empty_label_says_nothing(label):
    assert sample_of("r", prompt="p", label=label).reference is None


@pytest.mark.parametrize("form", [json.dumps, dict])
def test_an_envelope_goes_before_columns_and_prompt(form):
    envelope = form({"prompt": "other", "reference": "a", "rubric": "x/y", "facts": {"age": 4}, "judge": "strict"})
    sample = sample_of("r", prompt="p", label=envelope, columns={"reference": "b", "rubric": "c/d", "unknown": 1})
    assert (sample.prompt, sample.reference, sample.rubric) == ("other", "a", "x/y")
    assert (sample.facts, sample.judge) == ({"age": 4}, "strict")


def test_a_column_goes_before_a_plain_label():
    assert sample_of("r", prompt="p", label="label", columns={"reference": "column"}).reference == "column"


def test_a_column_called_prompt_is_the_trainer_s_own_and_left_alone():
    assert sample_of("r", prompt="p", columns={"prompt": "other"}).prompt == "p"


def test_messages_may_come_in_any_sequence():
    assert sample_of("r", prompt=tuple(PROMPT)).prompt == PROMPT


@pytest.mark.parametrize("label", ['{"rubric": "a/b", "referense": "x"}', {"prompt": "p", "answer": "x"}])
def test_a_misspelt_envelope_is_refused(label):
    with pytest.raises(BadSample, match=r"is not known\. An envelope is a JSON object of prompt, reference"):
        sample_of("r", prompt="p", label=label)


def test_an_envelope_that_breaks_off_is_no_reference():
    with pytest.raises(BadSample, match="the envelope is no JSON"):
        sample_of("r", prompt="p", label='{"rubric": "a/b", ')


def test_a_sample_without_prompt_names_the_remedy():
    with pytest.raises(BadSample, match=r'Put it into the label: \{"prompt"'):
        sample_of("r", label="reference")
