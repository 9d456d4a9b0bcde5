"""What servers refuse, a stub for each: the start finds it out, and judging works without it."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from judge_server.core.errors import ContentFiltered, ModelUnavailable
from judge_server.judging.reading import verdict_schema
from judge_server.models.protocol import Labels, Prompt, Sampling, Segment, Structured, Turn
from tests.models.openai_model import after_start, request, started
from tests.stub_judge import Reply, StubJudge, faithful, labels, text, wants_schema


def refusing(wanted, status, message, **error):
    """Answers well, but refuses bodies for which ``wanted`` holds."""

    def behave(body):
        if wanted(body):
            return Reply(status, {"error": {"message": message, **error}})
        return faithful()(body) if "logprobs" in body or wants_schema(body) else text("Yes")

    return behave


def keyword(name):
    return lambda body: f'"{name}"' in json.dumps(wants_schema(body) or {})


def has_system(body):
    return any(message["role"] == "system" for message in body["messages"])


def limit(body):
    return body.get("max_tokens") or body.get("max_completion_tokens") or 0


ROWS: dict[str, tuple[Any, int, str, bool]] = {
    # name: (what is refused, status, words, whether probabilities are left)
    "logprobs 400": (lambda b: "logprobs" in b, 400, "logprobs is not supported by this model", False),
    "logprobs 403": (lambda b: "logprobs" in b, 403, "You are not allowed to request logprobs from this model", False),
    "logprobs 404": (lambda b: "logprobs" in b, 404, "No endpoints support the parameters: logprobs", False),
    "logprobs 500": (lambda b: "logprobs" in b, 500, "logprobs is not supported", False),
    "logprobs without words": (lambda b: "logprobs" in b, 400, "Bad request", False),
    "top_logprobs at most 5": (lambda b: b.get("top_logprobs", 0) > 5, 400, "top_logprobs must be at most 5", True),
    "max_tokens": (
        lambda b: "max_tokens" in b,
        400,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        True,
    ),
    "at least 16": (
        lambda b: limit(b) < 16,
        400,
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
        True,
    ),
    "at least, between": (lambda b: limit(b) < 16, 400, "max_tokens must be between 16 and 4096", True),
    "at least, above": (lambda b: limit(b) < 16, 400, "max_tokens must be greater than 15", True),
    "at least, range": (lambda b: limit(b) < 16, 400, "Range of max_tokens should be [16, 8192]", True),
    "at least, of another name": (lambda b: limit(b) < 2, 400, "num_predict must be >= 2", True),
    "at least, no number": (
        lambda b: limit(b) < 20,
        400,
        "Could not finish the message because max_tokens was reached. Please try again with higher max_tokens.",
        True,
    ),
    "logprobs 404 without words": (lambda b: "logprobs" in b, 404, "No endpoint has the requested parameters", False),
    "chat_template_kwargs demanded elsewhere": (
        lambda b: b.get("enable_thinking") is not False,
        400,
        "parameter.enable_thinking must be set to false for non-streaming calls",
        True,
    ),
    "additionalProperties in snake case": (
        keyword("additionalProperties"),
        400,
        "additional_properties is not supported",
        True,
    ),
    "system": (has_system, 400, "System role not supported", True),
    "system in a template": (has_system, 500, "TemplateError: Conversation roles must alternate user/assistant", True),
    "system without words": (has_system, 400, "Bad request", True),
    "temperature": (
        lambda b: "temperature" in b,
        400,
        "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) is.",
        True,
    ),
    "seed 422": (
        lambda b: "seed" in b,
        422,
        "[{'loc': ['body', 'seed'], 'msg': 'Extra inputs are not permitted'}]",
        True,
    ),
    "seed without words": (lambda b: "seed" in b, 422, "Unprocessable entity", True),
    "thinking": (
        lambda b: "chat_template_kwargs" in b,
        400,
        "Unrecognized request argument: chat_template_kwargs",
        True,
    ),
    "minLength 400": (keyword("minLength"), 400, "Invalid schema: 'minLength' is not permitted.", True),
    "minLength 501": (keyword("minLength"), 501, "minLength is not implemented", True),
    "maxLength without words": (keyword("maxLength"), 400, "Invalid schema for response_format 'verdict'", True),
    "additionalProperties": (keyword("additionalProperties"), 400, "additionalProperties is not supported", True),
}


@pytest.mark.parametrize("row", ROWS)
async def test_what_a_server_refuses_is_found_out_at_the_start_and_left_out_afterwards(row):
    wanted, status, words, logprobs = ROWS[row]
    with StubJudge(refusing(wanted, status, words)) as judge:
        async with started(judge) as model:
            assert (model.capabilities.logprobs, model.capabilities.structured) == (logprobs, True)
            calls = judge.calls
            assert (await model.complete(asked(request()))).text == "Yes"
            said = await model.complete(asked(request(answer=Structured(verdict_schema([("Yes", "No")]), 320))))
            assert json.loads(said.text)["verdict"] == "Yes"
            assert judge.calls == calls + 2
            given_up = judge.bodies[-1]
    others = {"temperature", "seed", "chat_template_kwargs"} - {
        row.split()[0],
        "chat_template_kwargs" * (row == "thinking"),
    }
    said_to = "\n".join(message["content"] for message in given_up["messages"])
    assert "You grade one response." in said_to
    assert others <= set(given_up), "one thing is refused and one is given up"


def asked(request):
    """With the sampling of every judge, and instructions in a system's turn."""
    told = Turn("system", (Segment("You grade one response.", "instructions", trusted=True),))
    return replace(request, sampling=Sampling(0.0, seed=0), prompt=Prompt((told, *request.prompt.turns)))


async def test_several_refusals_are_found_one_by_one():
    def behave(body):
        for field in ("chat_template_kwargs", "max_tokens", "temperature", "seed"):
            if field in body:
                return Reply(400, {"error": {"message": f"Unsupported parameter: '{field}'"}})
        return faithful()(body)

    with StubJudge(behave) as judge:
        async with started(judge) as model:
            assert model.capabilities.logprobs
            assert (await model.complete(asked(request()))).text == "Yes"


async def test_a_parameter_that_is_refused_while_judging_is_named_with_its_option():
    refusal = Reply(422, {"error": {"message": "unknown field 'top_k'"}})
    with StubJudge(after_start(refusal)) as judge:
        async with started(judge, extra_body={"top_k": 3}) as model:
            with pytest.raises(ModelUnavailable, match="extra_body without top_k"):
                await model.complete(request())


@pytest.mark.parametrize(
    "options", [{"omit": ["seed", "temperature"]}, {"least_tokens": 16}, {"limit_field": "max_completion_tokens"}]
)
async def test_an_operator_can_switch_each_of_them_off(options):
    with StubJudge() as judge:
        async with started(judge, **options) as model:
            await model.complete(asked(request()))
        for body in judge.bodies:
            assert not set(options.get("omit", ())) & set(body)
            assert limit(body) >= options.get("least_tokens", 1)
            assert "max_tokens" not in body or "limit_field" not in options


async def test_an_error_inside_an_answer_is_waited_for_and_tried_again():
    busy = Reply(200, {"error": {"code": 429, "message": "Please try again in 50ms"}})
    with StubJudge(after_start(busy, labels(Yes=0.8, No=0.2))) as judge:
        async with started(judge) as model:
            assert (await model.complete(request())).text == "Yes"


async def test_a_content_filter_inside_an_answer_is_not_tried_again():
    blocked = Reply(200, {"choices": [{"error": {"code": 403, "message": "flagged by moderation"}}]})
    with StubJudge(after_start(blocked)) as judge:
        async with started(judge) as model:
            calls = judge.calls
            with pytest.raises(ContentFiltered):
                await model.complete(request())
            assert judge.calls == calls + 1


# What a server lists: P(yes) is .52 in truth, and each row hides one of the labels.
TRUE = {"Yes": 0.52, "No": 0.46, "Maybe": 0.02}
TOKENS = {"Yes": 11, " Yes": 12, "No": 21, " No": 22}


def sampled_only():
    reply = labels(**TRUE)
    del reply.body["choices"][0]["logprobs"]["content"][0]["top_logprobs"][:]
    return reply


def short_list(offer):
    """Lists the sampled token alone, unless it is asked in the one way that it has an ear for."""

    def behave(body):
        if wants_schema(body):
            return faithful()(body)
        if offer == "logprob_token_ids" and body.get("logprob_token_ids"):
            wanted = set(body["logprob_token_ids"])
            return labels(**{text: share for text, share in TRUE.items() if TOKENS.get(text) in wanted})
        if offer == "logit_bias" and body.get("logit_bias"):
            favoured = {text: share for text, share in TRUE.items() if str(TOKENS.get(text)) in body["logit_bias"]}
            return labels(**{text: share / sum(favoured.values()) for text, share in favoured.items()})
        choice = (body.get("structured_outputs") or {}).get("choice") if offer == "structured_outputs" else None
        choice = choice or (body.get("guided_choice") if offer == "guided_choice" else None)
        if choice:
            allowed = {text: TRUE[text] for text in choice}
            return labels(**{text: share / sum(allowed.values()) for text, share in allowed.items()})
        return sampled_only()

    return behave


@pytest.mark.parametrize("offer", ["logprob_token_ids", "structured_outputs", "guided_choice", "logit_bias"])
async def test_labels_that_are_not_listed_are_asked_for_in_the_way_that_the_server_offers(offer):
    with StubJudge(short_list(offer), tokens=TOKENS) as judge:
        async with started(judge) as model:
            assert model.capabilities.relisting
            completion = await model.complete(asked(request(answer=Labels(("Yes", "No"), every=True))))
    found = {c.text: math.exp(c.logprob) for c in completion.candidates}
    assert found == pytest.approx({"Yes": 0.52, "No": 0.46})


async def test_the_ids_of_labels_are_those_of_the_tokenizer_that_is_there_now(monkeypatch):
    everything = request(answer=Labels(("Yes", "No"), every=True))
    with StubJudge(short_list("logprob_token_ids"), tokens=TOKENS) as judge:
        async with started(judge) as model:
            await model.complete(everything)
            for text, token in list(TOKENS.items()):
                monkeypatch.setitem(TOKENS, text, 100 - token)
            await model.relearn()
            calls = judge.calls
            await model.complete(everything)
    asked_for = [body["logprob_token_ids"] for body in judge.bodies[calls:] if "logprob_token_ids" in body]
    assert asked_for == [[89, 88, 79, 78]]


async def test_a_server_that_offers_nothing_is_told_of_at_the_start(caplog):
    with StubJudge(short_list("nothing")) as judge:
        async with started(judge) as model:
            assert not model.capabilities.relisting
            assert "labels_not_listed" in model.capabilities.limits[0]
    assert "labels_not_listed" in caplog.text


async def test_a_server_that_lists_enough_is_asked_for_nothing_else():
    with StubJudge() as judge:
        async with started(judge) as model:
            assert (model.capabilities.relisting, model.capabilities.limits) == (False, ())
        assert judge.calls == 2


def after_sampling(shares, temperature):
    """What sampling makes of probabilities: at temperature 0 the likeliest token has all of it."""
    if temperature == 1:
        return labels(**shares)
    best = max(shares, key=shares.get)
    reply = labels(**shares)
    for entry in reply.body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
        entry["logprob"] = 0.0 if entry["token"] == best else -9999.0
    return reply


async def test_a_server_that_lists_probabilities_after_sampling_is_asked_at_temperature_1():
    """At temperature 0 P(yes) = .52 would be 1."""

    def behave(body):
        return faithful()(body) if wants_schema(body) else after_sampling(TRUE, body["temperature"])

    with StubJudge(behave) as judge:
        async with started(judge) as model:
            found = await model.complete(asked(request()))
            assert math.exp(found.candidates[0].logprob) == pytest.approx(0.52)
            assert model.capabilities.limits == ()
            assert "temperature 1" in model.revision
            await model.complete(asked(request(answer=Structured(verdict_schema([("Yes", "No")]), 320))))
            assert judge.bodies[-1]["temperature"] == 0.0


async def test_a_server_that_lists_nothing_else_is_named_at_the_start():
    def behave(body):
        return faithful()(body) if wants_schema(body) else after_sampling(TRUE, 0)

    with StubJudge(behave) as judge:
        async with started(judge) as model:
            (limit,) = model.capabilities.limits
            assert "after sampling" in limit
            await model.complete(asked(request()))
            assert judge.bodies[-1]["temperature"] == 0.0


async def test_a_server_whose_answers_begin_with_something_else_is_named_at_the_start():
    def behave(body):
        return faithful()(body) if wants_schema(body) else labels(**{"<think>": 0.99, "Yes": 0.005})

    with StubJudge(behave) as judge:
        async with started(judge) as model:
            limit = model.capabilities.limits[-1]
            assert "begins with '<think>'" in limit


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (8, "top_logprobs must be between 0 and 8"),
        (8, "[{'loc': ['body', 'top_logprobs'], 'msg': 'ensure this value is less than or equal to 8'}]"),
        (10, "top_logprobs: maximum value is 10"),
        (3, "Requested top_logprobs of 20, which is greater than max allowed: 3"),
        (1, "top_logprobs must be at most 1"),
        (5, "too many top_logprobs"),
    ],
)
async def test_as_many_alternatives_are_asked_for_as_a_refusal_allows(most, words):
    with StubJudge(refusing(lambda b: b.get("top_logprobs", 0) > most, 400, words)) as judge:
        async with started(judge) as model:
            await model.complete(asked(request()))
            assert judge.bodies[-1]["top_logprobs"] == most


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("max_tokens must be at least 1024", "least_tokens = 1024"),
        ("max_tokens is too small", "least_tokens = 16"),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'", 'limit_field = "max_completion_tokens"'),
    ],
)
async def test_a_limit_that_is_never_accepted_names_the_option(words, option):
    with StubJudge(lambda body: Reply(400, {"error": {"message": words}})) as judge:
        with pytest.raises(ModelUnavailable) as refusal:
            async with started(judge):
                pass
        assert option in refusal.value.remedy
