import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from judge_server.agreement.human import human_agreement
from judge_server.agreement.judge import judge_agreement
from tests.agreement.published import panel_of
from tests.agreement.test_judge import PROMISED, crowd


def test_every_metric_of_humans_has_a_value_or_a_reason():
    found = human_agreement(panel_of(crowd(["1", "2", "3"])))
    for one in found.values():
        assert one.has_interval or one.note
    of_judges_alone = {"brier", "ece", "alt_test_winning_rate", "alt_test_advantage"}
    assert {name for name in PROMISED if name not in found and not name.endswith("_per_item")} == of_judges_alone


def test_one_human_has_no_ceiling_and_says_so_while_the_judge_is_still_measured():
    panel = panel_of(crowd(["no", "yes"], humans=1, good=0.3))
    humans = human_agreement(panel)
    assert {one.value for one in humans.values()} == {None}
    assert "two humans" in humans["fleiss_kappa"].note
    assert judge_agreement(panel, "good")["cohen_kappa"].value is not None


def test_humans_are_held_against_the_majority_of_the_others():
    ratings = crowd(["no", "yes"])
    said = [[r[3] for r in ratings if r[1] == f"human {place}"] for place in range(3)]
    reference, judged = [], []
    for place in range(3):
        others = [said[other] for other in range(3) if other != place]
        for item, own in enumerate(said[place]):
            if others[0][item] == others[1][item]:
                reference.append(others[0][item])
                judged.append(own)
    found = human_agreement(panel_of(ratings))["cohen_kappa"]
    assert found.value == pytest.approx(cohen_kappa_score(reference, judged))
    assert found.n == len(judged)


def test_humans_are_held_against_each_other_human_both_ways_round():
    ratings = crowd(["no", "yes"])
    said = [[r[3] for r in ratings if r[1] == f"human {place}"] for place in range(3)]
    pairs = [
        (a, b)
        for first in range(3)
        for second in range(3)
        if first != second
        for a, b in zip(said[first], said[second], strict=True)
    ]
    found = human_agreement(panel_of(ratings))["cohen_kappa_pairwise"]
    assert found.value == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_one_human_promoted_is_measured_like_a_judge():
    panel = panel_of(crowd(["no", "yes"]))
    found = judge_agreement(panel.promoted("human 1"), "human 1")
    assert found["cohen_kappa_pairwise"].n == 2 * 240


def test_changing_annotators_have_a_one_way_icc_but_no_two_way_one():
    rng = np.random.default_rng(0)
    ratings = []
    for item, level in enumerate(rng.integers(1, 5, 80)):
        said = np.clip(level + rng.integers(-1, 2, 3), 1, 5)
        chosen = rng.choice(20, size=3, replace=False)
        ratings += [(item, f"human {who}", "human", int(label), item) for who, label in zip(chosen, said, strict=True)]
    found = human_agreement(panel_of(ratings))
    assert found["icc"].value is None
    assert "icc_1_1" in found["icc"].note
    assert found["icc_1_1"].value is not None
    assert found["krippendorff_alpha_ordinal"].has_interval


def test_agreement_of_humans_ignores_the_order_of_annotators():
    ratings = crowd(["1", "2", "3"])
    plain = human_agreement(panel_of(ratings))
    turned = human_agreement(panel_of(ratings[::-1]))
    assert {name: one.value for name, one in turned.items()} == pytest.approx(
        {name: one.value for name, one in plain.items()}
    )
