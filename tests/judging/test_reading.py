import json
from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import UnusableVerdict
from judge_server.judging.reading import read_labels, read_structured, verdict_schema
from judge_server.models.protocol import Completion, TokenProbability

YES_NO = ("Yes", "No")


def tokens(**probabilities: float) -> list[TokenProbability]:
    return [TokenProbability(text, log(p)) for text, p in probabilities.items()]


def said(text: str, **more) -> list:
    return read_structured(Completion(text, **more), [YES_NO])


def test_shares_are_relative_to_the_mass_of_the_labels():
    read = read_labels(tokens(Yes=0.6, No=0.2, Maybe=0.2), YES_NO)
    assert read.shares == pytest.approx((0.75, 0.25))
    assert read.mass == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["Yes", " Yes", "yes", "YES", "\nyes ", "▁Yes", "ĠYes"])
def test_a_word_counts_in_any_case_and_with_white_space(text):
    assert read_labels([TokenProbability(text, log(0.5))], YES_NO).shares == (1.0, 0.0)


def test_spellings_of_one_word_add_up():
    read = read_labels([TokenProbability(t, log(0.2)) for t in ("Yes", " Yes", "yes", "No")], YES_NO)
    assert read.shares == pytest.approx((0.75, 0.25))
    assert read.mass == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["Yesterday", "Y", "Ye", "Not", "Yes.", "**Yes", "", " "])
def test_other_words_are_no_labels(text):
    assert read_labels([TokenProbability(text, log(0.9))], YES_NO) is None


def test_a_letter_counts_in_its_own_case_only():
    read = read_labels(tokens(A=0.2, a=0.5, B=0.2), ("A", "B", "C"))
    assert read.shares == pytest.approx((0.5, 0.5, 0.0))
    assert read.mass == pytest.approx(0.4)


@pytest.mark.parametrize("logprob", [nan, inf, 5.0, 1e308])
def test_what_is_no_log_probability_is_unusable(logprob):
    with pytest.raises(UnusableVerdict):
        read_labels([TokenProbability("Yes", logprob), TokenProbability("No", -1.0)], YES_NO)
    with pytest.raises(UnusableVerdict):
        read_labels([TokenProbability("Yes", -1.0), TokenProbability("other", logprob)], YES_NO)


def test_labels_with_more_than_all_of_the_probability_are_unusable():
    with pytest.raises(UnusableVerdict, match=r"1\.600"):
        read_labels(tokens(Yes=0.8, yes=0.8), YES_NO)


def test_minus_infinity_is_a_probability_of_zero():
    assert read_labels([TokenProbability("Yes", -inf), TokenProbability("No", log(0.9))], YES_NO).shares == (0.0, 1.0)
    assert read_labels([TokenProbability("Yes", -inf)], YES_NO) is None


@given(st.lists(st.tuples(st.sampled_from(["Yes", " no", "x", "NO"]), st.floats(max_value=0.001) | st.just(nan))))
def test_shares_and_mass_are_probabilities_or_the_answer_is_unusable(candidates):
    try:
        read = read_labels([TokenProbability(*candidate) for candidate in candidates], YES_NO)
    except UnusableVerdict:
        return
    if read is not None:
        assert 0 < read.mass <= 1
        assert all(0 <= share <= 1 for share in read.shares)
        assert sum(read.shares) == pytest.approx(1)


def test_a_reason_and_a_verdict_are_read():
    (spoken,) = said('{"reason": "It names water.", "verdict": "Yes"}')
    assert (spoken.label, spoken.reason) == ("Yes", "It names water.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Yes",
        "null",
        "[]",
        "NaN",
        '"Yes"',
        '{"verdict": "Yes"}',
        '{"reason": "r"}',
        '{"reason": "r", "verdict": "Yes", "score": 1}',
        '{"reason": "r", "verdict": "yes"}',
        '{"reason": "r", "verdict": "Yes "}',
        '{"reason": "r", "verdict": "Maybe"}',
        '{"reason": "r", "verdict": true}',
        '{"reason": "r", "verdict": ["Yes"]}',
        '{"reason": "r", "verdict": {"Yes": 1}}',
        '{"reason": 1, "verdict": "Yes"}',
        '{"reason": null, "verdict": "Yes"}',
        '{"reason": "r", "verdict": "Yes"',
        '{"reason": "r", "verdict": "Yes"} {"reason": "r", "verdict": "No"}',
        'The verdict: {"reason": "r", "verdict": "Yes"}',
        '```json\n{"reason": "r", "verdict": "Yes"}\n```',
        '{"1": {"reason": "r", "verdict": "Yes"}}',
        '{"reason": "r", "verdict": Infinity}',
        "[" * 100_000,
        "9" * 100_000,
    ],
)
def test_anything_but_the_asked_object_is_unusable(text):
    with pytest.raises(UnusableVerdict):
        said(text)


def test_two_verdicts_are_none():
    with pytest.raises(UnusableVerdict, match="twice"):
        said('{"reason": "r", "verdict": "No", "verdict": "Yes"}')


def test_a_cut_off_answer_is_unusable_even_if_it_could_be_read():
    with pytest.raises(UnusableVerdict, match="token limit"):
        said('{"reason": "r", "verdict": "Yes"}', truncated=True)


def test_thinking_that_ate_the_budget_is_named():
    with pytest.raises(UnusableVerdict, match=r"in its thinking.*thinking_tokens") as raised:
        said("", truncated=True, thinking="Let me see")
    assert raised.value.type == "unusable_verdict"


def test_half_a_surrogate_pair_in_a_reason_is_replaced():
    (spoken,) = said('{"reason": "a \\ud800 b", "verdict": "Yes"}')
    assert spoken.reason == "a ? b"


def test_an_endless_reason_is_cut():
    (spoken,) = said(json.dumps({"reason": "x" * 10**6, "verdict": "Yes"}))
    assert len(spoken.reason) == 1200


ENTRY = {"reason": "r", "verdict": "Yes"}


def test_several_verdicts_are_read_in_the_order_of_the_criteria():
    text = json.dumps({"2": {"reason": "b", "verdict": "A"}, "1": {"reason": "a", "verdict": "No"}})
    assert [spoken.label for spoken in read_structured(Completion(text), [YES_NO, ("A", "B")])] == ["No", "A"]


@pytest.mark.parametrize(
    "answer",
    [
        {"1": ENTRY},
        {"1": ENTRY, "3": ENTRY},
        {"1": ENTRY, "2": ENTRY, "3": ENTRY},
        {"1": ENTRY, "2": {"reason": "r", "verdict": "Perhaps"}},
        {"1": ENTRY, "2": None},
        [ENTRY, ENTRY],
        ENTRY,
    ],
)
def test_an_incomplete_set_of_verdicts_is_unusable_as_a_whole(answer):
    with pytest.raises(UnusableVerdict):
        read_structured(Completion(json.dumps(answer)), [YES_NO, YES_NO])


def test_a_criterion_answered_twice_makes_the_set_unusable():
    entry = json.dumps(ENTRY)
    with pytest.raises(UnusableVerdict, match="twice"):
        read_structured(Completion(f'{{"1": {entry}, "2": {entry}, "1": {entry}}}'), [YES_NO, YES_NO])


def test_the_schema_bounds_every_string_and_forbids_more_fields():
    schema = verdict_schema([YES_NO, ("A", "B")])
    assert schema["required"] == ["1", "2"]
    assert schema["additionalProperties"] is False
    second = schema["properties"]["2"]
    assert second["properties"]["verdict"]["enum"] == ["A", "B"]
    assert second["properties"]["reason"]["maxLength"] == 600
    assert list(second["properties"]) == ["reason", "verdict"]
