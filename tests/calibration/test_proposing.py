"""Proposed criteria become versions of a prompt's own rubric: at most five live, and no version ever changes."""

from judge_server.authoring.parsing import from_data
from judge_server.calibration.drafting import DraftItem, ProposedCriterion
from judge_server.calibration.proposing import LIVE, live, next_version, own_id

PROMPT = "My head aches."
BASE = from_data(
    {
        "id": "clinic/advice",
        "version": "1.2.0",
        "title": "Advice",
        "criteria": [
            {"id": "flag", "statement": "Names a warning sign.", "points": 5},
            {"id": "harm", "statement": "Recommends a dangerous dose.", "points": -4},
        ],
    }
).rubric


def pair(name, good="Rest in a dark room.", bad="Whatever."):
    return DraftItem(id=f"pair-{name}", prompt=PROMPT, good=good, bad=bad)


def proposed(*said, standing=None, base=BASE):
    items = [pair(item) for item, _, _ in said]
    proposals = [ProposedCriterion(f"pair-{item}", statement, points) for item, statement, points in said]
    return next_version(base, PROMPT, standing, proposals, items, "2026-01-01")


def test_what_is_new_stands_beside_the_base_with_its_source_and_a_weight_on_its_scale():
    found = proposed(("a", "Asks how long it has lasted.", 6.0), ("b", "Says when to call an ambulance.", 9.0))
    rubric = found.parsed.rubric
    assert (rubric.id, rubric.version) == (own_id(BASE, PROMPT), "1.2.0-for.1")
    assert rubric.prerelease
    assert [(leaf.id, leaf.points) for leaf in rubric.leaves] == [
        ("flag", 5.0), ("harm", -4.0), ("says_when_call_ambulance", 4.5), ("asks_how_long_has_lasted", 3.0),
    ]  # fmt: skip
    assert [leaf.sources for leaf in live(rubric)] == [("pair-b",), ("pair-a",)]
    assert {one.id for one in rubric.sources} == {"pair-a", "pair-b"}


def test_what_the_rubric_says_already_is_not_proposed_and_nothing_new_is_no_version():
    found = proposed(("a", "Names a clear warning sign.", 9.0), ("b", "Recommends a very dangerous dose.", -9.0))
    assert found.parsed is None
    assert found.merged == 2


def test_a_quotation_is_refused():
    found = next_version(
        BASE,
        PROMPT,
        None,
        [ProposedCriterion("pair-a", "Says to rest in a dark room for an hour.", 5.0)],
        [pair("a", good="Please do rest in a dark room for an hour.")],
        "2026-01-01",
    )
    assert (found.parsed, found.refused[0][1]) == (None, "it copies 7 words in a row")


def test_at_most_five_are_live_and_the_oldest_retires():
    words = ("duration", "fever", "medicines", "pregnancy", "sleep", "injury", "vision")
    standing, versions = None, []
    for number, word in enumerate(words):
        found = proposed((str(number), f"Asks about {word}.", 5.0), standing=standing)
        standing = found.parsed.rubric
        versions.append((standing.version, [leaf.statement for leaf in live(standing)], standing.digest))
        assert len(live(standing)) == min(number + 1, LIVE)
        assert [one.sources for one in found.added] == [(f"pair-{number}",)]
        retired = [leaf.statement for leaf in found.retired]
        assert retired == ([] if number < LIVE else [f"Asks about {words[number - LIVE]}."])
    assert [version for version, _, _ in versions] == [f"1.2.0-for.{number}" for number in range(1, 8)]
    assert len({digest for _, _, digest in versions}) == 7
    assert {one.id for one in standing.sources} == {f"pair-{number}" for number in range(2, 7)}
    assert [leaf.id for leaf in standing.leaves][:2] == ["flag", "harm"]


def test_a_new_version_of_the_base_takes_the_live_criteria_along():
    first = proposed(("a", "Asks how long it has lasted.", 6.0)).parsed.rubric
    newer = BASE.model_copy(update={"version": "1.3.0"})
    second = proposed(("b", "Says when to call an ambulance.", 6.0), standing=first, base=newer).parsed.rubric
    assert second.version == "1.3.0-for.2"
    assert [leaf.sources for leaf in live(second)] == [("pair-b",), ("pair-a",)]
