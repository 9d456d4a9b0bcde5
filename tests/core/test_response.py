import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.submission import Message, Response
from tests.yardstick import work_within

CALL = {"function": {"name": "search", "arguments": "{}"}}


def text_of(step, response):
    return response[step.start : step.end]


def turn(content="", role="assistant", **fields):
    return Message.model_validate({"role": role, "content": content} | fields)


def test_a_plain_text_is_all_answer():
    read = Response.of("  The answer.\n")
    assert (read.text, read.answer, read.reasoning, read.tool_calls) == ("  The answer.\n", "The answer.", "", ())


@pytest.mark.parametrize("tag", ["think", "thinking", "reasoning"])
def test_a_leading_element_is_reasoning_and_the_rest_is_the_answer(tag):
    read = Response.of(f"\n<{tag}>First this.\nThen that.</{tag}>\n\nSo 4.")
    assert (read.reasoning, read.answer) == ("First this.\nThen that.", "So 4.")


def test_a_thought_that_never_ends_leaves_no_answer():
    read = Response.of("<think>I wonder and wonder")
    assert (read.reasoning, read.answer) == ("I wonder and wonder", "")


def test_only_a_leading_element_is_reasoning():
    text = "The answer. <think>hidden</think>"
    assert (Response.of(text).answer, Response.of(text).reasoning) == (text, "")


def test_the_first_closing_tag_of_the_same_name_ends_the_thought():
    read = Response.of("<think>a</thinking>b</think>c</think>d")
    assert (read.reasoning, read.answer) == ("a</thinking>b", "c</think>d")


def test_blank_lines_separate_the_steps_of_the_reasoning_or_else_of_the_answer():
    read = Response.of("<think>One.\n\nTwo\nlines.\n \t\n\nThree.</think>\n\nAnswer.\n\nMore.")
    assert [step.text for step in read.steps] == ["One.", "Two\nlines.", "Three."]
    assert [step.text for step in Response.of("<think> </think>A.\n\nB.").steps] == ["A.", "B."]
    assert [step.text for step in Response.of("A.\n\nB.").steps] == ["A.", "B."]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "<think></think>", "<think>\n\n</think>  "])
def test_an_empty_text_has_no_answer_and_no_steps(text):
    assert (Response.of(text).answer, Response.of(text).steps) == ("", ())


def test_messages_give_answer_reasoning_and_tool_calls():
    read = Response.of(
        (
            turn("<think>Look it up.</think>I will search.", tool_calls=[CALL]),
            turn("42 results", role="tool"),
            turn("It is 42.", reasoning="The first result."),
        )
    )
    assert read.answer == "I will search.\n\nIt is 42."
    assert read.reasoning == "Look it up.\n\nThe first result."
    assert [call.function.name for call in read.tool_calls] == ["search"]
    assert [step.text for step in read.steps] == [
        "<think>Look it up.</think>I will search.\n[tool call] search({})\n\n[tool result] 42 results",
        "The first result.\nIt is 42.",
    ]


def test_what_a_tool_says_is_no_answer():
    assert Response.of((turn("The answer is 5.", role="tool"),)).answer == ""


def test_a_turn_of_blanks_is_no_step():
    read = Response.of((turn("  "), turn("Said.")))
    assert [(step.index, step.text) for step in read.steps] == [(0, "Said.")]


TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", "a", "Bc.", "\n", "\n\n", " ", "\t", "é", "𝕏", "<reasoning>"]), max_size=20
).map("".join)
TURNS = st.builds(
    turn,
    TEXTS,
    role=st.sampled_from(["assistant", "tool"]),
    reasoning=st.none() | TEXTS,
    tool_calls=st.sampled_from([[], [CALL]]),
)


@settings(max_examples=200)
@given(st.one_of(TEXTS, st.lists(TURNS, min_size=1, max_size=4).map(tuple)))
def test_the_spans_of_steps_lead_back_to_their_text(response):
    read = Response.of(response)
    assert [step.index for step in read.steps] == list(range(len(read.steps)))
    assert all(step.text.strip() for step in read.steps)
    for step in read.steps:
        given = response if isinstance(response, str) else getattr(response[step.message], step.field)
        assert 0 <= step.start <= step.end <= len(given or "")
        assert (given or "")[step.start : step.end] in step.text
    if isinstance(response, str):
        assert all(text_of(step, response) == step.text == step.text.strip() for step in read.steps)
        ends = [0, *(place for step in read.steps for place in (step.start, step.end))]
        assert ends == sorted(ends)
        assert read.text == response
        assert read.answer in response
        assert read.reasoning in response


@pytest.mark.parametrize("text", ["<think>" * 50_000, "\n \t" * 100_000, "<think>" + "</thin" * 50_000, " " * 500_000])
def test_hostile_texts_are_read_in_time(text):
    with work_within(3.0):
        Response.of(text)


def test_a_thought_that_the_prompt_opened_ends_at_its_closing_tag():
    read = Response.of("First the dose.\n\nThen the age.</think>Take 500 mg.")
    assert (read.reasoning, read.answer) == ("First the dose.\n\nThen the age.", "Take 500 mg.")
    assert [read.text[step.start : step.end] for step in read.steps] == ["First the dose.", "Then the age."]


def test_a_thought_opened_in_the_middle_is_part_of_the_answer():
    text = "It is <think>so</think> indeed."
    assert Response.of(text).answer == text
