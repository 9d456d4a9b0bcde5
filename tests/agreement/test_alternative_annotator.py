import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from judge_server.agreement.alternative_annotator import (
    AlternativeAnnotator,
    alternative_annotator,
    rejected,
)
from judge_server.agreement.judge import Measurement, judge_agreement
from tests.agreement.published import panel_of
from tests.agreement.textbook import estimates, values


def plainly(judge, humans, epsilon, score, fewest):
    """The published procedure, item by item; ``humans`` maps a name to {item: label}."""
    items = {item for answers in humans.values() for item in answers}
    usable = {item for item in items if item in judge and sum(item in answers for answers in humans.values()) >= 2}

    def aligned(answer, others):
        if score == "accuracy":
            return np.mean([answer == other for other in others])
        return -np.sqrt(np.mean([(answer - other) ** 2 for other in others]))

    p_values, shares = [], []
    for name, answers in humans.items():
        mine = [item for item in answers if item in usable]
        if len(mine) < fewest:
            continue
        won, lost = [], []
        for item in mine:
            others = [other[item] for who, other in humans.items() if who != name and item in other]
            judged, own = aligned(judge[item], others), aligned(answers[item], others)
            won.append(judged >= own or np.isclose(judged, own))
            lost.append(own >= judged or np.isclose(judged, own))
        surplus = np.array(lost, dtype=float) - won
        spread = surplus.std() > 0
        p_values.append(
            stats.ttest_1samp(surplus, epsilon, alternative="less").pvalue if spread else float(surplus[0] >= epsilon)
        )
        shares.append(np.mean(won))
    if not shares:
        return None
    return np.mean(multipletests(p_values, alpha=0.05, method="fdr_by")[0]), np.mean(shares)


def measured(judge, humans, test):
    ratings = [
        (item, name, "human", label, item) for name, answers in humans.items() for item, label in answers.items()
    ]
    ratings += [(item, "judge", "judge", label, item) for item, label in judge.items()]
    panel = panel_of(ratings)
    return alternative_annotator(panel.judges["judge"], panel.humans, panel.cluster, test)[0]


def crowd(rng, annotators, items, labels, noise):
    truth = rng.integers(0, labels, items)

    def answers():
        answered = np.where(rng.random(items) < noise, rng.integers(0, labels, items), truth)
        return {item: int(answered[item]) for item in range(items) if rng.random() < 0.8}

    return {f"human {place}": answers() for place in range(annotators)}, answers()


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000), st.sampled_from(["accuracy", "rmse"]), st.integers(2, 6), st.sampled_from([0.0, 0.1, 0.2])
)
def test_the_test_is_its_procedure_done_item_by_item(seed, score, annotators, epsilon):
    humans, judge = crowd(np.random.default_rng(seed), annotators, 60, 4, noise=0.35)
    expected = plainly(judge, humans, epsilon, score, fewest=20)
    found = values(*measured(judge, humans, AlternativeAnnotator(epsilon=epsilon, score=score, min_items=20)))
    assert expected == pytest.approx((found["alt_test_winning_rate"], found["alt_test_advantage"]))


@given(st.lists(st.lists(st.floats(0, 0.2), min_size=5, max_size=5), min_size=1, max_size=4))
def test_the_false_discovery_rate_is_held_as_in_statsmodels(p):
    expected = [multipletests(row, alpha=0.05, method="fdr_by")[0].sum() for row in p]
    assert rejected(np.array(p), 0.05).tolist() == expected


def test_a_judge_that_knows_the_majority_beats_every_noisy_human():
    rng = np.random.default_rng(2)
    humans, _ = crowd(rng, 5, 200, 3, noise=0.4)
    judge = {}
    for item in range(200):
        given_labels = [answers[item] for answers in humans.values() if item in answers]
        if given_labels:
            judge[item] = max(range(3), key=given_labels.count)
    found = estimates(*measured(judge, humans, AlternativeAnnotator(score="accuracy")))
    assert found["alt_test_winning_rate"].value == 1
    assert found["alt_test_advantage"].value > 0.9


def test_a_coin_that_ignores_the_question_beats_nobody():
    rng = np.random.default_rng(3)
    humans, _ = crowd(rng, 4, 200, 2, noise=0.1)
    judge = {item: int(rng.integers(0, 2)) for item in range(200)}
    assert estimates(*measured(judge, humans, AlternativeAnnotator()))["alt_test_winning_rate"].value == 0


def difficult(seed, errors, items=300, people=3, size=1):
    """People who are wrong on a share of the items, ``size`` to a prompt, and a judge that is a coin."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, items)
    ratings = [
        (item, f"h{person}", "human", int(truth[item] ^ (rng.random() < errors)), f"p{item // size}")
        for item in range(items)
        for person in range(people)
    ]
    return panel_of(
        [*ratings, *((item, "judge", "judge", int(rng.integers(0, 2)), f"p{item // size}") for item in range(items))]
    )


def test_where_a_coin_passes_there_is_no_result():
    found = judge_agreement(difficult(5, errors=0.45), "judge")
    assert found["alt_test_winning_rate_coin"].value >= 0.5
    assert found["alt_test_winning_rate"].value is None
    assert "a coin reaches 1.00" in found["alt_test_winning_rate"].note
    clear = judge_agreement(difficult(5, errors=0.1), "judge")
    assert clear["alt_test_winning_rate_coin"].value == clear["alt_test_winning_rate"].value == 0


def test_a_coin_counts_as_a_coin_does_on_average():
    panel = difficult(6, errors=0.3, items=400)
    own, coin, _ = alternative_annotator(panel.judges["judge"], panel.humans, panel.cluster, AlternativeAnnotator())
    drawn, expected = own[0].total()[0], coin[0].total()[0]
    assert expected[0] == pytest.approx(drawn[0])
    assert expected[1] == pytest.approx(drawn[1], rel=0.1)
    assert expected[3] == pytest.approx(drawn[3], rel=0.15)


def test_items_of_one_prompt_count_as_one_observation():
    humans, judge = crowd(np.random.default_rng(7), 3, 60, 2, noise=0.3)
    alone = [(item, name, "human", label, f"p{item}") for name, own in humans.items() for item, label in own.items()]
    alone += [(item, "judge", "judge", label, f"p{item}") for item, label in judge.items()]
    copies = [(item * 10 + copy, *rest) for item, *rest in alone for copy in range(10)]
    test = AlternativeAnnotator(min_items=20)
    p = [
        judge_agreement(panel_of(rows), "judge", Measurement(alternative=test))["alt_test_winning_rate"].value
        for rows in (alone, copies)
    ]
    assert p[0] == p[1]


def test_one_human_cannot_be_left_out():
    rng = np.random.default_rng(4)
    humans, judge = crowd(rng, 1, 80, 2, noise=0.1)
    found = estimates(*measured(judge, humans, AlternativeAnnotator()))["alt_test_winning_rate"]
    assert found.value is None
    assert "another human" in found.note
