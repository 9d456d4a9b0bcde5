"""A rubric as a document, and two versions beside each other: conditions, rewards and changes in words."""

import pytest

from judge_server.core.condition import Condition
from judge_server.server.pages.shown_changes import shown_difference
from judge_server.server.pages.shown_rubric import condition_in_words, reward_in_words
from tests.calibration.measured import rubric


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (True, "facts.x is true"),
        (False, "facts.x is false"),
        (None, "facts.x is not given"),
        (["a", 1], "facts.x is a or 1"),
        ({"not": "a"}, "facts.x is not a"),
        ({"exists": False}, "facts.x is not given"),
        ({"gte": 18}, "facts.x is at least 18"),
        ({"lte": 0.5}, "facts.x is at most 0.5"),
    ],
    ids=str,
)
def test_a_condition_says_what_it_compares_with(given, told):
    assert condition_in_words("facts.x", Condition.model_validate(given)) == told


def test_the_rule_of_the_reward_is_told_with_what_becomes_of_missing_verdicts():
    formula = {"kind": "expression", "expression": "0.7*c0", "clip": [0, 1]}
    told = reward_in_words(rubric(aggregate=formula, missing={"policy": "worst"}))
    assert told == (
        "Computed from criteria and tags: 0.7*c0. It is kept between 0 and 1. Criteria without a verdict count as the "
        "worst."
    )
    for kind in ("points", "weighted_mean", "all", "any"):
        assert "there is no reward" in reward_in_words(rubric(aggregate={"kind": kind}))


def test_two_versions_show_words_and_points_that_changed():
    old = rubric("c0", "c1", "c2")
    node = old.criteria[0].model_copy(update={"statement": "Says thing c0 at once.", "points": 4})
    new = old.model_copy(update={"version": "2.0.0", "criteria": (node, old.criteria[1])})
    shown = shown_difference(old, new)
    reworded = next(one for one in shown.changes if one.change.kind == "reworded")
    assert reworded.words == (("same", "Says thing"), ("gone", "c0."), ("new", "c0 at once."))
    assert [(row.id, row.before, row.after) for row in shown.points] == [
        ("c0", 1, 4), ("c1", 1, 1), ("c2", 1, None),
    ]  # fmt: skip


def test_texts_with_little_in_common_are_told_whole():
    old = rubric("c0")
    node = old.criteria[0].model_copy(update={"statement": "Names the dose, the route and the interval in words."})
    (change,) = shown_difference(old, old.model_copy(update={"version": "2.0.0", "criteria": (node,)})).changes
    assert change.words == ()
    assert "Names the dose" in change.change.told
