"""HealthBench's arithmetic, against the published formulas written out once more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.authoring.interchange import healthbench as rows
from judge_server.core.verdict import Failure, Verdict
from judge_server.evaluation.healthbench import ADJUSTMENTS, decided_scores

TAGS = ["axis:accuracy", "axis:completeness", "level:example", "level:cluster"]


def rubric(*criteria):
    listed = [
        {"criterion": f"Says the thing number {number}.", "points": points, "tags": list(tags)}
        for number, (points, tags) in enumerate(criteria)
    ]
    return rows.read({"prompt": "p", "rubrics": listed}, "rows.jsonl:1")


def verdicts(made, values):
    return [
        Verdict(criterion=leaf.id, status="ok", source="judge", points=leaf.points, value=value, met=value)
        for leaf, value in zip(made.leaves, values, strict=True)
    ]


def published(points, met):
    """Points of what is met over the positive points; None without positive ones."""
    possible = sum(one for one in points if one > 0)
    return sum(one for one, there in zip(points, met, strict=True) if there) / possible if possible else None


def test_a_row_worked_by_hand():
    made = rubric((5, ["axis:completeness"]), (7, ["axis:accuracy"]), (-8, ["axis:accuracy", "level:example"]))
    found = decided_scores(made, verdicts(made, [1, 0, 1]), ["theme:hedging"])
    assert found == {
        "overall": pytest.approx(-3 / 12),
        "theme:hedging": pytest.approx(-3 / 12),
        "axis:completeness": 1.0,
        "axis:accuracy": pytest.approx(-8 / 7),
    }, "a tag with negative points only has no score"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([-10, -8, -5, 1, 3, 5, 7, 10]),
            st.lists(st.sampled_from(TAGS), unique=True, max_size=3),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_every_score_is_the_published_one(criteria):
    made = rubric(*((points, tags) for points, tags, _ in criteria))
    found = decided_scores(made, verdicts(made, [value for _, _, value in criteria]), ["theme:x"])
    met = [value >= 0.5 for _, _, value in criteria]
    overall = published([points for points, _, _ in criteria], met)
    if overall is None:
        assert found == {}
        return
    expected = {"overall": overall, "theme:x": overall}
    for tag in TAGS:
        own = [place for place, (_, tags, _) in enumerate(criteria) if tag in tags]
        score = published([criteria[place][0] for place in own], [met[place] for place in own])
        expected |= {} if score is None else {tag: score}
    assert found == pytest.approx(expected)


def test_without_a_verdict_there_is_no_score():
    made = rubric((5, []), (7, []))
    lost = Verdict(
        criterion=made.leaves[1].id,
        status="unavailable",
        source="judge",
        points=7,
        error=Failure(type="timeout", detail="late"),
    )
    assert decided_scores(made, [verdicts(made, [1, 1])[0], lost], []) == {}


@pytest.mark.parametrize(
    ("subset", "score"), [("all", 0.4402), ("hard", 0.4216), ("consensus", 0.496), ("professional", 0.4706)]
)
def test_a_thousand_characters_too_many_cost_two_penalties(subset, score):
    assert ADJUSTMENTS[subset].adjust(0.5, 3_000) == pytest.approx(score)
