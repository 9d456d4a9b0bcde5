import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stub_judge import answer
from judge_server.core.errors import ContentFiltered, UnusableVerdict
from judge_server.models.openai_reply import completion_of
from judge_server.models.openai_wire import Dialect, chat_body
from judge_server.models.protocol import (
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
        dialect = Dialect(
            thinking="none", limit_field="max_completion_tokens", top_logprobs=0, omit=frozenset(["temperature"])
        )
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
            b'{"choices": [{"message": {"content": "\xff"}}]}',
        ],
    )
    def test_what_is_no_completion_is_unusable(self, raw):
        with pytest.raises(UnusableVerdict):
            completion_of(raw, thinking=False)

    @pytest.mark.parametrize("reason", ["content_filter", "sensitive", "SAFETY"])
    def test_an_answer_that_a_content_filter_ended_has_a_type_of_its_own(self, reason):
        with pytest.raises(ContentFiltered):
            read({"message": {"content": "x"}, "finish_reason": reason})

    @pytest.mark.parametrize(
        ("written", "listed"),
        [
            (b"-Infinity", [("Yes", 0.9), ("No", 0.0)]),
            (b"NaN", [("Yes", 0.9), ("No", None)]),
            (b"-1e999", [("Yes", 0.9), ("No", 0.0)]),
        ],
    )
    def test_numbers_that_json_forbids_spoil_no_whole_answer(self, written, listed):
        top = b'[{"token": "Yes", "logprob": -0.10536}, {"token": "No", "logprob": ' + written + b"}]"
        raw = (
            b'{"choices": [{"message": {"content": "Yes"}, "logprobs": {"content": [{"token": "Yes", '
            b'"logprob": -0.10536, "top_logprobs": ' + top + b"}]}}]}"
        )
        found = completion_of(raw, thinking=False).candidates
        shares = [(c.text, None if math.isnan(c.logprob) else round(math.exp(c.logprob), 4)) for c in found]
        assert shares == listed

    def test_a_verdict_that_a_parser_took_for_thinking_is_the_text(self):
        for field in ("reasoning_content", "reasoning"):
            completion = read({"message": {"content": None, field: '{"reason": "r", "verdict": "No"}'}})
            assert completion.text == '{"reason": "r", "verdict": "No"}'

    def test_thinking_that_was_cut_is_no_verdict(self):
        message = {"content": None, "reasoning_content": '{"reason": "r", "verdict": "No"}'}
        assert read({"message": message, "finish_reason": "length"}).text == ""

    def test_text_parts_beside_thinking_parts_are_the_text(self):
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Yes?"}]}, {"type": "text", "text": "{}"}]
        assert read({"message": {"content": parts}}).text == "{}"

    def test_what_bounds_an_unlisted_token_depends_on_the_listing(self):
        listed = [{"token": "Yes", "logprob": -0.5}, {"token": "x", "logprob": -3.0}]
        assert (
            read(
                {"message": {"content": "Yes"}, "logprobs": {"content": [{**listed[0], "top_logprobs": listed}]}}
            ).unlisted_logprob
            == -3.0
        )
        for top in ([], None):
            entry = {"token": "Yes", "logprob": -0.5, "top_logprobs": top}
            assert read({"message": {"content": "Yes"}, "logprobs": {"content": [entry]}}).unlisted_logprob == 0.0

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
        "usage",
        [
            None,
            [],
            {"prompt_tokens": "9", "completion_tokens": -1},
            {"prompt_tokens": 1.5},
            {"prompt_tokens": 2**63, "completion_tokens": 10**30, "prompt_tokens_details": {"cached_tokens": 2**53}},
        ],
    )
    def test_usage_that_makes_no_sense_counts_nothing(self, usage):
        found = read(message("x"), usage=usage).usage
        assert (found.prompt_tokens, found.cached_tokens, found.completion_tokens, found.calls) == (0, 0, 0, 1)
