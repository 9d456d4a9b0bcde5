import numpy as np
import pytest

from judge_server.agreement.panel import RatingPanel, RatingRows
from judge_server.agreement.scale import LabelScale
from judge_server.core.errors import BadInput
from tests.agreement.published import panel_of


def rows(item, annotator, code, cluster=None):
    return RatingRows(
        item=np.array(item),
        annotator=np.array(annotator),
        code=np.array(code),
        annotators=["ann", "bob", "judge"],
        roles=["human", "human", "judge"],
        labels=["0", "1", "2"],
        cluster=None if cluster is None else np.array(cluster),
    )


def test_ratings_are_kept_one_by_one():
    panel = RatingPanel.of(rows([0, 0, 0, 1, 1], [0, 1, 2, 0, 2], [1, 0, 1, 2, 2]))
    assert panel.humans.raters == ("ann", "bob")
    assert panel.humans.counts().tolist() == [[1, 1, 0], [0, 0, 1]]
    assert panel.judges["judge"].codes.tolist() == [1, 2]


def test_a_tie_has_no_majority_but_a_mean():
    panel = RatingPanel.of(rows([0, 0, 1], [0, 1, 0], [0, 2, 1]))
    assert panel.majority().tolist() == [-1, 1]
    assert panel.mean().tolist() == [1, 1]


def test_a_missing_answer_is_not_a_label():
    panel = RatingPanel.of(rows([0, 0, 1, 1], [0, 2, 0, 2], [1, -1, -2, 0]))
    assert panel.judges["judge"].codes.tolist() == [-1, 0]
    assert np.isnan(panel.judges["judge"].values[0])
    assert panel.majority()[1] == -1
    assert np.isnan(panel.mean()[1])


def test_a_rater_who_rated_an_item_twice_is_named():
    with pytest.raises(BadInput, match="'bob' rated this item before"):
        RatingPanel.of(rows([0, 0, 0], [0, 1, 1], [1, 1, 0]))
    with pytest.raises(BadInput, match="row 2: 'judge' judged this item before"):
        RatingPanel.of(rows([0, 0, 0], [0, 2, 2], [1, 1, 0]))


def test_an_item_in_two_clusters_is_refused():
    with pytest.raises(BadInput, match="another cluster"):
        RatingPanel.of(rows([0, 0], [0, 1], [1, 1], cluster=[3, 4]))


def test_a_human_label_off_the_scale_is_refused():
    with pytest.raises(BadInput, match="'2' of a human is not on the scale 0, 1"):
        RatingPanel.of(rows([0, 1], [0, 0], [0, 2]), LabelScale.of([0, 1]))


def test_a_judge_of_scores_gives_no_labels_even_where_a_score_is_whole():
    ratings = [(item, "ann", "human", item % 3, item) for item in range(4)]
    panel = panel_of([*ratings, (0, "judge", "judge", 1.0, 0), (1, "judge", "judge", 1.37, 1)])
    own = panel.judges["judge"]
    assert own.is_score
    assert own.codes.tolist() == [-1] * 4
    assert own.values[:2].tolist() == [1, 1.37]


def test_a_human_may_stand_as_the_judge_of_the_others():
    panel = RatingPanel.of(rows([0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 2, 2])).promoted("bob")
    assert panel.judges["bob"].codes.tolist() == [0, 2]
    assert panel.humans.counts().tolist() == [[0, 1, 0], [0, 0, 1]]


def test_items_and_clusters_may_have_any_numbers():
    panel = RatingPanel.of(rows([70, 5, 70], [0, 0, 1], [1, 0, 1], cluster=[9, 4, 9]))
    assert panel.cluster.tolist() == [4, 9]
    assert panel.group.tolist() == [4, 9]
