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
