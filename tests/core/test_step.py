import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.step import joined, steps_of
from judge_server.core.submission import Message, Response
from tests.yardstick import work_within

CALL = {"function": {"name": "search", "arguments": "{}"}}


def texts(text: str) -> list[str]:
    return [step.text for step in steps_of(text, 0, len(text))]


def message(content="", role="assistant", **fields):
    return Message.model_validate({"role": role, "content": content} | fields)


def places(*messages) -> list[tuple]:
    return [(step.message, step.field, step.start, step.end) for step in Response.of(messages).steps]


def test_paragraphs_are_steps_without_the_space_around_them():
    assert texts("  First.\n\nThen\nthis. \n \n\n So.  ") == ["First.", "Then\nthis.", "So."]


def test_elements_are_steps_whatever_is_in_them():
    assert texts("<step>One.\n\nStill one.</step>\n<STEP id='2'>Two.</step>") == ["One.\n\nStill one.", "Two."]


def test_text_beside_elements_is_judged_as_well():
    assert texts("Before.\n\nAlso.<step>One.</step>Between<step>Two.</step> After.") == [
        "Before.", "Also.", "One.", "Between", "Two.", "After.",
    ]  # fmt: skip


def test_an_element_that_is_not_closed_ends_where_the_next_begins_or_with_the_text():
    assert texts("<step>One.\n<step>Two.</step></step><step>Cut o") == ["One.", "Two.", "Cut o"]


@pytest.mark.parametrize("heading", ["Step {}: ", "step {}. ", "**Step {}** ", "## Step {}\n", "  Step {} - "])
def test_headings_that_count_begin_steps(heading):
    one, two = (heading.format(number) for number in (1, 2))
    text = f"Let me see.\n\n{one}Add.\n\nAnd carry.\n{two}Take away."
    assert texts(text) == ["Let me see.", f"{one}Add.\n\nAnd carry.".strip(), f"{two}Take away.".strip()]


def test_a_single_heading_or_one_that_does_not_count_begins_none():
    assert texts("Step 1: all.\n\nMore.") == ["Step 1: all.", "More."]
    assert texts("As Step 2 said.\nStep 3: so.\n\nMore.") == ["As Step 2 said.\nStep 3: so.", "More."]


def test_a_text_that_is_a_numbered_list_has_its_points_as_steps():
    assert texts("1. Add.\n   1. Carry.\n\nMore.\n2) Take.\n**3.** Done.") == [
        "1. Add.\n   1. Carry.\n\nMore.",
        "2) Take.",
        "**3.** Done.",
    ]


def test_a_list_inside_a_text_is_part_of_its_paragraph():
    assert texts("Risks are\n1. bleeding,\n2. pain.\n\nSo rest.") == ["Risks are\n1. bleeding,\n2. pain.", "So rest."]
    assert texts("1.5 mg is enough.\n2.5 mg is not.") == ["1.5 mg is enough.\n2.5 mg is not."]


def test_a_single_message_has_the_steps_of_its_reasoning_or_of_its_text():
    assert places(message("<think>A.\n\nBc.</think>D.")) == [(0, "content", 7, 9), (0, "content", 11, 14)]
    assert places(message("D.\n\nE.", reasoning="A.\n\nBc.")) == [(0, "reasoning", 0, 2), (0, "reasoning", 4, 7)]
    assert places(message("D.\n\nE.")) == [(0, "content", 0, 2), (0, "content", 4, 6)]


def test_a_turn_is_what_the_assistant_said_with_the_tool_results_that_follow():
    said = (
        message("Look.", tool_calls=[CALL, CALL]),
        message("42", role="tool"),
        message("43", role="tool"),
        message("", reasoning="Again.", tool_calls=[CALL]),
        message("44", role="tool"),
        message("It is 42."),
    )
    assert places(*said) == [(0, "content", 0, 5), (3, "reasoning", 0, 6), (5, "content", 0, 9)]
    read = Response.of(said)
    assert "[tool result] 42\n\n[tool result] 43" in read.steps[0].text
    assert all(step.text in read.text for step in read.steps)


def test_a_turn_of_tool_calls_alone_has_an_empty_span():
    assert places(message(tool_calls=[CALL]), message("42", role="tool")) == [(0, "content", 0, 0)]


def test_tool_results_before_any_turn_are_a_turn_of_their_own():
    assert places(message("42", role="tool"), message("So 42.")) == [(0, "content", 0, 2), (1, "content", 0, 6)]


def test_steps_beyond_the_most_are_one_with_the_last():
    text = "A.\n\nB.\n\nC.\n\nD."
    steps = steps_of(text, 0, len(text))
    few = joined(steps, 2, text)
    assert [(step.index, step.text, (step.start, step.end)) for step in few] == [
        (0, "A.", (0, 2)),
        (1, "B.\n\nC.\n\nD.", (4, 14)),
    ]
    assert joined(steps, 4, text) == steps


def test_joined_turns_stand_where_the_last_of_them_does():
    steps = Response.of((message("A."), message("B."), message("C."))).steps
    few = joined(steps, 2, None)
    assert [(step.index, step.message, step.text) for step in few] == [(0, 0, "A."), (1, 2, "B.\n\nC.")]


PIECES = [
    "<step>",
    "</step>",
    "Step 1: ",
    "\nStep 2: ",
    "1. ",
    "\n2. ",
    "\n\n",
    "\n",
    " ",
    "a",
    "Bc.",
    "é",
    "𝕏",
    "<step",
]
MIXED = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@settings(max_examples=300)
@given(MIXED, st.integers(1, 5))
def test_no_text_escapes_the_judge(text, most):
    steps = joined(steps_of(text, 0, len(text)), most, text)
    assert len(steps) <= most
    assert [step.index for step in steps] == list(range(len(steps)))
    rest = list(text)
    for step in steps:
        assert text[step.start : step.end] == step.text
        rest[step.start : step.end] = " " * (step.end - step.start)
    assert re.sub(r"</?step>", "", "".join(rest)).strip() == ""


@pytest.mark.parametrize(
    "text",
    ["<step>" * 50_000, "<step " * 50_000, "\n \t" * 100_000, "Step 1\n" * 50_000, "\n1." * 100_000, "#" * 500_000,
     "**step" * 50_000, " " * 500_000, "".join(f"Step {n}\n" for n in range(1, 10_000)), "a\n\n" * 100_000],
)  # fmt: skip
def test_hostile_texts_are_divided_in_time(text):
    with work_within(3.0):
        steps_of(text, 0, len(text))
