import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadConfiguration, ContentFiltered, ContextOverflow, JudgeFailure, ModelUnavailable
from judge_server.models.capability_probe import obeyed
from judge_server.models.openai_fault import CallOutcome, fault_inside, fault_of
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import ModelListing, listing_of
from judge_server.models.protocol import (
    Completion,
)
from judge_server.models.registry import read_options

SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["Yes", "No"]}}, "required": ["verdict"]}


# One wording of each server or provider, written from its source or from published reports of its errors.
OVERFLOWS = {
    "openai": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "openai responses": "Your input exceeds the context window of this model.",
    "azure": "Error code: context_length_exceeded",
    "vllm": "The decoder prompt (length 9) is longer than the maximum model length of 8.",
    "vllm 0.6": "please reduce the length of the input prompt or set max_model_len higher",
    "sglang": "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "sglang requested": "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "llama.cpp type": "exceed_context_size_error",
    "lm studio": "Trying to keep the first 5000 tokens when context the overflows. Loaded context length: 4096",
    "ollama": "the input length exceeds the context length",
    "tgi": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    "tgi input": "Input validation error: `inputs` must have less than 4095 tokens, max_input_length",
    "tensorrt-llm": "Prompt length (5000) exceeds maximum input length (4096).",
    "lmdeploy": "input token length 5000 exceeds session_len 4096",
    "mlc": "Request prompt has 5000 tokens in total, larger than the model input length limit 4096.",
    "tabbyapi": "Prompt length 5000 is greater than max_seq_len 4096",
    "anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "anthropic sum": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "bedrock": "Input is too long for requested model.",
    "gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "cohere": "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    "mistral": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "groq": "Please reduce the length of the messages or completion.",
    "deepseek": "This model's maximum context length is 65536 tokens. Please reduce the length of the messages",
    "xai": "This model's maximum prompt length is 131072 but the request contains 500000 tokens.",
    "fireworks": "The prompt is too long: 40000, model maximum context length: 32768",
    "dashscope": "Range of input length should be [1, 30720]",
    "moonshot": "Invalid request: Your request exceeded model token limit: 8192",
    "minimax": "invalid params, context window exceeds limit",
    "zhipu": "Prompt 超长",
    "qianfan": "prompt tokens too long",
    "cloudflare": "The estimated number of input tokens (9000) exceeded this model context window limit (8000).",
    "github": "prompt token count of 9000 exceeds the limit of 8192",
    "cerebras": "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
    "ai21": "The prompt is too long. Max input length exceeded.",
    # wordings that the rule was not written on
    "unseen total": "The total number of tokens 9000 exceeds the model's limit of 8192",
    "unseen allowed": "Input exceeds maximum allowed tokens (8192).",
    "unseen supports": "This model supports at most 8192 tokens, your prompt has 9000",
    "unseen n_ctx": "Prompt is larger than n_ctx",
    "unseen but": "Prompt has 9000 tokens but the limit is 8192",
    "unseen shorten": "Please shorten your prompt and try again",
    "unseen negative": "max_tokens must be at least 1, got -42.",
    "unseen cannot": "the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model",
    "unseen chat": "The conversation is too long, please start a new one",
    "unseen cache": "kv cache is full: prompt has 9000 tokens",
    "unseen sign": "request too large: 9000 tokens > 8192",
    "unseen chinese": "输入长度超过模型最大限制",
    # the wordings that it missed, of 65 that were written afterwards
    "tgi less": "`inputs` must have less than 4095 tokens. Given: 5000",
    "compared": "tokens in prompt 5000 > 4096",
    "chinese tokens": "请求的token数超过了模型的最大长度",
    "text": "Text is too long. Limit: 4096 tokens",
    "german": "Die Eingabe überschreitet die maximale Kontextlänge",
    "does not fit": "The prompt has 5000 tokens which doesn't fit the 4096-token window.",
    "model context": "Prompt does not fit in model context",
    "blocks": "Not enough KV cache space for this request: needs 400 blocks, has 256",
    "accepts": "The conversation contains 5000 tokens; this deployment accepts 4096.",
    "sum": "Value error: prompt_len 5000 + max_tokens 1 > 4096",
    "query": "Query is too long",
    "positions": "Sequence length 5000 is beyond the trained positions 4096",
    "ran over": "Your input ran over the model window by 904 tokens.",
    "above": "Prompt tokens (5000) are above the allowed 4096.",
    "reached": "Max context reached",
    "lengthy": "Your message is too lengthy for this model",
    "ids": "input ids length 9000 must be <= 8192",
    "oversized": "Truncation is disabled and the prompt is oversized",
    "n_tokens": "n_tokens (9000) >= n_ctx (8192)",
    "too much": "too much text: 9000 tokens",
}
NOT_OVERFLOWS = [
    "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000",
    "max_tokens is too large: 5000. This model supports at most 4096 completion tokens",
    "Unsupported value: 'temperature' does not support 0 with this model.",
    "Invalid schema for response_format",
    "Rate limit reached: too many tokens per day",
    "The image is too large",
    "The tool list is too long: at most 128 tools",
    "Your request exceeded your monthly token budget",
    "logprobs limit exceeded: at most 5",
    "schema too large: at most 100 properties",
    "request id is longer than 128 characters",
    "message name is too long",
    "prompt_cache_key too long: max 64",
    "messages must alternate between user and assistant",
    "Please send at most 16 messages with images",
    "Invalid value for max_tokens: must be greater than 0 and less than 4097",
    "max_completion_tokens 20000 exceeds 16384",
    "requests with more than 8 choices are not supported",
    "response_format.schema has 120 properties, more than 100",
    "header names are case-sensitive",
]
FILTERED = [
    (
        400,
        {
            "code": "content_filter",
            "message": "The response was filtered due to Azure OpenAI's content management policy.",
        },
    ),
    (400, {"message": "Your request was rejected as a result of our safety system."}),
    (400, {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}),
    (403, {"message": "Your input was flagged by moderation", "metadata": {"reasons": ["violence"]}}),
    (400, {"code": "1301", "message": "contentFilter"}),
    (400, {"code": "content_policy_violation"}),
    (422, {"message": "Output blocked by content filtering policy"}),
    (400, {"message": "blocked due to safety: PROHIBITED_CONTENT"}),
    (451, {"message": "no"}),
    *(
        (400, {"message": words})
        for words in (
            "Input data may contain inappropriate content.",
            "The prompt was blocked: SAFETY",
            "Content Exists Risk",
            "Request blocked by guardrail",
            "The request was blocked because it was considered high risk",
            "input text sensitive",
            "内容违规",
            "Content violates policy",
            "your message contains disallowed content",
            "blocked by Model Armor",
            "content unsafe",
            "NSFW content detected",
            "input failed safety check",
        )
    ),
]


class TestFaults:
    @pytest.mark.parametrize("server", OVERFLOWS)
    @pytest.mark.parametrize("status", [400, 413, 422, 500])
    def test_a_prompt_beyond_the_context_is_named_so_and_not_tried_again(self, server, status):
        fault = fault_of(
            status, {}, json.dumps({"error": {"message": OVERFLOWS[server], "code": 400}}).encode(), "judge"
        )
        assert isinstance(fault.error, ContextOverflow)
        assert not fault.again

    @pytest.mark.parametrize("words", NOT_OVERFLOWS)
    @pytest.mark.parametrize("status", [400, 413, 429])
    def test_other_complaints_about_tokens_are_no_overflow(self, words, status):
        fault = fault_of(status, {}, json.dumps({"error": {"message": words}}).encode(), "judge")
        assert isinstance(fault.error, ModelUnavailable) or status == 413

    @pytest.mark.parametrize(("status", "error"), FILTERED)
    def test_a_content_filter_has_a_type_of_its_own_and_is_not_tried_again(self, status, error):
        fault = fault_of(status, {}, json.dumps({"error": error}).encode(), "judge")
        assert isinstance(fault.error, ContentFiltered)
        assert not fault.again

    @pytest.mark.parametrize(
        ("field", "message", "option"),
        [
            ("seed", "Extra inputs are not permitted: 'seed'", 'omit = ["seed"]'),
            ("temperature", "Unsupported value: 'temperature' does not support 0", 'omit = ["temperature"]'),
            ("top_logprobs", "top_logprobs is not available to this key", "top_logprobs = 0"),
            ("logprobs", "You are not allowed to request logprobs from this model", "top_logprobs = 0"),
            ("response_format", "response_format is not supported", 'structured = "none"'),
            ("minLength", "keyword minLength is not permitted", 'omit = ["minLength"]'),
            ("priority", "priority scheduling is off: priority must be 0", "send_priority = false"),
            ("top_k", "unknown field 'top_k'", "extra_body without top_k"),
        ],
    )
    @pytest.mark.parametrize("status", [400, 403, 422, 501])
    def test_a_refused_parameter_is_named_with_the_option_that_switches_it_off(self, field, message, option, status):
        fault = fault_of(status, {}, json.dumps({"error": {"message": message}}).encode(), "judge")
        assert isinstance(fault.error, ModelUnavailable)
        assert field in fault.error.detail
        assert option in fault.error.remedy
        assert "key" not in fault.error.remedy

    @pytest.mark.parametrize(
        ("error", "error_type", "again"),
        [
            ({"error": {"code": 429, "message": "slow down"}}, ModelUnavailable, True),
            ({"error": {"type": "rate_limit_exceeded", "message": "x"}}, ModelUnavailable, True),
            ({"error": {"code": "503", "message": "x"}}, ModelUnavailable, True),
            ({"error": "provider returned error"}, ModelUnavailable, True),
            ({"choices": [{"error": {"code": 502, "message": "x"}, "finish_reason": "error"}]}, ModelUnavailable, True),
            ({"choices": [{"error": {"code": 429, "message": "x"}}]}, ModelUnavailable, True),
            (
                {"object": "error", "message": "longer than the maximum model length", "code": 400, "error": 1},
                ContextOverflow,
                False,
            ),
            ({"errors": [{"code": 429, "message": "slow down"}]}, ModelUnavailable, True),
            ({"code": 429, "message": "too many", "success": False}, ModelUnavailable, True),
            ({"choices": [{"finish_reason": "error", "message": {"content": "Yes"}}]}, ModelUnavailable, True),
            ({"detail": "Not authenticated"}, ModelUnavailable, False),
            ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, ModelUnavailable, True),
            ({"error": {"code": 401, "message": "No auth credentials found"}}, ModelUnavailable, False),
            ({"error": {"type": "invalid_request_error", "message": "prompt is too long"}}, ContextOverflow, False),
            ({"error": {"code": 403, "message": "flagged by moderation"}}, ContentFiltered, False),
            ({"ResponseMetadata": {"Error": {"Code": "Throttling", "Message": "flow"}}}, ModelUnavailable, True),
            ({"header": {"code": 10013, "message": "input content review failed"}}, ContentFiltered, False),
            ({"Response": {"Error": {"Message": "prompt is too long"}}}, ContextOverflow, False),
            ({"errors": "rate limit"}, ModelUnavailable, True),
            ({"fault": {"faultstring": "Rate limit quota violation"}}, ModelUnavailable, True),
            ({"choices": None, "message": "Too Many Requests", "status": 429}, ModelUnavailable, True),
            ({"error_code": 17, "error_msg": "daily request limit reached"}, ModelUnavailable, True),
        ],
    )
    def test_an_error_inside_an_answer_of_status_200_is_that_error(self, error, error_type, again):
        fault = fault_inside(json.dumps(error).encode(), {}, "judge")
        assert isinstance(fault.error, error_type)
        assert fault.again is again

    @pytest.mark.parametrize(
        "body",
        [
            {"choices": [{"message": {"content": 'an "error"'}}]},
            {"choices": [{"message": {"content": "x"}, "error": None}], "error": None},
            {"error": {}},
            {"error": 0, "choices": []},
            [{"error": 1}],
        ],
    )
    def test_an_answer_without_an_error_is_none(self, body):
        assert fault_inside(json.dumps(body).encode(), {}, "judge") is None

    @pytest.mark.parametrize("status", [301, 307, 400, 401, 402, 403, 404, 405, 418, 422])
    def test_what_another_attempt_cannot_change_is_not_tried_again(self, status):
        fault = fault_of(status, {}, b"", "judge")
        assert isinstance(fault.error, ModelUnavailable)
        assert fault.error.remedy
        assert not fault.again

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
    def test_what_may_pass_is_tried_again(self, status):
        assert fault_of(status, {}, b"", "judge").again

    def test_load_is_no_failure_of_the_address(self):
        fault = fault_of(429, {"Retry-After": "2"}, b"", "judge")
        assert (fault.outcome, fault.wait_seconds, fault.error.retry_after_seconds) == (CallOutcome.BUSY, 2.0, 2.0)
        assert fault_of(500, {}, b"", "judge").outcome is CallOutcome.FAILED

    def test_an_empty_account_is_not_asked_again(self):
        body = b'{"error": {"code": "insufficient_quota", "message": "pay"}}'
        assert not fault_of(429, {}, body, "judge").again

    @given(st.integers(300, 599), st.binary(max_size=80))
    def test_every_other_status_is_a_typed_failure_whatever_the_body(self, status, raw):
        assert isinstance(fault_of(status, {}, raw, "judge").error, JudgeFailure)

    def test_the_servers_own_words_are_never_passed_on(self):
        body = b'{"error": {"message": "Incorrect API key provided: sk-secret", "code": "invalid_api_key"}}'
        fault = fault_of(401, {}, body, "judge")
        assert "sk-secret" not in str(fault.error)
        assert "invalid_api_key" in str(fault.error)


class TestSpecification:
    def test_a_fleet_is_written_with_commas(self):
        name, addresses = read_specification("Qwen/Qwen3.5-9B@http://h1:8000/v1/, https://h2/v1")
        assert (name, addresses) == ("Qwen/Qwen3.5-9B", ("http://h1:8000/v1", "https://h2/v1"))

    @pytest.mark.parametrize(
        "rest",
        [
            "",
            "name",
            "name@",
            "@http://h/v1",
            "name@h:8000/v1",
            "n@http://",
            "n@http://h:x/v1",
            "n@http://h/v1,ftp://h",
            "n@http://h/v1,http://h/v1/",
            "n@http://h/v1/chat/completions",
            "n@http://h/v1?key=1",
            "n@http://h/v1,",
        ],
    )
    def test_a_specification_that_cannot_be_read_shows_how_to_write_it(self, rest):
        with pytest.raises(BadConfiguration, match="http") as caught:
            read_specification(rest)
        assert caught.value.remedy

    def test_a_password_in_an_address_is_refused_and_not_shown(self):
        with pytest.raises(BadConfiguration, match="api_key") as caught:
            read_specification("n@http://me:hunter2@h/v1")
        assert "hunter2" not in str(caught.value)


class TestOptions:
    def test_an_unknown_option_names_the_known_ones(self):
        with pytest.raises(BadConfiguration, match=r"'timeout'.*did you mean.*max_in_flight.*timeout_seconds"):
            read_options(OpenAIOptions, "openai", {"timeout": 5})

    def test_a_value_out_of_range_is_named_without_showing_values(self):
        with pytest.raises(BadConfiguration, match="max_in_flight") as caught:
            read_options(OpenAIOptions, "openai", {"max_in_flight": 0, "api_key": ["sk-secret"]})
        assert "sk-secret" not in str(caught.value)

    def test_only_harmless_fields_can_be_added_to_a_body(self):
        assert read_options(OpenAIOptions, "openai", {"extra_body": {"top_k": 3}}).extra_body == {"top_k": 3}
        with pytest.raises(BadConfiguration, match="guided_grammar cannot be sent"):
            read_options(OpenAIOptions, "openai", {"extra_body": {"guided_grammar": "x"}})


class TestListing:
    def test_root_and_context_of_the_model_are_read(self):
        body = {"data": [{"id": "other"}, {"id": "judge", "root": "/models/j", "max_model_len": 4096}]}
        assert listing_of(json.dumps(body).encode(), "judge") == ModelListing(("/models/j",), 4096)

    @pytest.mark.parametrize("raw", [b"", b"[]", b'{"data": 5}', b'{"data": [5, {"id": "judge", "root": 5}]}'])
    def test_a_listing_that_says_nothing_is_empty(self, raw):
        assert listing_of(raw, "judge") == ModelListing()

    def test_the_smallest_context_of_a_fleet_counts(self):
        merged = ModelListing.merged([ModelListing(("b",), 9), ModelListing(("a",), None), ModelListing(("b",), 5)])
        assert merged == ModelListing(("a", "b"), 5)


class TestObeying:
    @pytest.mark.parametrize("text", ['{"canary": "quartz-41"}', '{\n "canary":"quartz-41"}\n'])
    def test_only_a_constraint_brings_the_hidden_word_about(self, text):
        assert obeyed(Completion(text))

    def test_white_space_up_to_the_limit_still_shows_the_constraint(self):
        assert obeyed(Completion('{"canary"' + "\n" * 50, truncated=True))
        assert not obeyed(Completion('{"canary"'))

    @pytest.mark.parametrize("text", ["", "{", "Hello!", '{"canary": "hello"}', '["canary"]', '{"greeting'])
    def test_anything_else_shows_none(self, text):
        assert not obeyed(Completion(text))
        assert not obeyed(Completion(text, truncated=True))
