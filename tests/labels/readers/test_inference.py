import pytest

from judge_server.labels.readers.inference import infer


@pytest.mark.parametrize(
    ("labels", "classes", "positive"),
    [
        (("0", "1"), ("0", "1"), "1"),
        (("1.0", "0.0"), ("0", "1"), "1"),
        (("1",), ("0", "1"), "1"),
        (("yes", "no"), ("no", "yes"), "yes"),
        (("True", "False"), ("False", "True"), "True"),
        (("Met",), ("Unmet", "Met"), "Met"),
        (("yes", "yes ", "No"), ("No", "yes"), "yes"),
        (("pass", "fail"), ("fail", "pass"), "pass"),
    ],
)
def test_two_classes_are_binary_with_the_plain_one_positive(labels, classes, positive):
    scale = infer("c", dict.fromkeys((label.strip() for label in labels), 3), {}).scale
    assert (scale.kind, scale.classes, scale.positive) == ("binary", classes, positive)


def test_two_names_without_a_plain_positive_are_nominal_and_said_so():
    inferred = infer("c", {"safe": 3, "unsafe": 4}, {})
    assert (inferred.scale.kind, inferred.scale.classes) == ("nominal", ("safe", "unsafe"))
    assert "--scale" in inferred.notes[0]


def test_whole_numbers_are_ordinal_in_their_order():
    scale = infer("c", {"10": 1, "2": 1, "1": 2}, {"2": 5, "3": 2, "99": 1}).scale
    assert (scale.kind, scale.classes) == ("ordinal", ("1", "2", "3", "10"))


def test_half_steps_are_ordinal_and_fractions_continuous():
    assert infer("c", {"1": 1, "1.5": 1}, {}).scale.classes == ("1", "1.5")
    assert infer("c", {"1": 1, "1.37": 1}, {}).scale.kind == "continuous"
    assert infer("c", {str(number): 1 for number in range(60)}, {}).scale.kind == "continuous"


def test_a_judge_that_gives_fractions_makes_a_numeric_criterion_continuous():
    inferred = infer("c", {"1": 5, "4": 5}, {"2.93": 1, "3.17": 1})
    assert inferred.scale.kind == "continuous"
    assert inferred.notes


def test_a_class_that_only_judges_use_has_a_short_name_and_is_no_excuse():
    judges = {
        "a": 1,
        "borderline": 1,
        "rather safe": 2,
        "quite safe": 1,
        "ERROR": 9,
        "I am sorry, but I cannot say anything": 7,
    }
    classes = infer("c", {"a": 3, "b": 3, "d": 2}, judges).scale.classes
    assert classes == ("a", "b", "borderline", "d", "rather safe")


def test_a_step_that_only_a_judge_uses_stays_on_the_scale_that_people_use():
    assert infer("c", {"2": 3, "4": 3}, {"5": 1, "1": 1, "99": 1}).scale.classes == ("1", "2", "4", "5")
    assert infer("c", {"20": 3, "60": 3}, {"40": 1, "80": 1, "90": 2}).scale.classes == ("20", "40", "60", "90")


def test_spellings_of_one_class_are_one_class_as_most_people_write_it():
    assert infer("c", {"Safe": 1, "safe": 5, "harmful": 2, "rude": 1}, {}).scale.classes == ("harmful", "rude", "safe")


def test_without_people_the_judges_say_what_the_classes_are():
    assert infer("c", {}, {"3": 1, "4": 1}).scale.classes == ("3", "4")
    assert infer("c", {}, {}).scale.kind == "nominal"
