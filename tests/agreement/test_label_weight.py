"""Agreement with every label counted alike, and its exact test by prompt."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from judge_server.agreement.label_weight import label_weights
from judge_server.agreement.marginal import mcnemar, sign_flip


@pytest.mark.parametrize("labels", [2, 4])
def test_on_one_criterion_the_weighted_agreement_is_the_balanced_accuracy_of_scikit_learn(labels):
    random = np.random.default_rng(labels)
    people = random.choice(labels, 300, p=np.arange(1, labels + 1) / np.arange(1, labels + 1).sum())
    said = np.where(random.random(300) < 0.7, people, random.integers(0, labels, 300))
    found = float(label_weights(people, np.zeros(300, np.int64)) @ (said == people))
    assert found == pytest.approx(balanced_accuracy_score(people, said))


def test_criteria_count_by_their_ratings_and_each_label_alike_within_one():
    """By hand: 6 and 4 of 10 ratings; on the first, 4 and 2 of its labels, on the second 1 and 3."""
    people, criterion = np.array([0, 0, 0, 0, 1, 1, 0, 1, 1, 1]), np.array([0] * 6 + [1] * 4)
    wanted = [0.6 / 8] * 4 + [0.6 / 4] * 2 + [0.4 / 2] + [0.4 / 6] * 3
    assert label_weights(people, criterion) == pytest.approx(wanted)


def test_rare_labels_count_together_and_two_groups_always_stay():
    """By hand: labels 1 and 2 were given 2 and 3 times, 5 together; label 3 alone is no group of its own."""
    people = np.array([0] * 20 + [1] * 2 + [2] * 3)
    assert label_weights(people, np.zeros(25, np.int64)) == pytest.approx([0.5 / 20] * 20 + [0.5 / 5] * 5)
    one = label_weights(np.array([0] * 9 + [3]), np.zeros(10, np.int64))
    assert one == pytest.approx([0.5 / 9] * 9 + [0.5])
    alike = label_weights(np.zeros(4, np.int64), np.zeros(4, np.int64))
    assert alike == pytest.approx([0.25] * 4)


def test_the_weighted_sign_flip_test_counts_all_flips():
    """Beside all 2 ** 11 ways to turn the prompts round; the weights are whole, so that nothing is rounded."""
    random = np.random.default_rng(1)
    first, second = random.integers(0, 2, (2, 30))
    cluster, weight = np.arange(30) % 11, random.choice([1.0, 3.0, 9.0], 30)
    difference = np.bincount(cluster, weights=(first - second) * weight)
    sums = [abs(float(np.dot(signs, difference))) for signs in product((1, -1), repeat=11)]
    wanted = np.mean(np.array(sums) >= abs(difference.sum()) - 1e-9)
    found = sign_flip(first, second, cluster, weight)
    assert found.p == pytest.approx(wanted)
    assert 0.001 < wanted < 1


def test_where_only_one_label_changes_the_weights_change_nothing():
    people = np.array([0] * 90 + [1] * 10)
    old = np.array([1] * 60 + [0] * 30 + [1] * 9 + [0])
    new = np.array([1] * 82 + [0] * 8 + [1] * 9 + [0])
    weight = label_weights(people, np.zeros(100, np.int64))
    assert sign_flip(new, old, np.arange(100), weight).p == pytest.approx(mcnemar(22, 0, "mcnemar_exact").p)


def test_equal_judges_on_skewed_labels_seldom_differ():
    random = np.random.default_rng(0)
    claims = 0
    for _ in range(400):
        people = (random.random(120) < 0.1).astype(np.int64)
        right = (random.random((2, 120)) < 0.8).astype(np.int64)
        p = sign_flip(*right, np.arange(120) // 2, label_weights(people, np.zeros(120, np.int64))).p
        claims += p is not None and p < 0.05
    assert claims <= 33  # 20 are expected at most


def test_very_many_ratings_are_tested_in_coarser_parts():
    random = np.random.default_rng(0)
    people = (random.random(20_000) < 0.02).astype(np.int64)
    old, new = (random.random((2, 20_000)) < 0.9).astype(np.int64)
    found = sign_flip(new, old, np.arange(20_000), label_weights(people, np.zeros(20_000, np.int64)))
    assert 0.0 < found.p <= 1.0
