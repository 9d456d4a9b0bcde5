import pytest
from pydantic import ValidationError

from judge_server.core.errors import BadSubmission
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.scoring.plan import plan


def rubric(when, facts=(), **more):
    criteria = [{"id": "c", "statement": "Names an alternative.", "when": when}]
    return Rubric.model_validate(
        {"id": "t/facts", "version": "1.0.0", "title": "T", "facts": list(facts), "criteria": criteria} | more
    )


def applicable(under, facts):
    submission = Submission(rubric=under, prompt="Question?", response="Answer.", facts=facts)
    return [leaf.id for leaf in plan(submission, under).applicable] == ["c"]


DECLARED = [{"name": "allergy", "type": "boolean", "question": "Does the patient report an allergy?"}]


@pytest.mark.parametrize("facts", [DECLARED, ()])
@pytest.mark.parametrize("value", [True, "true", "yes", "Yes", " YES ", "1", 1, "TRUE"], ids=repr)
def test_one_fact_in_several_spellings_of_true_is_one_value(value, facts):
    assert applicable(rubric({"facts.allergy": True}, facts), {"allergy": value})


@pytest.mark.parametrize("name", ["allergy", "Allergy", "ALLERGY", " allergy"])
def test_another_spelling_of_the_name_is_the_same_fact(name):
    assert applicable(rubric({"facts.allergy": True}), {name: "yes"})
    assert not applicable(rubric({"facts.allergy": True}), {name: "no"})


@pytest.mark.parametrize("name", ["has allergy", "has-allergy", "HasAllergy", "has_allergy"])
def test_blanks_and_hyphens_do_not_tell_names_apart(name):
    assert applicable(rubric({"facts.has_allergy": True}), {name: True})


@pytest.mark.parametrize("value", ["maybe", "ja", "2", 2, "n/a", "unknown", ["yes"], {"a": 1}], ids=repr)
def test_a_fact_that_cannot_be_read_is_an_error_of_the_submission(value):
    with pytest.raises(BadSubmission, match=r"facts\.allergy.*cannot be read as a truth value"):
        applicable(rubric({"facts.allergy": True}, DECLARED), {"allergy": value})


@pytest.mark.parametrize("value", [None, "", "  "], ids=repr)
def test_a_blank_fact_is_absent(value):
    assert not applicable(rubric({"facts.allergy": True}, DECLARED), {"allergy": value})
    assert applicable(rubric({"facts.allergy": {"not": True}}, DECLARED), {"allergy": value})


@pytest.mark.parametrize(
    ("value", "expected"), [("38,5", True), ("38.5", True), (39.5, True), ("37", False), (12, False)]
)
def test_numbers_as_text_are_numbers(value, expected):
    assert applicable(rubric({"facts.fever": {"gte": 38}}), {"fever": value}) is expected


@pytest.mark.parametrize("value", ["1,000", "38 °C", "high", True])
def test_a_number_that_may_be_two_is_refused(value):
    with pytest.raises(BadSubmission, match="cannot be read as a number"):
        applicable(rubric({"facts.fever": {"gte": 38}}), {"fever": value})


def test_a_text_takes_the_spelling_of_the_condition():
    under = rubric({"facts.audience": ["patient", "lay carer"]})
    assert applicable(under, {"audience": "Patient"})
    assert applicable(under, {"audience": "lay_carer"})
    assert not applicable(under, {"audience": "doctor"})


def test_declared_values_are_the_only_ones():
    facts = [{"name": "audience", "values": ["patient", "expert"]}]
    under = rubric({"facts.audience": "patient"}, facts)
    assert applicable(under, {"Audience": "PATIENT"})
    assert not applicable(under, {"audience": "Expert"})
    with pytest.raises(BadSubmission, match=r"one of patient, expert \(did you mean patient\?\)"):
        applicable(under, {"audience": "patients"})


def test_values_that_differ_by_a_sign_stay_apart():
    under = rubric({"facts.blood": "A-"}, [{"name": "blood", "values": ["A-", "A+", "A"]}])
    assert applicable(under, {"blood": "a-"})
    assert not applicable(under, {"blood": "A"})


def test_two_spellings_with_different_values_are_refused():
    with pytest.raises(BadSubmission, match="two spellings of one fact with different values"):
        applicable(rubric({"facts.allergy": True}), {"allergy": "yes", "Allergy": "no"})
    assert applicable(rubric({"facts.allergy": True}), {"allergy": "yes", "Allergy": True})


def test_nested_facts_may_come_as_dotted_names():
    under = rubric({"facts.patient.age": {"gte": 65}})
    assert applicable(under, {"patient": {"Age": "70"}})
    assert applicable(under, {"patient.age": "70"})


def test_facts_that_no_condition_reads_are_named():
    under = rubric({"facts.allergy": True, "facts.patient.age": {"gte": 65}})
    given = {"allergy": True, "patient": {"age": 70, "sex": "f"}, "alergy": True}
    assert under.read_facts(given).unread == ("patient.sex", "alergy")


def test_a_condition_of_mixed_types_stays_strict():
    under = rubric({"facts.x": [1, "one"]})
    assert applicable(under, {"x": 1})
    assert not applicable(under, {"x": True})


@pytest.mark.parametrize(
    ("facts", "when", "message"),
    [
        ([{"name": "allergy", "type": "boolean"}], {"facts.alergy": True}, "facts.alergy, which is not declared"),
        ([{"name": "allergy", "type": "boolean"}], {"facts.allergy": "yes"}, "declared as boolean and compared with"),
        ([{"name": "who", "values": ["a", "b"]}], {"facts.who": "c"}, "is never 'c': its values are a, b"),
        ([{"name": "a b"}, {"name": "A_B"}], {}, "two facts have the same name"),
        ([{"name": "a", "type": "number", "values": ["1"]}], {}, "lists no values"),
        ([{"name": "a", "values": ["x", "X"]}], {}, "differ in case"),
        ([{"name": "a", "type": "date"}], {}, "boolean"),
    ],
)
def test_declarations_and_conditions_agree(facts, when, message):
    with pytest.raises(ValidationError, match=message):
        rubric(when, facts)


def test_a_declaration_changes_the_digest_and_its_absence_changes_nothing():
    plain = rubric({"facts.allergy": True})
    assert rubric({"facts.allergy": True}, DECLARED).digest != plain.digest
    assert '"facts"' not in plain.canonical()
