"""Lists, guidance, roles of the reference, and criteria that may turn out not to apply."""

import pytest
from pydantic import ValidationError

from judge_server.core.criterion import Nominal
from judge_server.core.submission import Submission
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.answer import Answer, Reading
from judge_server.judging.panel import combine
from judge_server.judging.prompt import PromptWriter, labels_of
from judge_server.judging.reading import label_reading
from judge_server.models.protocol import Completion, TokenProbability
from judge_server.scoring.cached_judge import verdict_of
from judge_server.scoring.plan import plan
from tests.core.build import rubric
from tests.judging.values import SECRET, binary, material, scale

WRITER = PromptWriter(SECRET)


def asked(criterion, mode="direct", **more) -> str:
    return WRITER.write(material(**more), [criterion], mode).turns[-1].text


def nominal(**more) -> Nominal:
    options = [{"label": name, "value": value} for name, value in (("answers", 1.0), ("declines", 0.0), ("asks", 1.0))]
    return Nominal.model_validate(
        {"id": "act", "kind": "nominal", "statement": "What does it do?", "options": options} | more
    )


def test_a_list_says_whether_one_item_is_enough():
    one = asked(binary("Names a sign.", any_of=["weak arm", "slurred speech"]))
    assert "Met if at least one of these is there:\n- weak arm\n- slurred speech" in one
    every = asked(binary("Gives the dose.", all_of=["amount", "interval"]))
    assert "Met only if all of these are there:\n- amount\n- interval" in every


def test_a_criterion_without_new_fields_is_asked_as_before():
    assert asked(binary("Names a remedy.")).endswith(
        "]\n\nCriterion: Names a remedy.\nIs the criterion met? Answer with exactly one word: Yes or No."
    )


@pytest.mark.parametrize(
    ("role", "said"),
    [("source", "text that the response was made from"), ("facts", "list of facts"), ("example", "one good")],
)
def test_the_judge_is_told_what_the_reference_is(role, said):
    assert said in asked(binary(reference="required", reference_role=role), reference="r")


def test_a_role_without_a_reference_is_refused():
    with pytest.raises(ValidationError, match="reference: required or optional"):
        binary(reference_role="source")


def test_both_lists_at_once_are_refused():
    with pytest.raises(ValidationError, match="any_of or all_of"):
        binary(any_of=["a", "b"], all_of=["c", "d"])


def test_what_an_absent_premise_means_is_said():
    assert "presupposes is absent, it is met." in asked(binary(if_absent="met"))
    assert "presupposes is absent, it is not met." in asked(binary(if_absent="unmet"))


def test_a_skippable_criterion_has_a_letter_for_does_not_apply():
    criterion = binary(if_absent="skip", examples=[{"response": "Rest.", "met": False}])
    assert labels_of(criterion) == ("A", "B", "C")
    shown = asked(criterion)
    assert "A. the criterion is met\nB. the criterion is not met\nC. does not apply" in shown
    assert "Answer for example 1: B" in shown
    assert "exactly one letter: A, B, C" in shown
    assert labels_of(scale(if_absent="skip")) == ("A", "B", "C", "D")


def test_nominal_options_have_no_order_and_may_share_a_value():
    shown = asked(nominal())
    assert "Options, in no order:\nA. answers\nB. declines\nC. asks" in shown
    verdict = verdict_of(nominal(), Answer(Reading(0.7, (0.4, 0.3, 0.3))))
    assert (verdict.option, verdict.value) == ("answers", 0.7)


def completion(**logprobs) -> Completion:
    return Completion("", candidates=tuple(TokenProbability(text, value) for text, value in logprobs.items()))


def test_the_value_is_that_among_the_labels_that_apply():
    criterion = binary(if_absent="skip")
    reading = label_reading(completion(A=-1.0986123, B=-2.3, C=-0.6), labels_of(criterion), criterion.values)
    assert reading.value == pytest.approx(0.3333 / (0.3333 + 0.1003), abs=1e-3)
    verdict = verdict_of(criterion, Answer(reading))
    assert verdict.status is VerdictStatus.NOT_APPLICABLE
    assert verdict.value is None


def test_an_applying_criterion_keeps_its_value():
    criterion = binary(if_absent="skip")
    verdict = verdict_of(criterion, Answer(Reading(0.9, (0.72, 0.08, 0.2))))
    assert (verdict.status, verdict.value, verdict.met) == (VerdictStatus.OK, 0.9, 0.9)


@pytest.mark.parametrize("how", ["mean", "majority"])
def test_a_panel_counts_does_not_apply_as_a_label(how):
    criterion = binary(if_absent="skip")
    readings = [Reading(0.0, (0.0, 0.0, 1.0)), Reading(0.0, (0.0, 0.1, 0.9)), Reading(1.0, (1.0, 0.0, 0.0))]
    assert verdict_of(criterion, Answer(combine(criterion, readings, how))).status is VerdictStatus.NOT_APPLICABLE


def guided(**fields):
    return rubric(
        {"statement": "Gives the local emergency number."},
        facts=[{"name": "country", "show": True}, {"name": "audience"}],
        locales=[{"country": "GB", "emergency_numbers": ["999"], "units": {"glucose": "mmol/L"}}],
        guidance="Numbers of other countries do not count.",
        **fields,
    )


def test_guidance_shown_facts_and_the_locale_reach_the_judge():
    submission = Submission(prompt="q", response="Call 999.", facts={"country": "gb", "audience": "patient"})
    (question,) = plan(submission, guided()).questions
    shown = WRITER.write(question.material, [question.criterion], "direct").turns[-1].text
    assert "How to decide: Numbers of other countries do not count." in shown
    assert "country: gb\nemergency number in GB: 999\nunit of glucose in GB: mmol/L\n[END FACTS" in shown
    assert "audience" not in shown


def test_guidance_is_part_of_the_question():
    plain = rubric({"statement": "Gives the local emergency number."})
    assert guided().asked["c0"].question_digest != plain.asked["c0"].question_digest


def test_locales_need_the_fact_that_chooses_them():
    with pytest.raises(ValidationError, match="declare it under facts"):
        rubric({}, locales=[{"country": "GB"}])


def test_the_canonical_form_of_a_rubric_without_new_fields_is_unchanged():
    assert rubric({}).canonical() == (
        '{"criteria":[{"id":"c0","statement":"The statement of c0."}],'
        '"id":"test/rubric","title":"A rubric","version":"1.0.0"}'
    )
