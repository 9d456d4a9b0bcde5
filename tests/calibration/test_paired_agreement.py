"""The paired test of two versions of a judge: what it compares, and what it calls better."""

from math import comb

import pytest

from judge_server.calibration.paired_agreement import paired_test
from judge_server.labels.label import CriterionScale, Label
from tests.calibration.measured import NO, YES, label_set

WHO = (("ann", "human"), ("bob", "human"), ("main", "judge"))


def rated(said, **more):
    """``said``, and ``more`` by criterion: of each item, what two people and the judge say."""
    rows = [
        Label(item=f"i{n}", criterion=name, annotator=who, role=role, label=label, cluster=f"p{n}")
        for name, own in {"c0": said, **more}.items()
        for n, labels in enumerate(own)
        for (who, role), label in zip(WHO, labels, strict=True)
    ]
    scales = [CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("c0", *more)]
    return label_set(rows, *scales)


def judged(no, yes):
    """People say no of 90 items and yes of 10; the judge is right on so many of each."""
    return [(NO, NO, NO if n < no else YES) for n in range(90)] + [
        (YES, YES, YES if n < yes else NO) for n in range(10)
    ]


OLD = ((YES, YES, NO), (YES, YES, YES), (YES, NO, YES), (NO, NO, NO), (NO, NO, YES))
NEW = ((YES, YES, YES), (YES, YES, YES), (YES, NO, NO), (NO, NO, None), (NO, NO, YES))


def test_a_tie_among_people_and_a_silent_judge_are_not_compared():
    test = paired_test(rated(OLD), rated(NEW), "main")
    assert (test.ratings, test.prompts) == (3, 3)
    assert (test.before, test.after, test.fixed, test.broken) == (1, 2, 1, 0)


def test_a_judge_that_is_silent_everywhere_agrees_with_nobody():
    silent = tuple((*people, None) for *people, _ in OLD)
    test = paired_test(rated(OLD), rated(silent), "main")
    assert (test.ratings, test.before, test.after, test.p) == (0, 0, 0, None)


def test_one_label_for_all_is_no_better_judge_though_it_agrees_more_often():
    """People say no 14 times and yes 6 times; a judge that says yes to all is replaced by one that says no to all."""
    people = [(NO, NO)] * 14 + [(YES, YES)] * 6
    old, new = (rated([(*said, label) for said in people]) for label in (YES, NO))
    test = paired_test(old, new, "main")
    assert (test.before, test.after, test.fixed, test.broken) == (6, 14, 14, 6)
    assert test.alike == ("c0",)
    assert not test.better
    assert str(test).endswith(", but gives every item the same label on c0")


def test_a_rare_label_or_labels_that_were_alike_before_are_no_objection():
    rare = [(NO, NO)] * 14 + [(YES, YES)] * 4
    old, new = (rated([(*said, label) for said in rare]) for label in (YES, NO))
    assert paired_test(old, new, "main").alike == ()
    often = rated([(*said, NO) for said in [(NO, NO)] * 14 + [(YES, YES)] * 6])
    assert paired_test(often, often, "main").alike == ()


def test_nearly_always_the_commoner_label_is_no_better_judge_though_it_agrees_more_often():
    """By hand: (60 / 90 + 9 / 10) / 2 before, (90 / 90 + 1 / 10) / 2 after."""
    test = paired_test(rated(judged(60, 9)), rated(judged(90, 1)), "main")
    assert (test.before, test.after, test.fixed, test.broken) == (69, 91, 30, 8)
    assert test.p == pytest.approx(2 * sum(comb(38, k) for k in range(9)) / 2**38)
    assert test.alike == ()
    assert test.balanced.before == pytest.approx(0.78333333)
    assert test.balanced.after == pytest.approx(0.55)
    assert (test.better, test.claim) == (False, 1.0)
    assert "every label counted alike, 55.0% instead of 78.3% (p " in str(test)


def test_who_mends_the_commoner_label_and_keeps_the_rarer_is_better_in_both_ways():
    test = paired_test(rated(judged(60, 9)), rated(judged(90, 9)), "main")
    assert test.p == test.balanced.p == pytest.approx(2 * 0.5**30)
    assert (test.better, test.claim) == (True, test.p)


def test_the_claim_stands_on_the_weaker_of_both_tests():
    """30 of the commoner label are mended and 2 of the rarer are lost, which counts like 18."""
    test = paired_test(rated(judged(60, 9)), rated(judged(90, 7)), "main")
    assert test.better
    assert test.p < 0.001 < test.balanced.p
    assert test.claim == test.balanced.p


@pytest.mark.parametrize(("lost", "named"), [(5, ("c1",)), (3, ())], ids=["p = .002", "p = .031"])
def test_a_criterion_on_which_it_is_shown_to_agree_less_is_named_though_the_whole_is_better(lost, named):
    """Twice ``lost`` ratings of c1 are broken and none is mended. A change is looked at three times: a third of .05."""
    turned = {NO: YES, YES: NO}

    def other(wrong):
        return [(label, label, label if n >= wrong else turned[label]) for label in (NO, YES) for n in range(20)]

    test = paired_test(rated(judged(30, 9), c1=other(0)), rated(judged(90, 9), c1=other(lost)), "main")
    assert (test.fixed, test.broken, test.worse) == (60, 2 * lost, named)
    assert test.claim < 0.001
    assert test.better == (not named)
    assert str(test).endswith(", but agrees less on c1") == bool(named)
