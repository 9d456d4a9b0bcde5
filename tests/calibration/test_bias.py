from dataclasses import replace

import pytest

from judge_server.agreement.resampling import Resampling
from judge_server.calibration.bias import bias_panel, same_model
from judge_server.calibration.panels import pooled, views
from judge_server.calibration.preference_pair import mirrors, position_effects, preferences
from judge_server.labels.label import CriterionScale, Item
from tests.report.build import label, label_set

HOW = Resampling(replicates=200)


def leaning(judge: str = "gpt-4"):
    """The judge calls long responses and its own responses good, whatever people say."""
    labels, items = [], {}
    for place in range(120):
        item, long, own = f"i{place}", place % 4 < 2, place % 2 == 0
        people = "good" if place % 3 else "bad"
        said = "good" if long or own else people
        labels += [label(item, "h1", "human", people), label(item, judge, "judge", said)]
        items[item] = Item(
            id=item,
            response="x" * (500 + place if long else 50 + place),
            writer="GPT4" if own else "other",
            language="de" if place % 5 else "en",
            tags=("long",) if long else (),
        )
    return label_set(labels, items)


def panel(labels, judge="gpt-4"):
    return bias_panel(labels, pooled(labels), judge, {}, HOW)


def graded(labels):
    return replace(
        labels, scales=(CriterionScale(criterion="c", kind="binary", classes=("bad", "good"), positive="good"),)
    )


def test_a_judge_that_is_more_generous_than_people_has_a_rate_gap():
    gap = panel(graded(leaning())).rate_gap
    assert gap.low > 0


def test_a_judge_that_likes_length_more_than_people_do_shows_it():
    length = panel(graded(leaning())).length
    assert length["judge"].value > 0
    assert length["humans"].high > 0 > length["humans"].low
    assert length["excess"].value > length["humans"].value


def test_own_responses_are_found_by_the_writers_name():
    found = panel(graded(leaning())).self_preference
    assert found.low > 0
    assert same_model("gpt-4", "judge_GPT4")
    assert not same_model("claude", "gpt-4")


def test_slices_by_length_tag_language_and_writer_have_gaps():
    slices = panel(graded(leaning())).slices
    assert {each.trait for each in slices} == {"length", "tag", "language", "writer"}
    short = next(each for each in slices if each.name == "short")
    long = next(each for each in slices if each.name == "long")
    assert long.gap.value > short.gap.value


def test_labels_without_better_or_worse_have_no_gap_and_say_what_to_do():
    labels = label_set([label("i", "h1", "human", "x"), label("i", "j", "judge", "y"), label("k", "h1", "human", "z")])
    assert "positive" in panel(labels, "j").rate_gap.note


def test_pairs_in_both_orders_are_found_by_their_names():
    names = ("81/a-vs-b", "81/b-vs-a", "7", "7@swapped", "9#original", "9#ba", "alone")
    assert mirrors(names) == {0: 1, 2: 3, 4: 5}
    assert preferences(("A", "B", "tie")) == {0: 1, 1: -1, 2: 0}
    assert preferences(("good", "bad")) is None


def test_a_judge_that_always_prefers_the_first_answer_is_never_consistent():
    labels = []
    for place in range(60):
        better = "A" if place % 2 else "B"
        turned = "B" if place % 2 else "A"
        for item, truth in ((f"{place}/x-vs-y", better), (f"{place}/y-vs-x", turned)):
            cluster = str(place)
            labels.append(label(item, "h1", "human", truth, cluster=cluster))
            labels.append(label(item, "first", "judge", "A", cluster=cluster))
            labels.append(label(item, "fair", "judge", truth, cluster=cluster))
    labels = label_set(labels)
    (view,) = views(labels)
    swapped = mirrors(labels.table.items.names)
    first, fair = (position_effects(view, judge, swapped, HOW) for judge in ("first", "fair"))
    assert first["swap_consistency"].value == 0
    assert first["first_shown_rate"].value == 1
    assert first["preference_accuracy"].value == pytest.approx(0.5)
    assert fair["swap_consistency"].value == 1
    assert fair["first_shown_rate"].value == pytest.approx(0.5)
    assert fair["swap_consistency"].n == 60
