"""Bodies of errors in the shapes that servers and providers give them: the failure, and whether to ask again."""

import json

import pytest

from judge_server.core.errors import ContentFiltered, ContextOverflow, JudgeRefused, ModelUnavailable
from judge_server.models.error_body import complaint_in
from judge_server.models.openai_fault import CallOutcome, fault_inside, fault_of
from judge_server.models.openai_reply import completion_of

TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."


def fault(status, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fault_inside(raw, {}, "judge") if status == 200 else fault_of(status, {}, raw, "judge")


OVERFLOWS = {
    "a list of errors": (400, [{"error": {"code": 400, "message": TOO_LONG, "status": "INVALID_ARGUMENT"}}]),
    "a list in an answer of status 200": (200, [{"error": {"code": 400, "message": TOO_LONG}}]),
    "errors": (400, {"errors": [{"code": "invalid_input_argument", "message": "Invalid input: " + TOO_LONG}]}),
    "a description": (400, {"errors": [{"description": "Input exceeded max token limit", "key": "fail.input"}]}),
    "a status": (400, {"status": {"code": "40003", "message": "Text too long"}}),
    "a success that is false": (400, {"success": False, "errors": [{"message": TOO_LONG, "code": 5021}], "result": {}}),
    "an error in a text": (424, {"ErrorCode": "CLIENT_ERROR_FROM_MODEL", "Message": f'error (422): "{TOO_LONG}"'}),
    "a provider's error in the metadata": (
        400,
        {"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps({"message": TOO_LONG})}}},
    ),
    "a type alone": (400, {"error": {"message": "bad", "type": "user_input_too_long", "code": 400}}),
    "message tokens": (400, {"error": {"message": "Total tokens of image and text exceed max message tokens."}}),
    "a sum": (422, {"error": "inputs tokens + max_new_tokens must be <= 8192", "error_type": "validation"}),
    "a text alone": (400, TOO_LONG.encode()),
}
FILTERED = {
    "a sentence as code": (403, {"code": "No permission", "error": "Content violates usage guidelines."}),
    "a check": (403, {"error": "Failed check: SAFETY_CHECK_TYPE_BIO"}),
    "a code of words": (400, {"error": {"code": "InputTextRiskDetection", "message": "The request failed."}}),
    "a code with a line": (400, {"error": {"code": "unsafe_content", "message": "not allowed"}}),
    "a word behind a line": (200, {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}),
    "an illegal text": (200, {"Response": {"Error": {"Code": "TextIllegalDetected", "Message": "no"}}}),
    "illegal content": (200, {"error_code": 336501, "error_msg": "the content of message is illegal"}),
    "a reason without an error": (200, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"n": 3}}),
    "a reason beside no choices": (200, {"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
    "a gateway": (446, {"error": {"message": "The guardrail checks failed", "type": "hooks_failed"}}),
    "a firewall": (424, {"error": [{"code": 2016, "message": "Prompt blocked due to security configurations"}]}),
    "an injection": (400, {"error": {"message": "Prompt injection detected"}}),
    "safety reasons": (400, {"error": {"message": "We've limited access to this content for safety reasons."}}),
    "an audit": (200, {"code": 10013, "message": "input content audit failed"}),
    "Russian": (400, {"error": {"message": "Ответ заблокирован этическим фильтром"}}),
}
BUSY = {
    "a rate limit of 403": (403, {"message": "You have exceeded a secondary rate limit"}),
    "throttling of 400": (400, {"error": {"code": "Throttling.RateQuota", "message": "Slow down."}}),
    "a model that is loading": (404, {"error": "model is loading, retry later"}),
    "a failed dependency that is loading": (424, {"error": "The model is currently loading"}),
    "capacity": (498, {"error": {"message": "flex tier capacity exceeded"}}),
    "a lock": (423, {}),
    "a quota with a delay": (429, {"error": {"message": "You exceeded your current quota. Please retry in 32.5s."}}),
    "a payment method beside a limit": (
        429,
        {"error": {"message": "Rate limit reached. Try again in 20s. Add a method under billing to raise it."}},
    ),
}
EMPTY_ACCOUNTS = {
    "402": (402, {}),
    "a quota": (429, {"error": {"type": "exceeded_current_quota_error", "message": "check your plan and billing"}}),
    "a balance": (403, {"error": {"message": "account balance is too low"}}),
    "credit": (400, {"error": {"message": "Your credit balance is too low to access the API"}}),
    "Chinese": (429, {"error": {"code": "1113", "message": "余额不足或无可用资源包,请充值。"}}),
}
REFUSED = {
    "a place": (422, {"detail": [{"loc": ["body", "logprobs"], "msg": "Extra inputs are not permitted"}]}, "logprobs"),
    "a list": (400, [{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}], "seed"),
    "a param": (400, {"error": {"message": "Unsupported parameter", "param": "seed"}}, "seed"),
    "errors": (400, {"errors": [{"message": "unknown field `seed`"}]}, "seed"),
    "a bare word": (400, {"message": "property seed is not allowed"}, "seed"),
    "a bare word at the beginning": (400, {"error": {"message": "seed is not supported"}}, "seed"),
    "404": (404, {"error": {"message": "No endpoints found that support the parameters: logprobs"}}, "logprobs"),
    "405": (405, {"error": {"message": "logprobs not allowed"}}, "logprobs"),
    "a limit of another thing": (400, {"error": {"message": "logprobs limit exceeded: at most 5"}}, "logprobs"),
}
NEITHER = [
    "Illegal argument in the request",
    "text contains an illegal character",
    "prompt must be a string",
    "unsupported content type",
    "Invalid value: 'json'. Supported values are: 'text'.",
]


@pytest.mark.parametrize("case", OVERFLOWS)
def test_a_prompt_that_does_not_fit_is_named_so_in_whatever_shape(case):
    found = fault(*OVERFLOWS[case])
    assert isinstance(found.error, ContextOverflow)
    assert not found.again


@pytest.mark.parametrize("case", FILTERED)
def test_a_content_filter_is_named_so_in_whatever_shape(case):
    found = fault(*FILTERED[case])
    assert isinstance(found.error, ContentFiltered)
    assert not found.again


@pytest.mark.parametrize("case", BUSY)
def test_a_server_that_is_busy_is_asked_again_whatever_its_status(case):
    found = fault(*BUSY[case])
    assert found.again
    assert found.outcome is CallOutcome.BUSY


def test_a_delay_in_a_header_says_that_another_attempt_may_help():
    found = fault_of(403, {"Retry-After": "2"}, b"", "judge")
    assert (found.again, found.wait_seconds) == (True, 2.0)
    refused = fault_of(400, {"Retry-After": "2"}, b'{"error": {"message": "seed is not supported"}}', "judge")
    assert not refused.again


@pytest.mark.parametrize("words", ["stop exceeds the generate limit", "Separate limits hold for n", "n is too high"])
def test_a_refusal_that_only_sounds_like_load_is_final(words):
    assert not fault(400, {"error": {"message": words}}).again


@pytest.mark.parametrize("case", EMPTY_ACCOUNTS)
def test_an_empty_account_is_named_and_not_asked_again(case):
    found = fault(*EMPTY_ACCOUNTS[case])
    assert isinstance(found.error, JudgeRefused)
    assert "quota" in found.error.remedy
    assert not found.again


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_parameter_is_named_in_whatever_shape(case):
    status, body, field = REFUSED[case]
    found = fault(status, body)
    assert isinstance(found.error, ModelUnavailable)
    assert f"refuses {field}" in found.error.detail
    assert not found.again


@pytest.mark.parametrize("words", NEITHER)
def test_other_refusals_are_neither_filters_nor_overflows(words):
    error = fault(400, {"error": {"message": words}}).error
    assert not isinstance(error, ContentFiltered | ContextOverflow)


def test_what_is_repeated_of_the_request_decides_nothing():
    """The judged text stands in it."""
    judged = "content_filter: maximum context length exceeded"
    body = {"detail": [{"loc": ["body"], "msg": "Field required", "input": {"messages": [{"content": judged}]}}]}
    assert "context" not in complaint_in(json.dumps(body).encode())[1]
    assert not isinstance(fault(422, body).error, ContentFiltered | ContextOverflow)


@pytest.mark.parametrize("value", [None, 3, [], {}, [[]], [3], {"error": []}, {"a": {"b": {"c": {"d": {}}}}}])
def test_a_body_that_says_nothing_is_empty(value):
    assert complaint_in(json.dumps(value).encode()) == ("", "")


ENDS = (
    "RECITATION",
    "SPII",
    "refusal",
    "guardrail_intervened",
    "content_filtered",
    "filtered",
    "censored",
    "blacklist",
)


@pytest.mark.parametrize("reason", ENDS)
def test_an_answer_that_a_filter_ended_is_none(reason):
    answer = {"choices": [{"message": {"content": "Yes"}, "finish_reason": reason}]}
    with pytest.raises(ContentFiltered):
        completion_of(json.dumps(answer).encode(), thinking=False)


@pytest.mark.parametrize("reason", ["insufficient_system_resource", "repetition_truncation", "network_error"])
def test_an_answer_that_a_fault_ended_is_cut_off(reason):
    answer = {"choices": [{"message": {"content": "Yes"}, "finish_reason": reason}]}
    assert completion_of(json.dumps(answer).encode(), thinking=False).truncated
