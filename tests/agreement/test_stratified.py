"""Figures over several criteria are means of the criteria's: knowing base rates earns nothing."""

import numpy as np
import pytest

from judge_server.agreement.judge import judge_agreement
from judge_server.agreement.panel import RatingPanel, RatingRows
from judge_server.agreement.scale import LabelScale

YES_NO = LabelScale.of(["no", "yes"])


def panel(rates, items, *, right=None, seed=0):
    """Criteria with these base rates on the same prompts; the judge answers independently of the truth, or is right
    with probability ``right``."""
    random = np.random.default_rng(seed)
    truth = random.random((len(rates), items)) < np.array(rates)[:, np.newaxis]
    judge = random.random(truth.shape) < np.array(rates)[:, np.newaxis]
    if right is not None:
        judge = np.where(random.random(truth.shape) < right, truth, ~truth)
    units = np.arange(truth.size)
    rows = RatingRows(
        np.tile(units, 2),
        np.repeat((0, 1), truth.size),
        np.concatenate([truth.ravel(), judge.ravel()]).astype(np.int64),
        ("person", "judge"),
        ("human", "judge"),
        YES_NO.labels,
        cluster=np.tile(units % items, 2),
    )
    return RatingPanel.of(rows, YES_NO), tuple(units // items == place for place in range(len(rates)))


def test_a_judge_at_chance_within_each_criterion_has_no_agreement():
    made, strata = panel([0.95, 0.05] * 6, 200)
    assert judge_agreement(made, "judge")["cohen_kappa"].value > 0.7  # what pooling would say
    found = judge_agreement(made, "judge", strata=strata)
    for name in ("cohen_kappa", "cohen_kappa_pairwise", "krippendorff_alpha_nominal", "youden_j"):
        assert found[name].value == pytest.approx(0, abs=0.1)
        assert found[name].high < 0.2


def test_the_stratified_figure_is_the_weighted_mean_of_the_criteria():
    made, strata = panel([0.5, 0.3], 120, right=0.85)
    whole = judge_agreement(made, "judge", strata=strata)
    parts = [judge_agreement(made.restricted(units), "judge") for units in strata]
    for name in ("cohen_kappa", "gwet_ac1", "pearson", "icc"):
        assert whole[name].value == pytest.approx(np.mean([part[name].value for part in parts]))
        assert whole[name].n == 240
        assert whole[name].clusters == 120
        assert whole[name].low < whole[name].value < whole[name].high


def test_shares_of_ratings_stay_pooled():
    made, strata = panel([0.5, 0.3], 120, right=0.85)
    for name in ("accuracy", "false_positive_rate", "sensitivity", "specificity", "mae"):
        assert judge_agreement(made, "judge", strata=strata)[name] == judge_agreement(made, "judge")[name]


def test_one_criterion_is_itself():
    made, _ = panel([0.5], 120, right=0.85)
    stratified = judge_agreement(made, "judge", strata=(np.ones(120, dtype=np.bool_),))["cohen_kappa"]
    alone = judge_agreement(made, "judge")["cohen_kappa"]
    assert (stratified.value, stratified.low) == pytest.approx((alone.value, alone.low))


def test_a_criterion_without_a_value_is_left_out_of_the_mean():
    made, strata = panel([0.5, 0.0], 120, right=1.0)
    assert judge_agreement(made, "judge", strata=strata)["cohen_kappa"].value == 1
