import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadConfiguration, ContextOverflow, JudgeFailure, ModelUnavailable
from judge_server.models.capability_probe import concede, obeyed
from judge_server.models.failover import backoff_seconds
from judge_server.models.fleet import CallOutcome
from judge_server.models.openai_fault import fault_of, retry_after_seconds
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import ModelListing, listing_of
from judge_server.models.openai_wire import Dialect
from judge_server.models.protocol import (
    Completion,
)
from judge_server.models.registry import read_options

SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["Yes", "No"]}}, "required": ["verdict"]}


OVERFLOWS = [
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "The decoder prompt (length 9) is longer than the maximum model length of 8.",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "the request exceeds the available context size, try increasing it",
    "prompt is too long: 210000 tokens > 200000 maximum",
]


class TestFaults:
    @pytest.mark.parametrize("words", OVERFLOWS)
    def test_a_prompt_beyond_the_context_is_named_so_and_not_tried_again(self, words):
        fault = fault_of(400, {}, json.dumps({"error": {"message": words, "code": 400}}).encode(), "judge")
        assert isinstance(fault.error, ContextOverflow)
        assert not fault.again

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


class TestBackoff:
    def test_waits_grow_and_stay_bounded(self):
        assert 0.05 <= backoff_seconds(0) <= 0.1
        assert 0.1 <= backoff_seconds(1) <= 0.2
        assert backoff_seconds(50) <= 2.0

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("7", 7.0),
            (" 0.5 ", 0.5),
            ("soon", None),
            ("-3", None),
            ("nan", None),
            ("", None),
            ("²", None),
        ],
    )
    def test_retry_after_is_read_as_seconds(self, header, seconds):
        assert retry_after_seconds(header) == seconds

    def test_retry_after_is_read_as_a_date(self):
        assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
        assert retry_after_seconds("Wed, 21 Oct 2150 07:28:00 GMT") == 86_400.0


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


class TestConcessions:
    def test_what_the_server_complains_of_is_given_up_first(self):
        assert concede(Dialect(), "Unsupported value: 'temperature'").temperature is False
        assert concede(Dialect(), "use max_completion_tokens, not max_tokens").limit_field == "max_completion_tokens"
        assert concede(Dialect(), "top_logprobs must be at most 5").top_logprobs == 5

    def test_concessions_come_to_an_end(self):
        dialect, count = Dialect(), 0
        while (less := concede(dialect, "no")) is not None:
            dialect, count = less, count + 1
        assert count == 5
