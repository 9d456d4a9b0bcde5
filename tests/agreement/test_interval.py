import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from judge_server.agreement.catalogue import table_metrics
from judge_server.agreement.classification import classification_metrics
from judge_server.agreement.contingency import pair_table, table_of
from judge_server.agreement.evidence import joined
from judge_server.agreement.interval import estimate, share_interval
from judge_server.agreement.judge import difference
from judge_server.agreement.kappa import cohen_metrics
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.resampling import Resampling
from judge_server.agreement.scale import LabelScale
from judge_server.util.wilson import score_interval

YES_NO = LabelScale.of(["no", "yes"])
DEFAULT = Resampling()


def test_an_interval_holds_its_value_and_counts_items_and_clusters():
    found = estimate(table_of([[40, 10], [8, 42]]), table_metrics(YES_NO), DEFAULT)
    assert set(found) >= {"accuracy", "cohen_kappa", "gwet_ac1", "krippendorff_alpha_nominal", "fleiss_kappa"}
    for one in found.values():
        assert one.low <= one.value <= one.high
        assert (one.n, one.clusters) == (100, 100)


def test_the_interval_of_a_share_is_about_that_of_the_textbook():
    found = estimate(table_of([[700, 60], [40, 200]]), classification_metrics(YES_NO), DEFAULT)["accuracy"]
    assert (found.low, found.high) == pytest.approx(proportion_confint(900, 1000, method="wilson"), abs=0.003)


def test_too_few_clusters_get_a_value_without_an_interval_and_the_number_needed():
    reference = np.tile([0, 1, 1, 0], 20)
    table = pair_table(reference, np.roll(reference, 3) * 1, np.repeat(np.arange(8), 10), 2)
    found = estimate(table, cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"]
    assert found.value is not None
    assert (found.low, found.high, found.needed) == (None, None, 20)
    assert "8 clusters" in found.note


def test_too_few_items_get_a_value_without_an_interval():
    found = estimate(table_of([[10, 2], [3, 9]]), cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"]
    assert found.value is not None
    assert (found.low, found.needed) == (None, 30)


def test_no_false_alarm_in_forty_negatives_is_not_a_rate_of_exactly_zero():
    found = estimate(table_of([[40, 0], [5, 25]]), classification_metrics(YES_NO), DEFAULT)["false_positive_rate"]
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(score_interval(0, 40, stats.t.ppf(0.975, 39))[1])
    assert found.high > proportion_confint(0, 40, method="wilson")[1]


def test_a_judge_has_no_alpha_interval_with_fewer_than_five_rare_labels():
    few, enough = ([[90, 6], [1, rare]] for rare in (3, 4))
    found = [estimate(table_of(table), table_metrics(YES_NO), DEFAULT) for table in (few, enough)]
    for name in ("cohen_kappa", "krippendorff_alpha_nominal", "fleiss_kappa"):
        assert found[0][name].low is None
        assert "4 labels are not the most common one" in found[0][name].note
        assert found[1][name].low is not None
    assert found[0]["gwet_ac1"].low is not None


@pytest.mark.parametrize("items", [1, 3, 6])
def test_one_more_error_never_improves_the_bound_of_kappa(items):
    """In a further prompt each, from none up to half of the prompts."""
    reference = np.tile(np.repeat([0, 1], items), 30)
    cluster = np.repeat(np.arange(60), items)
    lows = []
    for errors in range(31):
        judge = reference.copy()
        judge[np.arange(errors) * items * 2 + (np.arange(errors) % 2) * items] ^= 1
        found = estimate(pair_table(reference, judge, cluster, 2), cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"]
        lows.append(found.low)
    assert all(np.diff(lows) <= 1e-9)


def test_more_items_of_the_same_prompts_do_not_narrow_an_interval_when_they_repeat_each_other():
    hits = np.arange(40) < 6
    alone = share_interval(hits, np.ones(40), 0.95)
    copied = share_interval(hits * 5.0, np.full(40, 5.0), 0.95)
    assert copied[1] - copied[0] > 0.95 * (alone[1] - alone[0])


def test_perfect_agreement_is_bounded_by_the_disagreement_that_was_not_seen():
    few, many = (
        estimate(table_of([[n, 0], [0, n]]), cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"] for n in (20, 2000)
    )
    assert few.value == many.value == few.high == 1
    assert few.low < 0.9 < many.low < 1


def test_perfect_correlation_has_no_bound_to_offer_and_says_so():
    each = np.arange(50.0)
    found = estimate(moments(each, each, np.arange(50)), MOMENT_METRICS, DEFAULT)["pearson"]
    assert found.value == 1
    assert found.low is None
    assert "every cluster gives the same value" in found.note


@pytest.mark.parametrize(("metrics", "name"), [(cohen_metrics, "cohen_kappa"), (classification_metrics, "youden_j")])
def test_a_class_seen_fewer_than_five_times_forbids_the_interval_and_says_how_many_are_missing(metrics, name):
    found = estimate(table_of([[93, 3], [2, 2]]), metrics(YES_NO), DEFAULT)[name]
    assert found.value is not None
    assert (found.low, found.needed) == (None, 5)
    assert "at least 5 are needed" in found.note


def test_the_interval_of_a_correlation_is_about_that_of_the_textbook():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    found = estimate(moments(x, y, np.arange(400)), MOMENT_METRICS, DEFAULT)["pearson"]
    expected = stats.pearsonr(x, y).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_no_shared_item_is_undefined():
    table = pair_table(np.array([0, -1]), np.array([-1, 1]), np.arange(2), 2)
    found = estimate(table, cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"]
    assert (found.value, found.n, found.note) == (None, 0, "no item was rated by both sides")


def test_intervals_cover_the_truth_about_as_often_as_they_promise():
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        rate = rng.beta(8, 2, 60)  # some prompts are harder: rows of a prompt are alike
        right = rng.random((60, 5)) < rate[:, np.newaxis]
        reference = rng.integers(0, 2, (60, 5))
        judge = np.where(right, reference, 1 - reference)
        table = pair_table(reference.ravel(), judge.ravel(), np.repeat(np.arange(60), 5), 2)
        found = estimate(table, classification_metrics(YES_NO)[:1], Resampling(replicates=400))["accuracy"]
        covered += found.low <= 0.8 <= found.high
    assert 0.9 <= covered / 200 <= 0.99


def test_the_interval_of_balanced_accuracy_knows_that_the_rare_label_is_rare():
    found = estimate(table_of([[285, 0], [0, 10]]), classification_metrics(YES_NO), DEFAULT)
    assert found["balanced_accuracy"].value == 1
    assert found["balanced_accuracy"].low < 0.95
    assert found["balanced_accuracy"].low > found["recall[yes]"].low


def test_the_bounds_of_f1_are_those_of_the_share_that_it_grows_with():
    found = estimate(table_of([[60, 7], [9, 24]]), classification_metrics(YES_NO), DEFAULT)["f1[yes]"]
    bounds = share_interval(np.repeat([1.0, 0.0], [24, 16]), np.ones(40), 0.95)
    assert (found.low, found.high) == pytest.approx(tuple(2 * one / (1 + one) for one in bounds), abs=0.003)
    assert found.value == pytest.approx(48 / 64)


def test_clusters_of_very_different_sizes_widen_the_interval():
    even = share_interval(np.full(20, 3.0), np.full(20, 10.0), 0.95)
    sizes = np.array([105.0, *[5.0] * 19])
    uneven = share_interval(sizes * 0.3, sizes, 0.95)
    assert uneven[1] - uneven[0] > even[1] - even[0]


def test_a_difference_of_two_judges_is_bounded_by_the_intervals_of_both():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 200)
    good, poor = (truth ^ (rng.random(200) < error) for error in (0.05, 0.3))
    tables = [pair_table(truth, judge, np.arange(200), 2) for judge in (good, poor)]
    own = [estimate(table, cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"] for table in tables]
    gap = estimate(joined(*tables), [difference(cohen_metrics(YES_NO)[0], (2, 2))], DEFAULT)["cohen_kappa"]
    assert gap.value == pytest.approx(own[0].value - own[1].value)
    assert 0 < gap.low < gap.value < gap.high
    assert gap.high - gap.low < sum(one.high - one.low for one in own)


def test_a_judge_compared_with_itself_has_no_interval_of_the_difference():
    truth = np.tile([0, 1], 60)
    table = pair_table(truth, np.roll(truth, 1) ^ (np.arange(120) % 3 > 0), np.arange(120), 2)
    gap = estimate(joined(table, table), [difference(cohen_metrics(YES_NO)[0], (2, 2))], DEFAULT)["cohen_kappa"]
    assert (gap.value, gap.low) == (0, None)


def test_clusters_for_a_narrower_interval_grow_with_the_square():
    found = estimate(table_of([[40, 10], [8, 42]]), cohen_metrics(YES_NO), DEFAULT)["cohen_kappa"]
    half = (found.high - found.low) / 2
    assert found.clusters_for(half / 2) == pytest.approx(400, abs=1)
