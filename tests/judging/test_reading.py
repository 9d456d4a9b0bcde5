import json
from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import UnusableVerdict
from judge_server.judging.reading import read_labels, read_structured, verdict_schema
from judge_server.models.protocol import IMPOSSIBLE_LOGPROB, Completion, TokenProbability

YES_NO = ("Yes", "No")


def tokens(**probabilities: float) -> list[TokenProbability]:
    return [TokenProbability(text, log(p)) for text, p in probabilities.items()]


def said(text: str, **more) -> list:
    return read_structured(Completion(text, **more), [YES_NO])


def test_shares_are_relative_to_the_mass_of_the_labels():
    read = read_labels(tokens(Yes=0.6, No=0.2, Maybe=0.2), YES_NO)
    assert read.shares == pytest.approx((0.75, 0.25))
    assert read.mass == pytest.approx(0.8)
    assert read.bounds((1, 0)) is None


@pytest.mark.parametrize("text", ["Yes", " Yes", "yes", "YES", "\nyes ", "▁Yes", "ĠYes"])
def test_a_word_counts_in_any_case_and_with_white_space(text):
    assert read_labels([TokenProbability(text, log(0.5))], YES_NO).listed == (pytest.approx(0.5), None)


def test_spellings_of_one_word_add_up():
    read = read_labels([TokenProbability(t, log(0.2)) for t in ("Yes", " Yes", "yes", "No")], YES_NO)
    assert read.shares == pytest.approx((0.75, 0.25))
    assert read.mass == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["Yesterday", "Y", "Ye", "Not", "Yes.", "**Yes", "", " "])
def test_other_words_are_no_labels(text):
    assert read_labels([TokenProbability(text, log(0.9))], YES_NO).listed == (None, None)


def test_a_letter_counts_in_its_own_case_only():
    read = read_labels(tokens(A=0.2, a=0.5, B=0.2), ("A", "B", "C"))
    assert read.listed == (pytest.approx(0.2), pytest.approx(0.2), None)
    assert read.mass == pytest.approx(0.4)


@pytest.mark.parametrize("logprob", [inf, 5.0, 1e308])
def test_what_is_no_log_probability_is_unusable(logprob):
    with pytest.raises(UnusableVerdict):
        read_labels([TokenProbability("Yes", logprob), TokenProbability("No", -1.0)], YES_NO)
    with pytest.raises(UnusableVerdict):
        read_labels([TokenProbability("Yes", -1.0), TokenProbability("other", logprob)], YES_NO)


def test_labels_with_more_than_all_of_the_probability_are_unusable():
    with pytest.raises(UnusableVerdict, match=r"1\.600"):
        read_labels(tokens(Yes=0.8, yes=0.8), YES_NO)


def test_minus_infinity_is_a_probability_of_zero():
    read = read_labels([TokenProbability("Yes", -inf), TokenProbability("No", log(0.9))], YES_NO)
    assert read.shares == (0.0, 1.0)
    assert read.bounds((1, 0)) is None
    assert read_labels([TokenProbability("Yes", -inf)], YES_NO).mass == 0


def bounds_of(candidates, unlisted=None, labels=YES_NO, values=(1.0, 0.0)):
    found = read_labels(candidates, labels, unlisted).bounds(values)
    return None if found is None else (found.low, found.high)


def test_a_label_that_is_not_listed_has_any_share_that_the_rest_allows():
    assert bounds_of(tokens(Yes=0.52), 0.0) == pytest.approx((0.52, 1.0))
    assert bounds_of(tokens(No=0.52), 0.0) == pytest.approx((0.0, 0.48))


def test_a_label_that_is_not_listed_is_no_likelier_than_the_least_listed_token():
    assert bounds_of(tokens(Yes=0.6, Maybe=0.1)) == pytest.approx((0.6 / 0.7, 1.0))


def test_a_number_that_is_not_a_number_may_be_all_of_the_rest():
    listed = [TokenProbability("Yes", log(0.6)), TokenProbability("x", log(0.01)), TokenProbability("No", nan)]
    assert bounds_of(listed) == pytest.approx((0.6 / 0.99, 1.0))


def test_labels_of_which_every_token_was_asked_for_leave_nothing_open():
    assert bounds_of(tokens(Yes=0.52), IMPOSSIBLE_LOGPROB) is None


def test_the_bounds_of_a_scale_are_those_of_its_expected_value():
    listed = tokens(B=0.5, x=0.2)
    found = bounds_of(listed, labels=("A", "B", "C"), values=(0.0, 0.5, 1.0))
    assert found == pytest.approx((0.25 / 0.7, 0.45 / 0.7))


def test_a_label_is_decided_where_no_unlisted_one_can_be_likelier():
    assert read_labels(tokens(Yes=0.6, x=0.1), YES_NO).bounds((1, 0)).decided
    assert not read_labels(tokens(Yes=0.3), YES_NO, 0.0).bounds((1, 0)).decided
    assert not read_labels(tokens(x=0.3), YES_NO).bounds((1, 0)).decided


@given(
    st.lists(st.floats(0, 1), min_size=6, max_size=6).filter(lambda weights: sum(weights) > 0.01),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from([(1.0, 0.0, 0.5), (0.0, 0.25, 1.0)]),
)
def test_a_value_is_never_outside_what_the_listed_probabilities_allow(weights, count, sampled_only, values):
    """Of a known distribution only the likeliest tokens are listed, or one that is not the likeliest: the true value
    lies within the bounds, and so does the value that is given."""
    labels = ("A", "B", "C")
    true = dict(zip((*labels, "x", "y", "z"), (weight / sum(weights) for weight in weights), strict=True))
    ranked = sorted(true, key=true.__getitem__, reverse=True)
    shown = ranked[count % 6 : count % 6 + 1] if sampled_only else ranked[:count]
    candidates = [TokenProbability(text, log(true[text]) if true[text] else -inf) for text in shown]
    read = read_labels(candidates, labels, 0.0 if sampled_only else None)
    mass = sum(true[label] for label in labels)
    bounds = read.bounds(values)
    given_value = sum(v * share for v, share in zip(values, read.shares, strict=True))
    if bounds is None:
        return
    assert 0 <= bounds.low <= bounds.high <= 1
    assert read.mass <= mass + 1e-9 <= bounds.most_mass + 2e-9
    if mass > 1e-6:
        assert bounds.low - 1e-6 <= sum(v * true[label] for v, label in zip(values, labels, strict=True)) / mass
        assert sum(v * true[label] for v, label in zip(values, labels, strict=True)) / mass <= bounds.high + 1e-6
    if sum(read.shares) > 0:
        assert bounds.low - 1e-9 <= given_value <= bounds.high + 1e-9


@given(st.lists(st.tuples(st.sampled_from(["Yes", " no", "x", "NO"]), st.floats(max_value=0.001) | st.just(nan))))
def test_shares_and_mass_are_probabilities_or_the_answer_is_unusable(candidates):
    try:
        read = read_labels([TokenProbability(*candidate) for candidate in candidates], YES_NO)
    except UnusableVerdict:
        return
    assert 0 <= read.mass <= 1
    assert all(0 <= share <= 1 for share in read.shares)
    assert sum(read.shares) == pytest.approx(1) or not any(read.shares)


def test_a_reason_and_a_verdict_are_read():
    (spoken,) = said('{"reason": "It names water.", "verdict": "Yes"}')
    assert (spoken.label, spoken.reason) == ("Yes", "It names water.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
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
        'Yes. {"reason": "r", "verdict": "Yes"}',
        '{"reason": "r", "verdict": "Yes"} So: no.',
        '{"reason": "r", "verdict": "Yes"} {"reason": "r", "verd',
        '{"reason": "r", "verdict": "Yes"}}',
        'Either {this} or {"reason": "r", "verdict": "Yes"}',
        '[{"reason": "r", "verdict": "Yes"}]',
        '"1": {"reason": "r", "verdict": "Yes"}',
        '```json\n{"reason": "r", "verdict": "Yes"}\n```\n```json\n{"reason": "r", "verdict": "No"}\n```',
        '```json\n{"reason": "r", "verdict": "Yes"',
        '{"1": {"reason": "r", "verdict": "Yes"}}',
        '{"reason": "r", "verdict": Infinity}',
        "[" * 100_000,
        "9" * 100_000,
    ],
)
def test_anything_but_the_asked_object_is_unusable(text):
    with pytest.raises(UnusableVerdict):
        said(text)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"reason": "r", "verdict": "Yes"}\n```',
        '```\n{"reason": "r", "verdict": "Yes"}\n```\n',
        'Here is my verdict:\n\n{"reason": "r", "verdict": "Yes"}',
        '{"reason": "r", "verdict": "Yes"}\n\nI hope this helps.',
        'The answer notes water [1].\n```json\n{"reason": "r {", "verdict": "Yes"}\n```\nDone.',
    ],
)
def test_the_only_object_in_an_answer_is_read(text):
    (spoken,) = said(text)
    assert spoken.label == "Yes"


def test_a_complete_answer_that_blanks_follow_up_to_the_limit_is_read():
    (spoken,) = said('{"reason": "r", "verdict": "Yes"}' + " \n" * 99, truncated=True)
    assert spoken.label == "Yes"


@pytest.mark.parametrize(
    "text", ['{"reason": "r", "verdict": "Yes"} \n\nAnd ', '{"reason": "r", "verdict": "Yes ', "```{}\n"]
)
def test_a_cut_answer_is_searched_for_nothing(text):
    with pytest.raises(UnusableVerdict, match="cut off"):
        said(text, truncated=True)


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


@pytest.mark.parametrize(
    "text", ["Yes", "yes", "Yes.", "**Yes**", "**Yes.**", "\ufeffYes", " yes\u200b\n", "`YES`", "_Yes_ ",
    "'yes'.", "\u201cYes.\u201d", "YES!", "Yes\u3002"],
)  # fmt: skip
def test_a_label_alone_is_a_verdict_without_a_reason(text):
    (spoken,) = said(text)
    assert (spoken.label, spoken.reason) == ("Yes", "")


@pytest.mark.parametrize(
    "text", ["Yes No", "Yes, it does.", "Yes/No", "Yesterday", "Y", "", "**", "Yes?", "not yes", "yes yes"]
)
def test_a_label_with_anything_beside_it_is_none(text):
    with pytest.raises(UnusableVerdict):
        said(text)


def test_a_label_that_was_cut_off_is_none():
    with pytest.raises(UnusableVerdict):
        said("No", truncated=True)
