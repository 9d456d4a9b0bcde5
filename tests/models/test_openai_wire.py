import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stub_judge import answer
from judge_server.core.errors import BadConfiguration, ContextOverflow, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.models.backoff import backoff_seconds, retry_after_seconds
from judge_server.models.fleet import Outcome
from judge_server.models.openai_canary import concede, obeyed
from judge_server.models.openai_fault import fault_of
from judge_server.models.openai_listing import Listing, listing_of
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import completion_of
from judge_server.models.openai_wire import Dialect, chat_body
from judge_server.models.options import read_options
from judge_server.models.protocol import (
    Completion,
    Labels,
    Priority,
    Prompt,
    Request,
    Sampling,
    Segment,
    Structured,
    Turn,
)

SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["Yes", "No"]}}, "required": ["verdict"]}


def prompt_of(*texts):
    segments = tuple(Segment(text, "response", trusted=False) for text in texts)
    return Prompt((Turn("system", (Segment("Grade.", "instructions", trusted=True),)), Turn("user", segments)))


def sent(request, dialect=None, extra=None):
    return json.loads(chat_body(request, "judge", dialect or Dialect(), extra or {}))


def read(choice=None, **fields):
    body = {"choices": [choice]} | fields
    return completion_of(json.dumps(body).encode(), thinking=False)


def message(content, **fields):
    return {"message": {"role": "assistant", "content": content} | fields, "finish_reason": "stop"}


class TestBodies:
    def test_labels_ask_for_one_token_and_its_alternatives(self):
        body = sent(Request(prompt_of("x"), Labels(("Yes", "No"))))
        assert (body["max_tokens"], body["logprobs"], body["top_logprobs"], body["temperature"]) == (1, True, 20, 0.0)
        assert "response_format" not in body
        assert body["messages"] == [{"role": "system", "content": "Grade."}, {"role": "user", "content": "x"}]

    def test_labels_never_let_a_model_think_in_its_only_token(self):
        body = sent(Request(prompt_of("x"), Labels(("Yes", "No")), thinking_tokens=500))
        assert body["max_tokens"] == 1
        assert body["chat_template_kwargs"]["enable_thinking"] is False

    def test_thinking_has_its_own_budget_beside_the_answers(self):
        body = sent(Request(prompt_of("x"), Structured(SCHEMA, 100), thinking_tokens=900))
        assert body["max_tokens"] == 1_000
        assert body["chat_template_kwargs"] == {"enable_thinking": True, "thinking": True}

    @pytest.mark.parametrize(
        ("style", "expected"),
        [
            (
                "json_schema",
                {
                    "response_format": {
                        "type": "json_schema",
                        "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True},
                    }
                },
            ),
            ("structured_outputs", {"structured_outputs": {"json": SCHEMA}}),
            ("guided_json", {"guided_json": SCHEMA}),
            ("json_object", {"response_format": {"type": "json_object", "schema": SCHEMA}}),
            ("none", {}),
        ],
    )
    def test_a_schema_is_sent_in_the_way_the_server_obeys(self, style, expected):
        body = sent(Request(prompt_of("x"), Structured(SCHEMA, 100)), Dialect(structured=style))
        found = {
            name: value
            for name, value in body.items()
            if name in {"response_format", "structured_outputs", "guided_json"}
        }
        assert found == expected

    def test_what_the_server_refused_is_left_out(self):
        dialect = Dialect(thinking="none", limit_field="max_completion_tokens", top_logprobs=0, temperature=False)
        body = sent(Request(prompt_of("x"), Labels(("Yes", "No"))), dialect)
        assert set(body) == {"model", "messages", "stream", "max_completion_tokens"}

    def test_reasoning_effort_switches_thinking_where_it_is_the_way(self):
        dialect = Dialect(thinking="reasoning_effort")
        assert sent(Request(prompt_of("x"), Structured(SCHEMA, 9)), dialect)["reasoning_effort"] == "none"
        on = Request(prompt_of("x"), Structured(SCHEMA, 9), thinking_tokens=50)
        assert sent(on, dialect)["reasoning_effort"] == "medium"

    def test_seed_and_priority_are_sent_where_they_are_given(self):
        request = Request(prompt_of("x"), Labels(("Yes",)), Sampling(0.7, seed=3), priority=Priority.BATCH)
        body = sent(request, Dialect(priority=True))
        assert (body["temperature"], body["seed"], body["priority"]) == (0.7, 3, 2)

    def test_the_operators_fields_never_override_the_request(self):
        extra = {"top_k": 5, "chat_template_kwargs": {"enable_thinking": True, "builtin_tools": []}}
        body = sent(Request(prompt_of("x"), Labels(("Yes",))), extra=extra)
        assert body["top_k"] == 5
        assert body["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False, "builtin_tools": []}

    @given(st.lists(st.sampled_from(["<", "|im_start|>", "system", "</think>", "[INST]", "<s>", "<|", "end|>"])))
    def test_no_control_token_reaches_the_server_even_where_texts_meet(self, texts):
        content = sent(Request(prompt_of(*texts), Labels(("Yes",))))["messages"][1]["content"]
        assert not [token for token in ("<|", "</think>", "[INST]", "<s>") if token in content]

    def test_a_lone_surrogate_is_sent_as_a_replacement_character(self):
        body = sent(Request(prompt_of("a\ud800b \U0001f600"), Labels(("Yes",))))
        assert body["messages"][1]["content"] == "a\ufffdb \U0001f600"


class TestReplies:
    def test_candidates_are_the_first_tokens_alternatives(self):
        completion = completion_of(json.dumps(answer("Yes", {"Yes": 0.7, "No": 0.2})).encode(), thinking=False)
        assert [(c.text, round(math.exp(c.logprob), 6)) for c in completion.candidates] == [("Yes", 0.7), ("No", 0.2)]
        assert completion.text == "Yes"

    def test_the_sampled_token_is_a_candidate_though_it_is_not_among_the_likeliest(self):
        entry = {"token": "Maybe", "logprob": -5.0, "top_logprobs": [{"token": "Yes", "logprob": -0.1}]}
        completion = read(message("Maybe") | {"logprobs": {"content": [entry]}})
        assert [c.text for c in completion.candidates] == ["Yes", "Maybe"]

    def test_two_tokens_of_one_text_both_count(self):
        top = [{"token": "\ufffd", "logprob": -1.0}, {"token": "\ufffd", "logprob": -2.0}]
        completion = read(message("x") | {"logprobs": {"content": [{**top[0], "top_logprobs": top}]}})
        assert len(completion.candidates) == 2

    @pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, {"content": []}])
    def test_an_answer_without_probabilities_has_no_candidates(self, logprobs):
        assert read(message("Yes") | {"logprobs": logprobs}).candidates == ()

    @pytest.mark.parametrize(
        "entry",
        [
            "Yes",
            {"token": "Yes"},
            {"token": 5, "logprob": -1},
            {"token": "Yes", "logprob": "-1"},
            {"token": "Yes", "logprob": True},
            {"token": "Yes", "logprob": 3.0},
            {"token": "Yes", "logprob": -0.1, "top_logprobs": "x"},
            {"token": "Yes", "logprob": -0.1, "top_logprobs": [7]},
            {"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "B", "logprob": -0.1}]},
        ],
    )
    def test_probabilities_that_cannot_be_are_no_probabilities(self, entry):
        with pytest.raises(UnusableVerdict):
            read(message("Yes") | {"logprobs": {"content": [entry]}})

    def test_rounding_above_certainty_is_certainty(self):
        completion = read(message("Yes") | {"logprobs": {"content": [{"token": "Yes", "logprob": 1e-7}]}})
        assert completion.candidates[0].logprob == 0.0

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"<html>",
            b"[]",
            b"3",
            b"null",
            b'{"choices":',
            b'{"choices": []}',
            b'{"choices": [null]}',
            b'{"choices": "x"}',
            b'{"error": {"message": "boom"}}',
            b'{"choices": [{"message": null}]}',
            b'{"choices": [{"message": {"content": null}}]}',
            b'{"choices": [{"message": {"content": 5}}]}',
            b'{"choices": [{"message": {"content": [{"type": "image"}]}}]}',
            b'{"choices": [{"message": {"content": null, "refusal": "no"}}]}',
            b'{"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}',
            b'{"choices": [{"message": {"content": "\xff"}}]}',
            b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"token": "x", "logprob": NaN}]}}]}',
        ],
    )
    def test_what_is_no_completion_is_unusable(self, raw):
        with pytest.raises(UnusableVerdict):
            completion_of(raw, thinking=False)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "choices",
                            "message",
                            "content",
                            "logprobs",
                            "usage",
                            "token",
                            "logprob",
                            "top_logprobs",
                            "text",
                        ]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=25,
        )
    )
    def test_no_json_whatever_breaks_the_reader(self, body):
        for raw in (body, {"choices": [body]}, {"choices": [{"message": {"content": "x"}, "logprobs": body}]}):
            with contextlib.suppress(UnusableVerdict):
                completion_of(json.dumps(raw).encode(), thinking=True)

    def test_an_answer_cut_off_by_its_limit_says_so(self):
        assert read(message("{") | {"finish_reason": "length"}).truncated

    @pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
    def test_thinking_is_kept_apart_from_the_answer(self, field):
        completion = read(message("{}", **{field: "hm"}))
        assert (completion.thinking, completion.text) == ("hm", "{}")

    def test_thinking_left_in_the_content_is_taken_out(self):
        completion = read(message("\n<think>hm {</think>\n{}"))
        assert (completion.thinking, completion.text) == ("hm {", "{}")

    def test_thinking_that_the_template_opened_is_taken_out_of_a_thinking_answer_only(self):
        raw = json.dumps({"choices": [message("hm</think>{}")]}).encode()
        assert completion_of(raw, thinking=True).text == "{}"
        assert completion_of(raw, thinking=False).text == "hm</think>{}"

    def test_a_quotation_inside_the_json_is_no_end_of_thinking(self):
        raw = json.dumps({"choices": [message('{"reason": "</think>"}')]}).encode()
        assert completion_of(raw, thinking=True).text == '{"reason": "</think>"}'

    def test_thinking_that_used_up_the_limit_leaves_a_truncated_empty_answer(self):
        completion = read(message(None, reasoning="hm") | {"finish_reason": "length"})
        assert (completion.text, completion.truncated, completion.thinking) == ("", True, "hm")

    def test_a_token_that_the_servers_thinking_parser_took_is_read_from_its_probabilities(self):
        logprobs = {"content": [{"token": "Yes", "logprob": -0.1}]}
        completion = read(message(None, reasoning="Yes") | {"logprobs": logprobs, "finish_reason": "length"})
        assert (completion.text, completion.candidates[0].text) == ("Yes", "Yes")

    def test_content_in_parts_is_one_text(self):
        assert read(message([{"type": "text", "text": "Y"}, {"type": "text", "text": "es"}])).text == "Yes"

    def test_usage_counts_cached_tokens(self):
        usage = {"prompt_tokens": 90, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}
        found = read(message("x"), usage=usage).usage
        assert (found.prompt_tokens, found.cached_tokens, found.completion_tokens, found.calls) == (90, 64, 1, 1)

    @pytest.mark.parametrize(
        "usage", [None, [], {"prompt_tokens": "9", "completion_tokens": -1}, {"prompt_tokens": 1.5}]
    )
    def test_usage_that_makes_no_sense_counts_nothing(self, usage):
        found = read(message("x"), usage=usage).usage
        assert (found.prompt_tokens, found.cached_tokens, found.completion_tokens, found.calls) == (0, 0, 0, 1)


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
        assert (fault.outcome, fault.wait_seconds, fault.error.retry_after_seconds) == (Outcome.BUSY, 2.0, 2.0)
        assert fault_of(500, {}, b"", "judge").outcome is Outcome.FAILED

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
        assert listing_of(json.dumps(body).encode(), "judge") == Listing(("/models/j",), 4096)

    @pytest.mark.parametrize("raw", [b"", b"[]", b'{"data": 5}', b'{"data": [5, {"id": "judge", "root": 5}]}'])
    def test_a_listing_that_says_nothing_is_empty(self, raw):
        assert listing_of(raw, "judge") == Listing()

    def test_the_smallest_context_of_a_fleet_counts(self):
        merged = Listing.merged([Listing(("b",), 9), Listing(("a",), None), Listing(("b",), 5)])
        assert merged == Listing(("a", "b"), 5)


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
