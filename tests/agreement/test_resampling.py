import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from judge_server.agreement import resampling as module
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.kappa import cohen_metrics
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.rank import rank_evidence
from judge_server.agreement.resampling import (
    Resampling,
    draws,
    leave_one_out,
    replicate,
    replicate_together,
    weights,
)
from judge_server.agreement.scale import LabelScale

FEW = Resampling(replicates=100)


def data(clusters=30, seed=0):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters))
    reference = rng.integers(0, 2, len(cluster))
    judge = np.where(rng.random(len(cluster)) < 0.8, reference, 1 - reference)
    return reference, judge, cluster


def test_replicates_are_those_of_copying_whole_clusters_as_often_as_they_were_drawn():
    reference, judge, cluster = data()
    evidence, metrics = pair_table(reference, judge, cluster, 2), cohen_metrics(LabelScale.of([0, 1]))[:1]
    x, y = judge + 0.1 * cluster, reference * 1.0
    found = replicate(evidence, metrics, FEW)[0]
    ranks, rank_metrics = rank_evidence(x, y, cluster)
    together = replicate_together([(moments(x, y, cluster), MOMENT_METRICS), (ranks, rank_metrics)], FEW)
    drawn = np.concatenate(list(weights(30, FEW)))
    assert drawn.shape == (100, 30)
    assert (drawn.sum(axis=1) == 30).all()
    for place, row in enumerate(drawn):
        rows = np.concatenate([np.tile(np.flatnonzero(cluster == c), times) for c, times in enumerate(row)]).astype(int)
        assert found[place] == pytest.approx(cohen_kappa_score(reference[rows], judge[rows]))
        assert together[0][0, place] == pytest.approx(np.corrcoef(x[rows], y[rows])[0, 1])
        ordinary = [
            float(metric.value(rank_evidence(x[rows], y[rows], cluster[rows])[0].total())[0]) for metric in rank_metrics
        ]
        assert together[1][:, place] == pytest.approx(ordinary)


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    first, again, other = (np.concatenate(list(weights(50, Resampling(seed=seed)))) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_draws_do_not_depend_on_how_they_are_cut():
    step = module.BLOCK_CELLS // 40_000
    whole = draws(40_000, 0, 3 * step, seed=5)
    assert np.array_equal(whole[step : 2 * step], draws(40_000, step, 2 * step, seed=5))
    assert (whole.sum(axis=1) == 40_000).all()


def test_leaving_one_cluster_out_is_measuring_without_it():
    reference, judge, cluster = data()
    metrics = cohen_metrics(LabelScale.of([0, 1]))[:1]
    found = leave_one_out(pair_table(reference, judge, cluster, 2), metrics)[0]
    for left in (0, 7, 29):
        rest = cluster != left
        assert found[left] == pytest.approx(cohen_kappa_score(reference[rest], judge[rest]))


def test_the_same_rows_ten_times_narrow_a_naive_interval_but_not_a_clustered_one():
    reference, judge, _ = data(200)
    each = np.arange(len(judge))
    many = np.tile(each, 10)
    metrics = cohen_metrics(LabelScale.of([0, 1]))[:1]

    def spread(cluster, rows):
        return replicate(pair_table(reference[rows], judge[rows], cluster, 2), metrics, Resampling()).std()

    assert spread(many, many) == pytest.approx(spread(each, each))
    assert spread(np.arange(len(many)), many) < 0.4 * spread(each, each)
