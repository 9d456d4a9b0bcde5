"""Model servers that answer in odd ways: the number that the answer holds, or a typed failure that names what to do."""

import gzip
import json
import math
from dataclasses import replace

import pytest

from judge_server.core.errors import ContentFiltered, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.judging.reading import label_reading, read_structured
from judge_server.models.decision_wire import decisions_in
from judge_server.models.event_stream import joined
from judge_server.models.openai_reply import completion_of
from judge_server.models.protocol import Decisions, TypedOption, TypedQuestion, UnusableCompletion
from judge_server.models.registry import open_model
from tests.decisions import FORMS
from tests.models.openai_model import after_start, request, started
from tests.stub_judge import Reply, StubJudge

YES_NO = ("Yes", "No")
VERDICT = '{"reason": "It says so.", "verdict": "Yes"}'


def entry(token, share, **more):
    return {"token": token, "logprob": math.log(share), **more}


def label_answer(*top, sampled=None, **choice):
    first = sampled or top[0]
    listed = {"content": [{**first, "top_logprobs": list(top)}]}
    return {"choices": [{"index": 0, "message": {"content": "Yes"}, "logprobs": listed, **choice}]}


def value_of(answer):
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return label_reading(completion_of(joined(raw), thinking=False), YES_NO, (1.0, 0.0)).value


YES, NO = entry("Yes", 0.6), entry("No", 0.3)
PLAIN = json.dumps(label_answer(YES, NO)).encode()
BY_TEXT = {"tokens": ["Yes"], "token_logprobs": [math.log(0.6)], "top_logprobs": [{"Yes": math.log(0.6), "No": -1.2}]}
RIGHT = {
    "the sampled token without a number": label_answer(YES, NO, sampled={"token": "Yes", "logprob": None}),
    "minus infinity in words": label_answer(YES, NO, {"token": "Perhaps", "logprob": "-Infinity"}),
    "probabilities by text, as older completions have them": label_answer(YES, NO, logprobs=BY_TEXT),
    "least likely first": label_answer(NO, YES),
    "sampled token twice": label_answer(YES, YES, NO),
    "sampled token twice with its bytes": label_answer(YES | {"bytes": [89]}, YES | {"bytes": [89]}, NO),
    "bytes without texts": label_answer(
        {"bytes": list(b"Yes"), "logprob": math.log(0.6)}, {"token": "", "bytes": list(b"No"), "logprob": math.log(0.3)}
    ),
    "half a character": label_answer(YES, NO, entry("\ufffd", 0.02, bytes=[0xE2]), entry("\ufffd", 0.03, bytes=[0xF0])),
    "a mark of the byte order": b"\xef\xbb\xbf" + json.dumps(label_answer(YES, NO)).encode(),
    "index 1": label_answer(YES, NO, index=1),
    "a tool call without content": label_answer(YES, NO, message={"content": None, "tool_calls": [{"id": "1"}]}),
    "usage below zero": label_answer(YES, NO) | {"usage": {"prompt_tokens": -5, "completion_tokens": "many"}},
    "no usage, unknown reason to end": label_answer(YES, NO, finish_reason="because"),
    "after the white space that keeps a connection busy": b"\n     \n\r\n   "
    + json.dumps(label_answer(YES, NO)).encode(),
    "beside an error that says nothing": label_answer(YES, NO) | {"error": {"message": "", "type": "", "code": None}},
    "beside an error that says success": label_answer(YES, NO) | {"error": {"code": 0, "message": "success"}},
    "streamed after white space": b"\r\n\ndata: "
    + json.dumps(label_answer(YES, NO)).encode()
    + b"\n\ndata: [DONE]\n\n",
    "streamed after a mark and a time to retry": b"\xef\xbb\xbfretry: 500\ndata: " + PLAIN + b"\n\ndata: [DONE]\n\n",
    "streamed": b"data: " + json.dumps(label_answer(YES, NO)).encode() + b"\n\ndata: [DONE]\n\n",
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_odd_answers_that_hold_a_number_give_that_number(answer):
    assert value_of(answer) == pytest.approx(2 / 3, abs=0.02)


def test_a_sampled_token_ahead_of_likelier_ones_bounds_no_unlisted_label():
    """vLLM lists the sampled token first, and as many of the likeliest as fit behind it. "No" may be as likely as the
    last of those."""
    perhaps, yes = entry("Perhaps", 0.05), entry("Yes", 0.5)
    found = completion_of(json.dumps(label_answer(perhaps, yes)).encode(), thinking=False)
    bounds = label_reading(found, YES_NO, (1.0, 0.0)).bounds
    assert (bounds.low, bounds.high) == (pytest.approx(0.5 / 0.95), 1.0)
    sampled_first = completion_of(json.dumps(label_answer(yes, perhaps)).encode(), thinking=False)
    assert label_reading(sampled_first, YES_NO, (1.0, 0.0)).bounds.low == pytest.approx(0.5 / 0.55)


def test_two_tokens_of_one_text_count_both():
    assert value_of(label_answer(YES, entry("Yes", 0.05), NO)) == pytest.approx(0.65 / 0.95)


def streamed(*pieces):
    return b"".join(b"data: " + json.dumps({"choices": [piece]}).encode() + b"\n\n" for piece in pieces)


def test_a_label_listed_without_a_number_is_an_unlisted_one():
    """Where JSON has no NaN, encoders write null or a text."""
    for nothing in (None, "NaN"):
        answer = label_answer(YES, {"token": "No", "logprob": nothing})
        found = completion_of(json.dumps(answer).encode(), thinking=False)
        bounds = label_reading(found, YES_NO, (1.0, 0.0)).bounds
        assert (bounds.low, bounds.high) == (pytest.approx(0.6), 1.0)


def test_the_sampled_token_alone_by_text_bounds_no_other_label():
    alone = {"tokens": ["Yes"], "token_logprobs": [math.log(0.52)]}
    found = completion_of(json.dumps(label_answer(YES, logprobs=alone)).encode(), thinking=False)
    bounds = label_reading(found, YES_NO, (1.0, 0.0)).bounds
    assert (bounds.low, bounds.high) == (pytest.approx(0.52), 1.0)


WRONG = {
    "two tokens of one text by text": json.dumps(label_answer(YES, logprobs=BY_TEXT)).replace('"No"', '"Yes"').encode(),
    "two choices": label_answer(YES, NO)
    | {"choices": [{"message": {"content": "Yes"}}, {"message": {"content": "No"}}]},
    "no choices": {"choices": []},
    "two choices in a stream": streamed(
        {"index": 0, "delta": {"content": "Yes"}}, {"index": 1, "delta": {"content": "No"}}
    ),
    "a page": b"<!DOCTYPE html><title>Log in</title>",
    "latin-1": '{"choices": [{"message": {"content": "Yes, c\xe9rtes"}}]}'.encode("latin-1"),
    "utf-16": json.dumps(label_answer(YES, NO)).encode("utf-16"),
    "probabilities that are no logarithms": label_answer(
        {"token": "Yes", "logprob": 0.6}, {"token": "No", "logprob": 0.3}
    ),
    "texts for numbers": label_answer({"token": "Yes", "logprob": "-0.5"}),
    "more than everything": label_answer(YES, NO, entry("Yes", 0.59)),
    "a bare list": [label_answer(YES, NO)],
    "content that is a number": {"choices": [{"message": {"content": 1}}]},
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_odd_answers_without_one_number_are_typed_failures(answer):
    with pytest.raises(UnusableVerdict):
        value_of(answer)


def spoken(content, **choice):
    raw = json.dumps({"choices": [{"message": {"content": content}, **choice}]}).encode()
    return read_structured(completion_of(raw, thinking=False), [YES_NO])


CUT = ("length", "max_tokens", "MAX_TOKENS", "model_length", "abort", "cancelled", "timeout", "incomplete")


@pytest.mark.parametrize("reason", CUT)
def test_a_word_that_was_cut_off_is_no_verdict(reason):
    """ "Yes" may have been the beginning of "Yes, but"."""
    with pytest.raises(UnusableVerdict, match="cut off"):
        spoken("Yes", finish_reason=reason)


@pytest.mark.parametrize("reason", [None, "stop", "eos_token", "end_turn", "COMPLETE", "stop_sequence", "unheard of"])
def test_a_whole_answer_is_read_whatever_the_server_calls_its_end(reason):
    assert spoken("Yes", finish_reason=reason)[0].label == "Yes"
    assert spoken(VERDICT, finish_reason=reason)[0].label == "Yes"


def test_a_stream_that_ends_in_the_middle_is_cut_off():
    raw = joined(streamed({"delta": {"content": "Yes"}}))
    with pytest.raises(UnusableVerdict, match="cut off"):
        read_structured(completion_of(raw, thinking=False), [YES_NO])
    whole = joined(streamed({"delta": {"content": "Yes"}}) + b"data: [DONE]\n\n")
    assert read_structured(completion_of(whole, thinking=False), [YES_NO])[0].label == "Yes"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_verdict_that_a_parser_took_for_thinking_is_read(content):
    answer = {"choices": [{"message": {"content": content, "reasoning_content": VERDICT}, "finish_reason": "stop"}]}
    completion = completion_of(json.dumps(answer).encode(), thinking=False)
    assert read_structured(completion, [YES_NO])[0].label == "Yes"


def elsewhere(**message):
    raw = json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    return read_structured(completion_of(raw, thinking=False), [YES_NO])


@pytest.mark.parametrize("content", [None, "", " "])
def test_a_verdict_in_the_arguments_of_the_only_call_of_a_tool_is_read(content):
    call = {"type": "function", "function": {"name": "verdict", "arguments": VERDICT}}
    assert elsewhere(content=content, tool_calls=[call])[0].label == "Yes"
    with pytest.raises(UnusableVerdict):
        elsewhere(content=content, tool_calls=[call, call])


@pytest.mark.parametrize("content", [None, ""])
def test_a_refusal_beside_an_empty_content_is_named(content):
    with pytest.raises(UnusableVerdict, match="refused"):
        elsewhere(content=content, refusal="I can't help with that.")


OVER_HTTP = {
    "202 with an address to ask": (Reply(202, {"id": "x", "status_url": "/later"}), ModelUnavailable, "later"),
    "204": (Reply(204), ModelUnavailable, "without content"),
    "206 with a part": (Reply(206, label_answer(YES, NO)), ModelUnavailable, "without content"),
    "303": (Reply(303, b"", {"Location": "/x"}), ModelUnavailable, "[Rr]edirects"),
    "an error beside choices that are null": (
        Reply(200, {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input sensitive"}}),
        ContentFiltered,
        "filter",
    ),
    "a page": (Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}), UnusableVerdict, "address"),
    "gzip that ends early": (
        Reply(200, gzip.compress(json.dumps(label_answer(YES, NO)).encode())[:-12], {"Content-Encoding": "gzip"}),
        JudgeFailure,
        ".",
    ),
}


@pytest.mark.parametrize("case", OVER_HTTP)
async def test_an_answer_that_is_none_names_what_to_do(case):
    reply, error, remedy = OVER_HTTP[case]
    with StubJudge(after_start(reply)) as judge:
        async with started(judge) as model:
            with pytest.raises(error, match=remedy):
                await model.complete(request())


@pytest.mark.parametrize(
    "error",
    [
        None,
        "",
        "none",
        0,
        {},
        [],
        {"message": None, "code": 0},
        {"code": "200", "message": "Success"},
        {"details": [{}]},
    ],
    ids=str,
)
async def test_an_error_that_says_nothing_is_none(error):
    with StubJudge(after_start(Reply(200, label_answer(YES, NO) | {"error": error}))) as judge:
        async with started(judge) as model:
            assert (await model.complete(request())).candidates[0].text == "Yes"


async def test_201_is_an_answer():
    with StubJudge(after_start(Reply(201, label_answer(YES, NO)))) as judge:
        async with started(judge) as model:
            assert (await model.complete(request())).candidates[0].text == "Yes"


@pytest.mark.parametrize(
    "given",
    [
        {"noul": 0.1, "probabilities": {"yes": 0.9, "no": 0.1}},
        {"noul": math.nan, "probabilities": {"yes": 0.9, "no": 0.1}},
        {"noul": "0.9", "probabilities": {"yes": 0.9, "no": 0.1}},
        {"type": "noul", "noul": 0.75, "probabilities": {"yes": 0.75, "no": 0.25}, "error": {"message": "overloaded"}},
        {"noul": math.nan},
        {"noul": -0.5},
        {"probabilities": {"yes": 0.9, "no": 0.9}},
    ],
)
def test_a_decision_that_contradicts_itself_is_none(given):
    (decided,) = decisions_in({"answers": {"q0": given}}, [TypedQuestion("predicate", ())], "systemone")
    assert decided.shares == ()
    assert decided.unusable


OPTIONS = (TypedOption("a"), TypedOption("b"))
EITHER = {"a": 0.3, "b": 0.7}


@pytest.mark.parametrize(
    ("question", "given"),
    [
        (TypedQuestion("predicate", ()), {"type": "score", "probabilities": {"yes": 0.9, "no": 0.1}}),
        (TypedQuestion("predicate", ()), {"type": "choice", "noul": 0.9}),
        (TypedQuestion("choice", (), OPTIONS), {"type": "noul", "probabilities": EITHER}),
        (TypedQuestion("choice", (), OPTIONS), {"type": "score", "probabilities": EITHER}),
        (TypedQuestion("score", (), OPTIONS), {"type": "choice", "probabilities": {"0": 0.3, "1": 0.7}}),
    ],
)
def test_an_answer_to_a_question_of_another_type_is_none(question, given):
    (decided,) = decisions_in({"answers": {"q0": given}}, [question], "systemone")
    assert decided.unusable == "it answers a question of another type"


@pytest.mark.parametrize("kind", ["choice", None, "classification", ["choice"]])
def test_a_type_of_another_name_or_none_is_no_contradiction(kind):
    given = {"type": kind, "probabilities": EITHER}
    (decided,) = decisions_in({"answers": {"q0": given}}, [TypedQuestion("choice", (), OPTIONS)], "systemone")
    assert decided.shares == (0.3, 0.7)


THREE = (TypedOption("a"), TypedOption("b"), TypedOption("c"))
LEVELS = {"0": 0.7, "1": 0.2, "2": 0.1}
CHOICES = {"a": 0.7, "b": 0.2, "c": 0.1}
DIFFER = [
    ("choice", {"choice": "b", "probabilities": CHOICES}, "its choice is not the likeliest of its options"),
    ("choice", {"choice": "d", "probabilities": CHOICES}, "its choice is none of the options"),
    ("choice", {"choice": True, "probabilities": CHOICES}, "its choice is none of the options"),
    ("score", {"score": 1.6, "probabilities": LEVELS}, "its score is not the expected level"),
    ("score", {"score": 2, "probabilities": LEVELS}, "its score is not the expected level"),
    ("score", {"score": 40.0, "probabilities": LEVELS}, "its score is not the expected level"),
    ("score", {"score": math.nan, "probabilities": LEVELS}, "its score is no number"),
    ("score", {"score": 10**400, "probabilities": LEVELS}, "its score is no number"),
    ("score", {"score": "0.4", "probabilities": LEVELS}, "its score is no number"),
]
AGREE = [
    ("choice", {"choice": "a", "probabilities": CHOICES}),
    ("choice", {"choice": None, "probabilities": CHOICES}),
    ("choice", {"choice": "b", "probabilities": {"a": 0.45, "b": 0.44, "c": 0.11}}),
    ("score", {"score": 0.4, "probabilities": LEVELS}),
    ("score", {"score": 0.43, "probabilities": LEVELS}),
    ("score", {"score": 0, "probabilities": LEVELS}),
    ("score", {"score": None, "probabilities": LEVELS}),
    ("score", {"score": 2, "probabilities": {"0": 0.4, "1": 0.1, "2": 0.5}}),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "given", "why"), DIFFER)
def test_an_outcome_unlike_the_probabilities_beside_it_is_two_statements(form, kind, given, why):
    """Which of them is meant? Levels from best to worst, counted from 1, or in percent are noticed by it too."""
    assert stated(form, kind, given).unusable == why


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "given"), AGREE)
def test_an_outcome_within_rounding_and_ties_of_the_probabilities_is_one_statement(form, kind, given):
    assert stated(form, kind, given).shares == tuple(given["probabilities"].values())


def stated(form, kind, given):
    told = {"type": kind, **given}
    if form == "decisions":
        entries = given["probabilities"].items()
        told["probabilities"] = [
            {"value": int(name) if kind == "score" else name, "probability": p} for name, p in entries
        ]
    answers = {"q0": told} if form == "systemone" else [{"name": "q0", **told}]
    (decided,) = decisions_in({"answers": answers}, [TypedQuestion(kind, (), THREE)], form)
    return decided


def test_what_rounding_to_32_bits_leaves_of_nothing_is_nothing():
    given = {"type": "choice", "probabilities": {"a": 1.0000001, "b": -1.1920929e-07}}
    (decided,) = decisions_in({"answers": {"q0": given}}, [TypedQuestion("choice", (), OPTIONS)], "systemone")
    assert decided.shares == (1.0, 0.0)


def test_the_place_of_a_level_may_be_written_with_a_point():
    listed = [{"value": place, "probability": share} for place, share in ((0.0, 0.3), (1.0, 0.7))]
    answer = {"answers": [{"name": "q0", "type": "score", "probabilities": listed}]}
    (decided,) = decisions_in(answer, [TypedQuestion("score", (), OPTIONS)], "decisions")
    assert decided.shares == (0.3, 0.7)


TWICE = {
    "an answer": (b'"q0": {"noul": 0.1}, "q0": {"noul": 0.9}', "systemone"),
    "a number": (b'"q0": {"noul": 0.1, "noul": 0.9}', "systemone"),
    "an option": (b'"q0": {"probabilities": {"yes": 0.9, "no": 0.1, "yes": 0.1, "no": 0.9}}', "systemone"),
}


@pytest.mark.parametrize("case", TWICE)
async def test_a_key_twice_in_an_answer_of_a_decision_server_is_two_statements(case):
    """Readers of JSON keep the last."""
    inner, form = TWICE[case]
    answers = iter([FORMS[form]()])

    def behave(body):
        told = next(answers, None)
        return told(body) if told else Reply(200, b'{"model": "stub", "answers": {%b}}' % inner)

    with StubJudge(decide={form: behave}) as judge:
        model = open_model(f"decide:stub@{judge.address}", {})
        await model.start()
        try:
            with pytest.raises(UnusableCompletion, match="a key stands twice"):
                await model.complete(replace(request(), answer=Decisions((TypedQuestion("predicate", ()),))))
        finally:
            await model.close()


def test_an_option_that_is_listed_twice_has_no_probability():
    listed = [
        {"value": "a", "probability": 0.2},
        {"value": "a", "probability": 0.8},
        {"value": "b", "probability": 0.2},
    ]
    answer = {"answers": [{"name": "q0", "probabilities": listed}]}
    (decided,) = decisions_in(answer, [TypedQuestion("choice", (), OPTIONS)], "decisions")
    assert decided.unusable
