"""The metrics of a scale, the evidence that each reads, and the reason why others have no value."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache, partial

from judge_server.agreement.array import Floats
from judge_server.agreement.classification import classification_metrics, f1_balanced, total
from judge_server.agreement.contingency import as_coincidences, as_item_coincidences, not_commonest, of_any_judge
from judge_server.agreement.kappa import FLEISS_KAPPA, RAW_AGREEMENT, cohen_metrics, gwet_metrics
from judge_server.agreement.krippendorff import krippendorff_metrics
from judge_server.agreement.metric import Estimate, Metric, TwoLabels, Value
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
RARE_MATTERS = ("balanced_accuracy", "youden_j")  # as for κ and α, too few labels of a kind leave no interval
PROBABILITY = ("brier", "ece", "calibration_error", "auc", "calibration_intercept", "calibration_slope")


@lru_cache(maxsize=256)
def table_metrics(scale: LabelScale) -> tuple[Metric, ...]:
    """All metrics of a two-rater table (replicates, labels, labels)."""
    found = [
        *classification_metrics(scale),
        *cohen_metrics(scale),
        RAW_AGREEMENT.over(as_item_coincidences),
        needs_rarer(FLEISS_KAPPA.over(as_item_coincidences)),
        *(metric.over(as_item_coincidences) for metric in gwet_metrics(scale)),
        *(needs_rarer(metric.over(as_coincidences)) for metric in krippendorff_metrics(scale)),
    ]
    return tuple(with_range(metric) for metric in found)


@lru_cache(maxsize=256)
def judge_metrics(scale: LabelScale) -> tuple[Metric, ...]:
    """All metrics of a table of a judge and one reference label an item. ``table_metrics`` also serve several people's
    ratings of an item: if they differ, either answer of the judge is an error."""
    found = table_metrics(scale)
    return tuple(falling(metric) for metric in found) if scale.size == 2 else found


def falling(metric: Metric) -> Metric:
    """With the interval of a figure that falls with every error; the shares of correct ratings have their own."""
    if metric.shape == "proportion" and not metric.name.startswith("precision["):
        return metric
    rarer = not_commonest if metric.name in RARE_MATTERS else metric.rarer
    return replace(metric, two_labels=TwoLabels(metric.value, same), rarer=rarer)


def same(totals: Floats) -> Floats:
    return totals


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


@lru_cache(maxsize=256)
def pairwise_metrics(scale: LabelScale, *, reference: bool = False) -> tuple[Metric, ...]:
    """The table's metrics over pairs of ratings, and HealthBench's balanced F1. ``reference``: no item has two pairs,
    so that one side is the reference."""
    balanced = Metric(
        "f1_pairwise_balanced", f1_balanced, "a label of the scale was given by neither side", "bounded", trials=total
    )
    if reference and scale.size == 2:
        balanced = falling(balanced)
    return (*pairwise(judge_metrics(scale) if reference else table_metrics(scale)), balanced)


def pairwise(metrics: Iterable[Metric]) -> list[Metric]:
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
