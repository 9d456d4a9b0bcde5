import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from judge_server.agreement.catalogue import pairwise_metrics
from judge_server.agreement.classification import classification_metrics
from judge_server.agreement.contingency import pair_counts, pair_table, table_of
from judge_server.agreement.scale import LabelScale
from tests.agreement.published import panel_of
from tests.agreement.textbook import estimates, values

YES_NO = LabelScale.of(["no", "yes"])
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=50)


def measured(reference, judge, scale):
    return values(
        pair_table(np.array(reference), np.array(judge), np.arange(len(judge)), scale.size),
        classification_metrics(scale),
    )


@given(pairs)
def test_classifier_metrics_are_those_of_scikit_learn(given_pairs):
    reference, judge = (list(column) for column in zip(*given_pairs, strict=True))
    found = measured(reference, judge, LabelScale.of([0, 1, 2]))
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(reference, judge))
    precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
        reference, judge, labels=[0, 1, 2], zero_division=np.nan
    )
    for label in range(3):
        assert found[f"precision[{label}]"] == pytest.approx(precision[label], nan_ok=True)
        assert found[f"recall[{label}]"] == pytest.approx(recall[label], nan_ok=True)
        assert found[f"f1[{label}]"] == pytest.approx(f1[label], nan_ok=True)
    if len(set(reference)) > 1:
        assert found["balanced_accuracy"] == pytest.approx(np.mean([recall[label] for label in set(reference)]))
    if len(set(reference) | set(judge)) > 1:
        assert found["f1_macro"] == pytest.approx(sklearn.f1_score(reference, judge, average="macro"))


def test_a_reference_of_one_label_has_no_balanced_accuracy():
    assert np.isnan(measured([1, 1, 1], [1, 0, 1], YES_NO)["balanced_accuracy"])


def test_false_positive_rate_and_youden_j_by_hand():
    found = values(table_of([[60, 20], [5, 15]]), classification_metrics(YES_NO))
    assert found["false_positive_rate"] == pytest.approx(20 / 80)
    assert found["youden_j"] == pytest.approx(15 / 20 - 20 / 80)


def test_the_positive_label_may_be_one_of_many():
    table = table_of([[10, 2, 3], [1, 20, 4], [5, 0, 30]])
    found = values(table, classification_metrics(LabelScale(labels=("a", "b", "c"), positive="a")))
    assert found["false_positive_rate"] == pytest.approx((1 + 5) / (25 + 35))


def test_no_false_positive_rate_is_guessed_where_nobody_named_the_positive_label():
    names = [metric.name for metric in classification_metrics(LabelScale.of(["cat", "dog"]))]
    assert "false_positive_rate" not in names


def test_balanced_f1_over_pairs_as_in_the_worked_example_of_healthbench():
    judge = [True, False, True]
    physicians = [[True, True, False], [True, False], [False]]
    ratings = [(item, "grader", "judge", label, item) for item, label in enumerate(judge)]
    ratings += [
        (item, f"physician {place}", "human", label, item)
        for item, row in enumerate(physicians)
        for place, label in enumerate(row)
    ]
    panel = panel_of(ratings)
    item = panel.humans.item
    table = pair_table(panel.humans.code, panel.judges["grader"].codes[item], panel.cluster[item], 2)
    found = values(table, pairwise_metrics(panel.scale))
    assert found["f1_pairwise_balanced"] == pytest.approx(0.485714, abs=5e-7)
    assert found["f1[True]_pairwise"] == pytest.approx(4 / 7)
    assert found["f1[False]_pairwise"] == pytest.approx(0.4)


def test_balanced_f1_is_undefined_where_a_class_never_occurs():
    found = estimates(table_of([[0, 0], [0, 40]]), pairwise_metrics(YES_NO))["f1_pairwise_balanced"]
    assert found.value is None
    assert "neither side" in found.note


def test_people_are_scored_on_one_another_both_ways_round():
    counts = np.array([[2.0, 1.0], [0.0, 2.0]])
    table = pair_counts(counts, np.arange(2))
    assert table.total()[0].tolist() == [[2, 2], [2, 2]]
    assert table.n == 4
