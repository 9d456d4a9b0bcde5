"""The paired test of two versions of a judge: what it compares."""

from judge_server.calibration.paired_agreement import paired_test
from judge_server.labels.label import Label
from tests.calibration.measured import NO, YES, label_set


def rated(said):
    """``said``: of each item, what two people and the judge say."""
    rows = [
        Label(item=f"i{n}", criterion="c0", annotator=who, role=role, label=label, cluster=f"p{n}")
        for n, labels in enumerate(said)
        for (who, role), label in zip((("ann", "human"), ("bob", "human"), ("main", "judge")), labels, strict=True)
    ]
    return label_set(rows)


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
