"""Which steps hold what a reason quotes, and what their weights are: by hand."""

import pytest
from pydantic import ValidationError

from judge_server.core.submission import Message, Response
from judge_server.core.verdict import Opinion, Verdict
from judge_server.judging.evidence import MOST_PLACES, evidence_of, quotes_in
from tests.judging.values import binary

TEXT = "First, drink water.\n\nThen rest; don't run. Drink water again.\n\nSee a doctor today."


def verdict(reason, **more):
    return Verdict(criterion="remedy", status="ok", source="judge", points=1, value=1.0, met=1.0, reason=reason, **more)


def weights(reason, text=TEXT, scope="answer"):
    response = Response.of(text)
    return {one.step: pytest.approx(one.weight) for one in evidence_of(verdict(reason), response, scope)}


def test_the_step_that_holds_the_only_passage_has_the_whole_weight():
    (found,) = evidence_of(verdict("It says «see a doctor»."), Response.of(TEXT), "answer")
    assert (found.step, TEXT[slice(*found.span)], found.weight) == (2, "See a doctor today.", 1.0)
    assert [TEXT[slice(*quote)] for quote in found.quotes] == ["See a doctor"]


def test_passages_count_the_same_and_one_in_two_steps_is_divided():
    """«drink water» stands in the steps 0 and 1: a quarter each; «rest; don't run» in step 1: a half."""
    assert weights("«drink water» and «rest; don't run»") == {0: 0.25, 1: 0.75}


@pytest.mark.parametrize(
    "reason",
    ["“see a doctor”", "„See a doctor“", '"SEE A DOCTOR"', "'see a doctor'", "‘see  a\ndoctor’", "«See, a doctor!»"],
)
def test_any_marks_case_blanks_and_punctuation_will_do(reason):
    assert weights(f"It says {reason}, which is right.") == {2: 1.0}


def test_an_apostrophe_in_a_word_is_no_mark_and_three_dots_part_a_passage():
    assert list(quotes_in("It doesn't say so, and it isn't clear.")) == []
    assert weights("It says 'Then rest; don't run' here.") == {1: 1.0}
    assert weights("«First, drink ... See a doctor»") == {0: 0.5, 2: 0.5}


@pytest.mark.parametrize("reason", ["", "See a doctor is there.", "«ask a nurse»", "«a»", "«see a doc»"])
def test_what_is_not_quoted_or_not_found_word_for_word_is_no_evidence(reason):
    assert weights(reason) == {}


def test_a_passage_that_stands_everywhere_shows_no_place():
    assert weights("«drink it»", "Drink it.\n\n" * MOST_PLACES) == dict.fromkeys(range(MOST_PLACES), 1 / MOST_PLACES)
    assert weights("«drink it»", "Drink it.\n\n" * (MOST_PLACES + 1)) == {}


def test_only_the_part_that_the_criterion_reads_is_searched():
    text = "<think>Water helps.\n\nSay so.</think>Water helps.\n\nBye."
    assert weights("«water helps»", text) == {2: 1.0}
    assert weights("«water helps»", text, "reasoning") == {0: 1.0}
    assert weights("«water helps»", text, "conversation") == {0: 0.5, 2: 0.5}


def test_a_turn_is_a_step_with_its_calls_and_the_results_after_them():
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"drug": "aspirin"}'}}
    turns = (
        Message.model_validate({"role": "assistant", "content": "I look it up.", "tool_calls": [call]}),
        Message(role="tool", content="At most four grams a day."),
        Message(role="assistant", content="Take at most four grams."),
    )
    found = evidence_of(verdict("«four grams a day» and «take at most four grams»"), Response.of(turns), "conversation")
    assert [(one.step, one.message, one.weight, one.quotes) for one in found] == [
        (0, 0, 0.5, ()),
        (1, 2, 0.5, ((0, 23),)),
    ]


def test_one_message_has_the_steps_of_its_fields():
    message = Message(role="assistant", content="See a doctor.", reasoning="It hurts.\n\nA doctor knows.")
    found = evidence_of(verdict("«a doctor»"), Response.of((message,)), "conversation")
    assert [(one.step, one.message, one.field, one.span) for one in found] == [
        (1, 0, "reasoning", (11, 26)),
        (2, 0, "content", (0, 13)),
    ]


def test_the_members_of_a_panel_quote_too():
    said = (
        Opinion(judge="one", status="ok", value=1.0, reason="«drink water again»"),
        Opinion(judge="two", status="ok", value=1.0, reason="«a doctor»"),
    )
    found = evidence_of(verdict("«drink water again»", panel=said), Response.of(TEXT), "answer")
    assert [(one.step, one.weight) for one in found] == [(1, 0.5), (2, 0.5)]


def test_a_criterion_judged_on_steps_needs_none():
    with pytest.raises(ValidationError, match="leave evidence out"):
        binary(scope="step", evidence="quote")


def test_asking_for_evidence_is_another_question():
    assert binary().question_digest != binary(evidence="quote").question_digest
