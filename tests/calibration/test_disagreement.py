from judge_server.calibration.disagreement import disagreements
from judge_server.calibration.panels import views
from judge_server.labels.label import Item
from tests.report.build import label, label_set, panel_of


def ranked(labels, limit=10):
    return disagreements(labels, list(views(labels)), "j", limit)


def test_the_furthest_from_unanimous_people_comes_first():
    rows = {"h1": ["1", "3", "5", "5"], "h2": ["1", "3", "5", "1"], "j": ["1", "4", "1", "5"]}
    found = ranked(label_set(panel_of(rows)))
    assert [each.item for each in found] == ["i2", "i3", "i1"]
    assert found[0].severity == 1
    assert found[0].unanimity == 1


def test_both_rationales_and_the_texts_are_told():
    labels = label_set(
        [
            label("i", "h1", "human", "no", rationale="It never says when."),
            label("k", "h1", "human", "yes"),
            label("i", "j", "judge", "yes", rationale="It says when.", probability=0.9),
            label("i", "other", "judge", "no"),
        ],
        {"i": Item(id="i", prompt="When?", response="Soon.", reference="Today.")},
    )
    (found,) = ranked(labels)
    assert found.judge.rationale == "It says when."
    assert found.humans[0].rationale == "It never says when."
    assert (found.prompt, found.response, found.reference, found.probability) == ("When?", "Soon.", "Today.", 0.9)


def test_the_limit_holds_and_agreement_is_never_listed():
    rows = {"h1": ["no"] * 20 + ["yes"] * 5, "j": ["yes"] * 25}
    found = ranked(label_set(panel_of(rows)), limit=7)
    assert len(found) == 7
    assert all(each.severity > 0 for each in found)


def test_among_names_without_order_the_share_of_people_counts():
    rows = {"h1": ["a", "a", "b"], "h2": ["a", "b", "c"], "h3": ["a", "c", "c"], "j": ["b", "b", "c"]}
    found = ranked(label_set(panel_of(rows)))
    assert [(each.item, round(each.severity, 2)) for each in found] == [("i0", 1.0), ("i1", 0.67), ("i2", 0.33)]


def test_an_item_that_one_side_left_out_is_no_disagreement():
    assert ranked(label_set(panel_of({"h1": ["yes", "no", "-"], "j": [None, "-", "yes"]}))) == ()
