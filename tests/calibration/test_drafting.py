"""Proposed criteria become a draft: merged, checked, and each with the items that it came from."""

from judge_server.calibration.drafting import DraftItem, ProposedCriterion, drafted_rubric

ITEMS = [
    DraftItem(id="item-1", prompt="My head aches.", good="Drink plenty of water today and rest in a dark room."),
    DraftItem(id="item-2", prompt="I feel dizzy.", response="Sit down."),
]
WATER = "Recommends drinking plenty of water."


def drafted(*proposals, most=10):
    made = [ProposedCriterion(*one) for one in proposals]
    return drafted_rubric("medical/advice", "Advice", made, ITEMS, most, "2026-01-01")


def test_what_two_items_lead_to_comes_first_once_and_names_both():
    found = drafted(
        ("item-1", "Names a warning sign.", 9.0),
        ("item-1", WATER, 4.0),
        ("item-2", "Recommends drinking plenty of cold water.", 6.0),
    )
    rubric = found.parsed.rubric
    assert [(leaf.statement, leaf.points, leaf.sources) for leaf in rubric.leaves] == [
        (WATER, 6.0, ("item-1", "item-2")),
        ("Names a warning sign.", 9.0, ("item-1",)),
    ]
    assert [(one.id, one.title) for one in rubric.sources] == [
        ("item-1", "My head aches."),
        ("item-2", "I feel dizzy."),
    ]
    assert found.merged == 1
    assert rubric.version == "0.1.0-draft"
    assert rubric.prerelease


def test_praise_and_fault_are_not_merged():
    found = drafted(("item-1", "Recommends a dose above the maximum.", -8.0), ("item-2", "Recommends a dose.", 3.0))
    assert [leaf.points for leaf in found.parsed.rubric.leaves] == [-8.0, 3.0]


def test_a_statement_that_quotes_its_item_is_refused():
    found = drafted(("item-1", "Says drink plenty of water today and rest.", 5.0), ("item-2", WATER, 5.0))
    assert found.refused == (("Says drink plenty of water today and rest.", "it copies 7 words in a row"),)
    assert len(found.parsed.rubric.leaves) == 1


def test_what_is_no_statement_is_refused_with_the_reason():
    found = drafted(("item-1", "x", 5.0), ("item-1", WATER, 5.0))
    assert [statement for statement, _ in found.refused] == ["x"]


def test_the_most_criteria_are_kept_and_the_rest_is_counted():
    found = drafted(("item-1", WATER, 5.0), ("item-1", "Names a warning sign.", 9.0), most=1)
    assert [leaf.statement for leaf in found.parsed.rubric.leaves] == ["Names a warning sign."]
    assert found.beyond == 1


def test_faults_alone_are_no_rubric():
    assert drafted(("item-1", WATER, -5.0)).parsed is None
    assert drafted().parsed is None
