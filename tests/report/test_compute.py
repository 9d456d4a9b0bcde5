import statistics

import pytest

from judge_server.agreement.judge import Measurement
from judge_server.agreement.resampling import Resampling
from judge_server.core.errors import BadInput
from judge_server.labels.label import CriterionScale
from judge_server.report.compute import ReportContent, compute
from tests.report.build import kqa, label, label_set, llm_rubric, panel_of, ttcw

FEW = ReportContent(measurement=Measurement(resampling=Resampling(replicates=100)))


def binary(items: int = 60):
    truth = ["yes" if place % 2 else "no" for place in range(items)]
    noisy = [("no" if said == "yes" else "yes") if place % 9 == 0 else said for place, said in enumerate(truth)]
    wrong = [("no" if said == "yes" else "yes") if place % 3 == 0 else said for place, said in enumerate(truth)]
    return {"h1": truth, "h2": noisy, "h3": truth, "j": wrong}


def test_the_report_has_metrics_of_people_and_judges_with_interval_n_and_clusters():
    report = compute(label_set(panel_of(binary())), FEW)
    found = report.judges["j"].overall["cohen_kappa"]
    assert found.low < found.value < found.high
    assert (found.n, found.clusters) == (60, 60)
    assert report.humans.overall["fleiss_kappa"].value > report.judges["j"].overall["fleiss_kappa"].value
    assert report.judges["j"].criteria["c"] == report.judges["j"].overall


def test_the_verdict_says_by_how_much_a_judge_misses_the_people():
    verdict = compute(label_set(panel_of(binary(180))), FEW).verdicts["j"]
    assert verdict.standing == "short"
    assert verdict.gap.high < 0
    assert "falls short of people by" in verdict.text


def test_the_gap_is_the_difference_of_the_pairwise_metrics():
    report = compute(label_set(panel_of(binary())), FEW)
    name = report.verdicts["j"].metric
    difference = report.judges["j"].overall[name].value - report.humans.overall[name].value
    assert report.judges["j"].gap["c"].value == pytest.approx(difference)


def test_too_few_prompts_are_not_enough_evidence_and_the_number_needed_is_said():
    verdict = compute(label_set(panel_of(binary(12))), FEW).verdicts["j"]
    assert verdict.standing == "unknown"
    assert verdict.needed == 20
    assert "Not enough evidence" in verdict.text


def test_one_person_leaves_agreement_among_people_undefined_and_the_rest_reported():
    rows = binary()
    report = compute(label_set(panel_of({"h1": rows["h1"], "j": rows["j"]})), FEW)
    assert report.humans.overall["fleiss_kappa"].value is None
    assert "two humans" in report.humans.overall["fleiss_kappa"].note
    assert report.judges["j"].overall["cohen_kappa"].value is not None
    assert report.verdicts["j"].standing == "alone"
    assert any("One person" in warning for warning in report.warnings)


def test_a_constant_judge_has_no_kappa_and_the_reason_is_said():
    rows = binary()
    report = compute(label_set(panel_of({**rows, "j": ["yes"] * 60})), FEW)
    kappa = report.judges["j"].overall["cohen_kappa"]
    assert kappa.value is None
    assert "single label" in kappa.note
    assert "no verdict on j" in report.verdicts["j"].text


def test_abstentions_and_invalid_labels_are_counted_and_never_labels():
    rows = [*panel_of({**binary(), "j": [None, *binary()["j"][1:]]})]
    rows.append(label("i60", "j", "judge", None, status="invalid", written="I cannot say", cluster="p60"))
    rows.append(label("i60", "h1", "human", "no", cluster="p60"))
    counts = compute(label_set(rows), FEW).judges["j"].details["c"].counts
    assert (counts.rows, counts.usable, counts.abstained, counts.invalid) == (61, 59, 1, 1)
    assert counts.coverage == pytest.approx(59 / 61)


def test_criteria_on_one_scale_are_pooled_and_mixed_scales_are_not():
    pooled = compute(label_set([*panel_of(binary(), "a"), *panel_of(binary(), "b")]), FEW)
    assert pooled.judges["j"].overall["cohen_kappa"].n == 120
    assert pooled.judges["j"].overall["cohen_kappa"].clusters == 60
    steps = {name: [str(1 + place % 5) for place in range(60)] for name in ("h1", "h2", "j")}
    mixed = compute(label_set([*panel_of(binary(), "a"), *panel_of(steps, "b")]), FEW)
    assert mixed.judges["j"].overall["cohen_kappa"].value is None
    assert "2 scales" in mixed.judges["j"].overall["cohen_kappa"].note
    assert len(mixed.judges["j"].scales) == 2
    assert mixed.judges["j"].criteria["b"]["cohen_kappa_quadratic"].value == pytest.approx(1)


def test_a_scale_that_was_not_used_to_its_end_is_pooled_with_the_longer_one():
    long = {name: [str(1 + place % 5) for place in range(60)] for name in ("h1", "h2", "j")}
    short = {name: [str(2 + place % 3) for place in range(60)] for name in ("h1", "h2", "j")}
    report = compute(label_set([*panel_of(long, "a"), *panel_of(short, "b")]), FEW)
    assert report.judges["j"].overall["krippendorff_alpha_ordinal"].n == 120


def test_a_judge_who_rated_one_criterion_only_is_reported_on_it_when_it_is_named():
    rows = binary()
    people = {name: rows[name] for name in ("h1", "h2")}
    labels = label_set([*panel_of(rows, "a"), *panel_of(people, "b")])
    with pytest.raises(BadInput, match="j was never asked 1 of the labelled criteria: 'b'"):
        compute(labels, FEW)
    report = compute(labels, ReportContent(measurement=FEW.measurement, criteria=("a",)))
    assert set(report.judges["j"].criteria) == set(report.humans.criteria) == {"a"}


def test_three_classes_and_missing_cells_are_measured():
    said = ["a", "b", "c"] * 20
    rows = {"h1": [*said[:30], *["-"] * 30], "h2": [*["-"] * 20, *said[20:]], "j": said}
    report = compute(label_set(panel_of(rows)), FEW)
    assert report.humans.overall["krippendorff_alpha_nominal"].n == 10
    assert report.judges["j"].overall["f1_macro"].value == pytest.approx(1)
    assert len(report.judges["j"].details["c"].confusion) == 3


def test_unordered_labels_have_no_weighted_kappa_and_ordered_ones_do():
    said = ["poor", "fair", "good"] * 20
    rows = {"h1": said, "h2": said, "j": ["fair", *said[1:]]}
    names = compute(label_set(panel_of(rows)), FEW).judges["j"].overall
    scale = CriterionScale(criterion="c", kind="ordinal", classes=("poor", "fair", "good"))
    steps = compute(label_set(panel_of(rows), scales=(scale,)), FEW).judges["j"].overall
    assert names["cohen_kappa_quadratic"].value is None
    assert steps["cohen_kappa_quadratic"].value == pytest.approx(0.98, abs=0.02)


def test_scores_of_a_judge_between_the_steps_have_errors_and_correlations():
    steps = [str(1 + place % 4) for place in range(60)]
    scores = [f"{float(step) + 0.25}" for step in steps]
    report = compute(label_set(panel_of({"h1": steps, "h2": steps, "j": scores})), FEW)
    found = report.judges["j"].overall
    assert found["rmse"].value == pytest.approx(0.25)
    assert found["pearson"].value == pytest.approx(1)


def test_the_judge_is_given_with_each_person_and_each_person_against_the_others():
    report = compute(label_set(panel_of(binary())), FEW)
    assert set(report.judges["j"].annotators) == {"h1", "h2", "h3"}
    assert set(report.humans.annotators) == {"h1", "h2", "h3"}


def test_only_wished_judges_and_criteria_are_measured():
    rows = binary()
    labels = label_set([*panel_of({**rows, "jj": rows["j"]}, "a"), *panel_of(rows, "b")])
    report = compute(labels, ReportContent(judges=("jj",), criteria=("a",), measurement=FEW.measurement))
    assert set(report.judges) == {"jj"}
    assert set(report.humans.criteria) == {"a"}
    with pytest.raises(BadInput, match="no judge 'nobody'"):
        compute(labels, ReportContent(judges=("nobody",)))


def test_labels_without_a_human_are_refused():
    with pytest.raises(BadInput, match="no labels by people to measure a judge against"):
        compute(label_set(panel_of({"j": ["yes", "no"]})))


def test_the_same_labels_give_the_same_report():
    labels = label_set(panel_of(binary()))
    assert compute(labels, FEW) == compute(labels, FEW)


def test_k_qa_physicians_agree_as_published():
    report = compute(kqa(), FEW)
    assert report.humans.overall["fleiss_kappa"].value == pytest.approx(0.7189, abs=5e-5)
    assert report.humans.overall["fleiss_kappa"].clusters == 50


def test_ttcw_experts_agree_as_published_and_every_judge_falls_short():
    report = compute(ttcw(), FEW)
    kappas = [found["fleiss_kappa"].value for found in report.humans.criteria.values()]
    assert statistics.mean(kappas) == pytest.approx(0.401, abs=5e-4)
    assert len(report.verdicts) == 7
    assert {verdict.standing for verdict in report.verdicts.values()} == {"short"}
    assert all(verdict.gap.value < -0.2 for verdict in report.verdicts.values())


def test_llm_rubric_expected_scores_have_the_published_errors():
    found = compute(llm_rubric(), FEW).judges["llm"].overall
    assert found["rmse"].value == pytest.approx(0.918676, abs=1e-6)
    assert found["pearson"].value == pytest.approx(0.177301, abs=1e-6)
    assert found["spearman"].value == pytest.approx(0.086675, abs=1e-6)
    assert found["kendall_tau_b"].value == pytest.approx(0.065928, abs=1e-6)


def test_the_verdict_first_says_what_was_missed_in_counts():
    rows = {"h1": ["1"] * 11 + ["0"] * 40, "j": ["0"] * 51}
    text = compute(label_set(panel_of(rows)), FEW).verdicts["j"].text
    assert text.startswith("Of 11 that people called 1 it missed 11; of 40 that they did not, it called 0 so. ")


def test_a_criterion_on_which_people_only_abstained_is_left_out_and_named():
    silent = [label(f"i{place}", "h1", "human", None, "silent", cluster=f"p{place}") for place in range(60)]
    judged = [label(f"i{place}", "j", "judge", "yes", "silent", cluster=f"p{place}") for place in range(60)]
    report = compute(label_set([*panel_of(binary()), *silent, *judged]), FEW)
    assert set(report.judges["j"].criteria) == {"c"}
    assert "People only abstained on silent: nothing is measured there." in report.warnings
    with pytest.raises(BadInput, match="abstained on every criterion"):
        compute(label_set([*silent, *judged]), FEW)
