"""Fitting: held-out scores go down, prompts stay together, too few labels are refused, the test split is never read."""

import numpy as np
import pytest

from judge_server.calibration import curve_fitting
from judge_server.calibration.fit import Demands, fit, map_set
from judge_server.calibration.pairing import rows_digest
from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale, Label
from tests.calibration.measured import NO, YES, label_set, overconfident, rows_of, rubric


def binary(name: str) -> CriterionScale:
    return CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES)


def only(*results):
    assert len(results) == 1
    return results[0]


def test_an_overconfident_judge_is_brought_down_to_what_people_say():
    result = only(*fit(label_set(overconfident()), "main", rubric()))
    quality = result.fitted.quality
    assert result.outcome == "fitted"
    assert quality.brier_after < quality.brier_before - 0.02
    assert quality.ece_after < quality.ece_before / 2
    assert result.fitted.apply(0.999) < 0.95


def test_platt_finds_the_sharpness_that_was_put_in():
    pairs = np.random.default_rng(1).uniform(0.05, 0.95, 20_000)
    raw = 1 / (1 + ((1 - pairs) / pairs) ** 2)
    curve = curve_fitting.fit("platt", raw, pairs)
    assert curve.slope == pytest.approx(0.5, abs=0.01)
    assert curve.intercept == pytest.approx(0.0, abs=0.01)


def test_the_better_of_the_two_methods_is_taken():
    result = only(*fit(label_set(overconfident()), "main", rubric()))
    best = min(result.trials, key=lambda trial: trial.brier)
    assert result.fitted.curve.kind == best.method
    assert result.fitted.quality.brier_after == best.brier


def test_no_prompt_stands_on_both_sides_of_a_fold():
    cluster = np.repeat(np.arange(40), 3)
    for train, test in curve_fitting.folds(cluster):
        assert not set(cluster[train]) & set(cluster[test])


def test_a_judge_that_is_right_already_stays_raw():
    result = only(*fit(label_set(overconfident(100, sharpness=1.0, seed=3)), "main", rubric()))
    assert result.outcome in {"kept raw", "fitted"}
    if result.outcome == "fitted":
        assert result.fitted.quality.brier_after < result.brier
    else:
        assert "no curve lowers" in result.reason


def test_a_judge_that_says_the_opposite_is_never_turned_around():
    labels = list(overconfident(sharpness=-2.0))
    result = only(*fit(label_set(labels), "main", rubric()))
    assert result.outcome == "kept raw"
    assert result.fitted is None
    assert "do not rise" in result.reason


def test_too_few_labels_are_refused_with_what_is_needed():
    result = only(*fit(label_set(overconfident(12)), "main", rubric()))
    assert result.outcome == "too few labels"
    assert result.needed["labels"] == 50
    assert result.needed["prompts"] == 20
    assert "24 of the 50 labels needed" in result.reason
    assert "6 of the 20 prompts needed" in result.reason
    assert (
        map_set([result], judge="main", fingerprint="f", rubric=rubric(), labels=label_set(overconfident(12))) is None
    )


def test_a_criterion_with_few_labels_borrows_from_its_tag_and_else_from_the_rubric():
    tagged = rubric(criteria=[
        {"id": "c0", "statement": "Says thing c0.", "tags": ["axis:a"]},
        {"id": "c1", "statement": "Says thing c1.", "tags": ["axis:a"]},
        {"id": "c2", "statement": "Says thing c2."},
    ])  # fmt: skip
    labels = [
        *overconfident(300, "c0"), *overconfident(5, "c1", seed=1), *overconfident(5, "c2", seed=2),
    ]  # fmt: skip
    results = fit(label_set(labels, binary("c0"), binary("c1"), binary("c2")), "main", tagged)
    assert [result.pool for result in results] == ["criterion", "tag axis:a", "rubric"]
    assert [result.outcome for result in results] == ["fitted"] * 3


def test_the_test_split_is_never_fitted_on():
    labels = list(overconfident(200))
    turned = [
        label.model_copy(update={"label": NO if label.label == YES else YES})
        if label.role == "human" and int(label.cluster[1:]) >= 50
        else label
        for label in labels
    ]
    splits = {f"p{number}": "test" if number >= 50 else "dev" for number in range(100)}
    honest = only(*fit(label_set(labels, splits=splits), "main", rubric()))
    spoiled = only(*fit(label_set(turned, splits=splits), "main", rubric()))
    assert honest == spoiled
    assert honest.labels == 200


def test_a_threshold_keeps_false_positives_at_the_target_on_labels_held_out():
    result = only(*fit(label_set(overconfident(600)), "main", rubric(), Demands(false_positive_rates=(0.1, 0.001))))
    (threshold,) = result.fitted.thresholds  # 0.1 % needs a thousand negatives
    assert threshold.false_positive_rate <= 0.1
    assert threshold.true_positive_rate > threshold.false_positive_rate
    assert 0.5 < threshold.value < 1
    assert result.fitted.threshold() == threshold.value


def test_abstentions_and_items_without_people_take_no_part():
    labels = [label for label in overconfident() if not (label.role == "human" and label.item == "i0")]
    labels = [
        label.model_copy(update={"label": None, "status": "abstained", "probability": None})
        if label.role == "judge" and label.item == "i1"
        else label
        for label in labels
    ]
    assert only(*fit(label_set(labels), "main", rubric())).labels == 2 * 298


def test_the_same_labels_give_the_same_artefact():
    labels, judged = label_set(overconfident()), rubric()
    first, second = (
        map_set(fit(labels, "main", judged), judge="main", fingerprint="f", rubric=judged, labels=labels)
        for _ in range(2)
    )
    assert first.id == second.id


@pytest.mark.parametrize(
    ("labelled", "judged", "said"),
    [
        (["c0", "c9"], ["c0"], r"labels for c9, which medical/test@1\.0\.0 does not have"),
        (["c0"], ["c0", "c1"], r"no labels for c1"),
        (["c9"], ["c0"], r"labels for c9.*no labels for c0"),
    ],
)
def test_criteria_that_only_one_side_has_are_named(labelled, judged, said):
    labels = [label for name in labelled for label in overconfident(4, name)]
    with pytest.raises(BadInput, match=said):
        fit(label_set(labels, *map(binary, labelled)), "main", rubric(*judged))


def test_what_both_have_is_enough_where_that_is_said():
    labels = [*overconfident(300, "c0"), *overconfident(4, "c9")]
    results = fit(label_set(labels, binary("c0"), binary("c9")), "main", rubric("c0", "c1"), partial=True)
    assert [result.criterion for result in results] == ["c0"]


def test_a_judge_that_the_file_does_not_have_is_named_with_those_it_has():
    with pytest.raises(BadInput, match="no judge 'other'; its judges: main"):
        fit(label_set(overconfident(4)), "other", rubric())


def test_classes_that_are_not_the_options_are_refused():
    options = [{"label": name, "value": value} for name, value in (("a", 0), ("b", 0.5), ("c", 1))]
    judged = rubric(criteria=[{"id": "c0", "kind": "scale", "statement": "How good?", "options": options}])
    with pytest.raises(BadInput, match="classes no, yes are not its options a, b, c"):
        fit(label_set(overconfident(4)), "main", judged)


def test_the_judges_rows_are_known_again_whoever_else_stands_in_the_file():
    labels = list(overconfident(20))
    more = [*reversed(labels), Label(item="i0", criterion="c0", annotator="h9", role="human", label=NO, cluster="p0")]
    other = [label.model_copy(update={"probability": 0.5}) if label.role == "judge" else label for label in labels]
    assert rows_digest(label_set(labels), "main") == rows_digest(label_set(more), "main")
    assert rows_digest(label_set(labels), "main") != rows_digest(label_set(other), "main")


def test_llm_rubric_a_curve_lowers_brier_score_and_calibration_error_of_a_real_judge(capsys):
    labels = []
    for row in rows_of("llmrubric_q0.csv"):
        common = {"item": row["text_id"], "criterion": "q0", "cluster": row["text_id"]}
        shares = {str(step): float(row[f"answer{step}_prob"]) for step in range(1, 5)}
        likeliest = max(shares, key=shares.__getitem__)
        labels.append(Label(annotator=row["annotator_id"], role="human", label=row["Q0"], **common))
        labels.append(Label(annotator="llm", role="judge", label=likeliest, probabilities=shares, **common))
    scale = CriterionScale(criterion="q0", kind="ordinal", classes=("1", "2", "3", "4"))
    options = [{"label": str(step), "value": (step - 1) / 3} for step in range(1, 5)]
    judged = rubric(criteria=[{"id": "q0", "kind": "scale", "statement": "How good is it?", "options": options}])
    result = only(*fit(label_set(labels, scale), "llm", judged))
    assert result.brier == pytest.approx((0.918676 / 3) ** 2, abs=1e-6)  # the published error of the raw judge
    for trial in result.trials:
        assert trial.brier < result.brier - 0.02
        assert trial.ece < result.ece / 4
