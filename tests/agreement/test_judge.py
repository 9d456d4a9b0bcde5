import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score

from judge_server.agreement.alternative_annotator import AlternativeAnnotator
from judge_server.agreement.description import describe
from judge_server.agreement.judge import Measurement, judge_agreement, judge_difference
from tests.agreement.published import panel_of

PROMISED = [
    "accuracy", "balanced_accuracy", "f1_macro", "f1_pairwise_balanced", "false_positive_rate", "youden_j",
    "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic", "fleiss_kappa", "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal", "krippendorff_alpha_interval", "gwet_ac1", "gwet_ac2_linear", "gwet_ac2_quadratic",
    "icc", "pearson", "spearman", "kendall_tau_b", "pearson_per_item", "spearman_per_item", "kendall_tau_b_per_item",
    "rmse", "mae", "brier", "ece", "alt_test_winning_rate", "alt_test_advantage", "raw_agreement",
]  # fmt: skip


def crowd(labels, humans=3, prompts=60, answers=4, seed=0, **judges):
    """Ratings of noisy humans and judges (name=noise) with a probability for each judge's."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(labels), prompts * answers)
    ratings = []
    for name, role, noise in [
        *((f"human {place}", "human", 0.2) for place in range(humans)),
        *((name, "judge", noise) for name, noise in judges.items()),
    ]:
        said = np.where(rng.random(len(truth)) < noise, rng.integers(0, len(labels), len(truth)), truth)
        for item, code in enumerate(said):
            probability = np.clip(0.15 + 0.7 * (code > 0), 0, 1) if role == "judge" else np.nan
            ratings.append((item, name, role, labels[code], item // answers, probability))
    return ratings


@pytest.mark.parametrize(
    "labels", [["no", "yes"], ["1", "2", "3", "4"], ["cat", "dog", "fish"], [str(n / 2) for n in range(60)]]
)
def test_every_promised_metric_has_a_value_or_a_reason(labels):
    found = judge_agreement(panel_of(crowd(labels, good=0.3)), "good")
    for name in PROMISED:
        assert found[name].value is not None or found[name].note
    assert found["alt_test_winning_rate"].value is not None
    for one in found.values():
        assert one.has_interval or one.note


def test_binary_labels_have_every_promised_metric():
    found = judge_agreement(panel_of(crowd(["no", "yes"], good=0.3)), "good")
    assert {name for name in PROMISED if found[name].value is None} == set()


def test_the_plain_name_is_against_the_majority_and_pairwise_against_each_human():
    ratings = crowd(["no", "yes"], good=0.3)
    panel = panel_of(ratings)
    found = judge_agreement(panel, "good")
    said = {name: [r[3] for r in ratings if r[1] == name] for name in ("human 0", "human 1", "human 2", "good")}
    humans = [said[f"human {place}"] for place in range(3)]
    majority = [max(row, key=row.count) for row in zip(*humans, strict=True)]
    assert found["accuracy"].value == pytest.approx(accuracy_score(majority, said["good"]))
    assert found["cohen_kappa"].value == pytest.approx(cohen_kappa_score(majority, said["good"]))
    assert found["accuracy"].n == 240
    pooled = [label for column in humans for label in column]
    assert found["cohen_kappa_pairwise"].value == pytest.approx(cohen_kappa_score(pooled, said["good"] * 3))
    assert (found["cohen_kappa_pairwise"].n, found["cohen_kappa_pairwise"].clusters) == (720, 60)


def test_with_one_human_plain_and_pairwise_are_the_same():
    found = judge_agreement(panel_of(crowd(["1", "2", "3"], humans=1, good=0.3)), "good")
    for name in ("accuracy", "cohen_kappa_quadratic", "pearson", "spearman", "rmse", "icc"):
        assert found[name].value == found[f"{name}_pairwise"].value
    assert found["alt_test_winning_rate"].value is None


def test_a_perfect_judge_reaches_one():
    ratings = [
        (item, who, role, item % 3, item) for item in range(60) for who, role in (("ann", "human"), ("good", "judge"))
    ]
    found = judge_agreement(panel_of(ratings), "good")
    perfect = (
        "accuracy",
        "cohen_kappa",
        "cohen_kappa_quadratic",
        "gwet_ac1",
        "krippendorff_alpha_ordinal",
        "icc",
        "pearson",
        "spearman",
        "kendall_tau_b",
    )
    assert {name: found[name].value for name in perfect} == pytest.approx(dict.fromkeys(perfect, 1.0))
    assert found["rmse"].value == 0


def test_agreement_ignores_the_order_of_rows():
    ratings = crowd(["1", "2", "3"], good=0.3)
    plain = judge_agreement(panel_of(ratings), "good")
    shuffled = [ratings[place] for place in np.random.default_rng(1).permutation(len(ratings))]
    turned = judge_agreement(panel_of(shuffled), "good")
    assert {name: one.value for name, one in turned.items()} == pytest.approx(
        {name: one.value for name, one in plain.items()}
    )


def test_the_difference_of_two_judges_is_paired():
    panel = panel_of(crowd(["1", "2", "3"], good=0.15, poor=0.6))
    good, poor, gap = (
        judge_agreement(panel, "good"),
        judge_agreement(panel, "poor"),
        judge_difference(panel, "good", "poor"),
    )
    for name in ("cohen_kappa", "accuracy", "pearson", "rmse"):
        assert gap[name].value == pytest.approx(good[name].value - poor[name].value)
    assert gap["cohen_kappa"].low > 0
    assert gap["rmse"].high < 0
    same = judge_difference(panel, "good", "good")["cohen_kappa"]
    assert same.value == 0


def test_the_alternative_annotator_test_takes_its_epsilon():
    panel = panel_of(crowd(["no", "yes"], prompts=30, answers=2, good=0.3))
    rates = [
        judge_agreement(panel, "good", Measurement(alternative=AlternativeAnnotator(epsilon=epsilon)))[
            "alt_test_winning_rate"
        ].value
        for epsilon in (0.0, 0.3)
    ]
    assert rates[0] <= rates[1]


def test_a_description_counts_ties_and_what_the_judge_left_out():
    ratings = [
        (0, "ann", "human", "no", 0),
        (0, "bob", "human", "yes", 0),
        (1, "ann", "human", "yes", 1),
        (2, "ann", "human", "no", 2),
    ]
    ratings += [(0, "good", "judge", "no", 0), (1, "good", "judge", "yes", 1), (2, "good", "judge", None, 2)]
    found = describe(panel_of(ratings), "good")
    assert (found.items, found.tied, found.unjudged) == (3, 1, 1)
    assert found.confusion == ((0, 0), (0, 1))
    assert found.reference_rates == (0, 1)


def test_the_baseline_is_always_saying_the_most_common_label():
    ratings = [
        (item, who, role, "no" if item < 30 else "yes", item)
        for item in range(40)
        for who, role in (("ann", "human"), ("good", "judge"))
    ]
    baseline = describe(panel_of(ratings), "good").baseline
    assert (baseline.label, baseline.accuracy, baseline.balanced_accuracy) == ("no", 0.75, 0.5)
    assert baseline.f1_macro == pytest.approx((2 * 0.75 / 1.75) / 2)
