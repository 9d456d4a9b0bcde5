import pytest
from pydantic import ValidationError

from judge_server.agreement.scale import LabelScale


def test_numbers_stand_in_their_order_and_keep_their_distances():
    scale = LabelScale.of(["10", "2", "1"])
    assert scale.labels == ("1", "2", "10")
    assert scale.values == (1, 2, 10)
    assert scale.positive is None


def test_one_and_one_point_nought_are_one_step():
    assert LabelScale.of(["1", "1.0", "2"]).values == (1, 2)
    assert LabelScale.of([1.0, 2]).labels == ("1", "2")


@pytest.mark.parametrize(
    "labels", [["no", "yes"], ["met", "not met"], ["False", "True"], ["0", "1"], ["unsafe", "yes"]]
)
def test_yes_is_positive_whatever_it_is_called(labels):
    scale = LabelScale.of(labels)
    assert scale.positive_code == 1
    assert scale.values == (0, 1)
    assert scale.positive.lower() in {"yes", "met", "true", "1"}


def test_two_names_have_no_positive_label_unless_one_is_named():
    assert LabelScale.of(["safe", "unsafe"]).positive is None
    assert LabelScale.of(["safe", "unsafe"], positive="safe").labels == ("unsafe", "safe")


def test_three_names_have_no_order():
    assert LabelScale.of(["entail", "neutral", "contradict"]).values is None


def test_an_order_may_be_given():
    scale = LabelScale.ordered(["jargon", "mixed", "plain"])
    assert scale.values == (0, 1, 2)
    assert LabelScale.ordered(["1", "2", "5"]).values == (1, 2, 5)
    assert LabelScale.ordered(["5", "2", "1"]).values == (0, 1, 2)


def test_a_judge_may_use_a_step_that_no_human_used():
    assert LabelScale.between(["1", "2", "4"], ["3", "4"]).labels == ("1", "2", "3", "4")
    assert LabelScale.between(["a", "b", "c"], ["d"]).labels == ("a", "b", "c", "d")


def test_scores_and_other_scales_do_not_widen_the_humans_scale():
    assert LabelScale.between(["1", "2", "3"], ["2.71"]).labels == ("1", "2", "3")
    assert LabelScale.between(["1", "2", "3"], [str(score) for score in range(0, 101, 7)]).labels == ("1", "2", "3")


@pytest.mark.parametrize(
    "fields",
    [{"labels": ("a", "a")}, {"labels": ("a", "b"), "values": (1.0,)}, {"labels": ("a", "b"), "positive": "c"}],
)
def test_an_inconsistent_scale_is_refused(fields):
    with pytest.raises(ValidationError):
        LabelScale(**fields)
