"""The metrics of a scale, the evidence that each reads, and the reason why others have no value."""

from dataclasses import replace
from functools import partial

from judge_server.agreement.array import Floats
from judge_server.agreement.classification import classification_metrics, f1_balanced, total
from judge_server.agreement.contingency import as_coincidences, as_item_coincidences, not_commonest, of_any_judge
from judge_server.agreement.kappa import FLEISS_KAPPA, RAW_AGREEMENT, cohen_metrics, gwet_metrics
from judge_server.agreement.krippendorff import krippendorff_metrics
from judge_server.agreement.metric import Estimate, Metric, Value
from judge_server.agreement.scale import LabelScale

ORDERED = (
    "cohen_kappa_linear", "cohen_kappa_quadratic", "krippendorff_alpha_ordinal", "krippendorff_alpha_interval",
    "gwet_ac2_linear", "gwet_ac2_quadratic", "icc", "pearson", "spearman", "kendall_tau_b", "rmse", "mae",
)  # fmt: skip
PER_ITEM = ("pearson_per_item", "spearman_per_item", "kendall_tau_b_per_item")
LABELLED = (
    "accuracy", "balanced_accuracy", "f1_macro", "f1_pairwise_balanced", "false_positive_rate", "youden_j",
    "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic", "fleiss_kappa", "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal", "gwet_ac1", "gwet_ac2_linear", "gwet_ac2_quadratic", "raw_agreement",
)  # fmt: skip
POSITIVE = ("false_positive_rate", "youden_j")
DOUBTED_LABELS = 10.0  # with so many rare labels, half as many may be expected in general
PROBABILITY = ("brier", "ece", "calibration_error", "auc", "calibration_intercept", "calibration_slope")


def table_metrics(scale: LabelScale) -> list[Metric]:
    """All metrics of a two-rater table (replicates, labels, labels)."""
    found = [
        *classification_metrics(scale),
        *cohen_metrics(scale),
        RAW_AGREEMENT.over(as_item_coincidences),
        needs_rarer(FLEISS_KAPPA.over(as_item_coincidences)),
        *(metric.over(as_item_coincidences) for metric in gwet_metrics(scale)),
        *(needs_rarer(metric.over(as_coincidences)) for metric in krippendorff_metrics(scale)),
    ]
    return [with_range(metric) for metric in found]


def with_range(metric: Metric) -> Metric:
    if metric.expected is None:
        return metric
    return replace(metric, expected_range=partial(expected_range, expected=metric.expected))


def expected_range(table: Floats, expected: Value) -> tuple[float, float]:
    """The smallest is reduced if few reference labels are rare, because they may be rarer in general."""
    found, rare = expected(of_any_judge(table)), float(not_commonest(table)[0])
    return float(found.min()) * rare / (rare + DOUBTED_LABELS), float(found.max())


def needs_rarer(metric: Metric) -> Metric:
    """Without an interval if the reference has too few labels other than the most common one: the chance disagreement
    then rests on them (simulated with 2 % of positives, correlated by .6: .875 of the intervals held the truth)."""
    return replace(metric, rarer=not_commonest)


def multi_rater_metrics(scale: LabelScale) -> list[Metric]:
    """All metrics of ``item_coincidences``."""
    return [RAW_AGREEMENT, FLEISS_KAPPA, *gwet_metrics(scale)]


def pairwise_metrics(scale: LabelScale) -> list[Metric]:
    """The table's metrics over pairs of ratings, and HealthBench's balanced F1."""
    balanced = Metric(
        "f1_pairwise_balanced", f1_balanced, "a label of the scale was given by neither side", "bounded", trials=total
    )
    return [*pairwise(table_metrics(scale)), balanced]


def pairwise(metrics: list[Metric]) -> list[Metric]:
    return [metric.renamed(f"{metric.name}_pairwise") for metric in metrics]


def absent(scale: LabelScale, found: dict[str, Estimate], *, scores: bool = False) -> dict[str, Estimate]:
    """``found`` with a reason for each named metric that is not available for this scale or judge."""
    reasons = dict.fromkeys(PROBABILITY, "the judge gave no probabilities of a named positive label")
    reasons |= dict.fromkeys((*ORDERED, *PER_ITEM), "the labels are names without an order")
    reasons |= dict.fromkeys(POSITIVE, "the positive label is not named")
    if scores:
        reasons |= dict.fromkeys(LABELLED, "the judge gives scores, not labels of the humans' scale")
    elif not scale.has_tables:
        reasons |= dict.fromkeys(LABELLED, f"{scale.size} different values: a measurement, not a choice among labels")
    return found | {name: Estimate(note=reason) for name, reason in reasons.items() if name not in found}
