from itertools import pairwise

import pytest

from judge_server.authoring.diff import VersionStep, compare, next_version
from judge_server.authoring.library import Library, rubrics_directory
from tests.authoring.build import criterion, rubric


def changes(old, new):
    return [
        (change.kind, change.criterion, change.field, change.step) for change in compare(old.rubric, new.rubric).changes
    ]


def test_the_same_rubric_has_no_difference():
    difference = compare(rubric().rubric, rubric().rubric)
    assert (difference.changes, difference.step, difference.suggested_version) == ((), VersionStep.NONE, "1.0.0")


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (criterion(points=3), ("reweighted", "a", "points", VersionStep.MAJOR)),
        ({**criterion(), "statement": "Names another."}, ("reworded", "a", "statement", VersionStep.MAJOR)),
        (criterion(tags=["x"]), ("changed", "a", "tags", VersionStep.MINOR)),
        (criterion(when={"facts.x": 1}), ("changed", "a", "when", VersionStep.MAJOR)),
        (criterion(points=1, gate={"when": "met"}), ("changed", "a", "gate", VersionStep.MAJOR)),
        (criterion(examples=[{"response": "x", "met": True}]), ("changed", "a", "examples", VersionStep.MINOR)),
    ],
)
def test_each_change_of_a_criterion_is_named(after, change):
    assert changes(rubric(criterion()), rubric(after)) == [change]


def test_added_and_removed_criteria_are_told_apart():
    old, new = rubric(criterion("a"), criterion("b")), rubric(criterion("a"), criterion("c"))
    assert changes(old, new) == [("removed", "b", None, VersionStep.MAJOR), ("added", "c", None, VersionStep.MINOR)]


@pytest.mark.parametrize("more", [{"gate": {"when": "met"}}, {"points": -1}])
def test_a_new_gate_or_penalty_is_major(more):
    old, new = rubric(criterion("a")), rubric(criterion("a"), criterion("c", **more))
    assert changes(old, new) == [("added", "c", None, VersionStep.MAJOR)]


def test_a_new_id_on_the_same_content_is_a_rename():
    old, new = rubric({**criterion("b"), "statement": "Same."}), rubric({**criterion("c"), "statement": "Same."})
    assert changes(old, new) == [("renamed", "c", "id", VersionStep.MAJOR)]


def test_moving_into_a_group_is_a_move_and_the_order_alone_is_a_patch():
    a, b = criterion("a"), criterion("b")
    group = {"id": "g", "kind": "group", "statement": "All.", "criteria": [a]}
    assert ("moved", "a", None, VersionStep.MAJOR) in changes(rubric(a, b), rubric(group, b))
    assert changes(rubric(a, b), rubric(b, a)) == [("moved", None, "criteria", VersionStep.PATCH)]


def test_aggregation_is_major_and_prose_is_a_patch():
    assert changes(rubric(), rubric(aggregate={"kind": "weighted_mean"})) == [
        ("changed", None, "aggregate", VersionStep.MAJOR)
    ]
    assert changes(rubric(), rubric(title="Another")) == [("changed", None, "title", VersionStep.PATCH)]


@pytest.mark.parametrize(
    ("version", "step", "suggested"),
    [
        ("1.2.3", VersionStep.MAJOR, "2.0.0"),
        ("1.2.3", VersionStep.MINOR, "1.3.0"),
        ("1.2.3", VersionStep.PATCH, "1.2.4"),
        ("1.2.3", VersionStep.NONE, "1.2.3"),
        ("2.0.0-rc.1", VersionStep.MAJOR, "2.0.0"),
    ],
)
def test_the_next_version_follows_the_step(version, step, suggested):
    assert next_version(version, step) == suggested


def steps():
    """Each pair of consecutive published versions of a bundled rubric."""
    library = Library(rubrics_directory())
    for name in library.names():
        for old, new in pairwise(library.versions(name)):
            yield library.published(name, old), library.published(name, new)


@pytest.mark.parametrize(("old", "new"), list(steps()), ids=lambda one: one.name)
def test_every_change_of_a_bundled_rubric_is_told_in_words(old, new):
    difference = compare(old, new)
    assert difference.changes
    for change in difference.changes:
        assert 5 < len(change.told) < 6_000, change
        assert not any(mark in change.told for mark in ("{'", '{"', "[{", ": None", " null ")), change.told


def test_the_words_name_what_is_new():
    old = rubric(
        criterion(
            examples=[{"response": "x", "met": True}, {"response": "y", "met": False}], when={"facts.age": {"lte": 12}}
        )
    )
    new = rubric(
        criterion(
            examples=[{"response": "y", "met": False}, {"response": "x", "met": True}],
            when={"facts.age": {"lte": 15}, "facts.tool": ["a", "b"]},
            gate={"when": "unmet", "reward": 0.4, "threshold": 0.3},
            if_absent="skip",
        )
    )
    told = {change.field: change.told for change in compare(old.rubric, new.rubric).changes}
    assert told["examples"] == "the same ones in another order"
    assert told["when"].startswith(
        'applies if facts.age is 15 or less and facts.tool is "a" or "b" (before: if facts.age'
    )
    assert told["gate"] == "a gate that limits the reward to 0.4 if not met (threshold 0.3) (before: no gate)"
    assert "it does not apply (before: the judge's general rule decides)" in told["if_absent"]
    long = "One thing is said here, and at length. " * 5
    (change,) = compare(rubric(description=long).rubric, rubric(description=f"{long}Another is new.").rubric).changes
    assert change.told == 'now says "Another is new."'
