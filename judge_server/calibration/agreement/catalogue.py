"""Which metrics a scale has, over which evidence, and why the others have no value."""

from collections.abc import Callable

import numpy as np

from judge_server.calibration.agreement.array import Floats
from judge_server.calibration.agreement.classification import classification_metrics, f1_balanced
from judge_server.calibration.agreement.cohen import cohen_metrics
from judge_server.calibration.agreement.coincidence import as_coincidences, as_item_coincidences
from judge_server.calibration.agreement.estimate import Estimate
from judge_server.calibration.agreement.fleiss import FLEISS_KAPPA, RAW_AGREEMENT
from judge_server.calibration.agreement.gwet import gwet_metrics
from judge_server.calibration.agreement.krippendorff import krippendorff_metrics
from judge_server.calibration.agreement.metric import Metric
from judge_server.calibration.agreement.scale import Scale

ORDERED = (
    "cohen_kappa_linear", "cohen_kappa_quadratic", "krippendorff_alpha_ordinal", "krippendorff_alpha_interval",
    "gwet_ac2_linear", "gwet_ac2_quadratic", "icc", "pearson", "spearman", "kendall_tau_b", "rmse", "mae",
)  # fmt: skip
PER_ITEM = ("pearson_per_item", "spearman_per_item", "kendall_tau_b_per_item")
POSITIVE = ("false_positive_rate", "youden_j")
PROBABILITY = ("brier", "ece")


def table_metrics(scale: Scale) -> list[Metric]:
    """Everything that a table of two raters (replicates, labels, labels) gives."""
    return [
        *classification_metrics(scale),
        *cohen_metrics(scale),
        *(after(as_item_coincidences, metric) for metric in multi_rater_metrics(scale)),
        *(after(as_coincidences, metric) for metric in krippendorff_metrics(scale)),
    ]


def multi_rater_metrics(scale: Scale) -> list[Metric]:
    """What ``item_coincidences`` give."""
    return [RAW_AGREEMENT, FLEISS_KAPPA, *gwet_metrics(scale)]


def pairwise_metrics(scale: Scale) -> list[Metric]:
    """The table's metrics over pairs of ratings, and HealthBench's balanced F1."""
    balanced = Metric("f1_pairwise_balanced", f1_balanced, "a label of the scale was given by neither side")
    return [*pairwise(table_metrics(scale)), balanced]


def pairwise(metrics: list[Metric]) -> list[Metric]:
    return [metric.renamed(f"{metric.name}_pairwise") for metric in metrics]


def after(prepare: Callable[[Floats], Floats], metric: Metric) -> Metric:
    """The metric on statistics that another form of the evidence gives."""
    trials = metric.trials
    return Metric(
        metric.name,
        lambda totals: metric.value(prepare(totals)),
        metric.undefined,
        None if trials is None else lambda totals: trials(prepare(totals)),
        metric.interval,
    )


def absent(scale: Scale, found: dict[str, Estimate], reason_without_numbers: str | None = None) -> dict[str, Estimate]:
    """``found`` with a reason for each named metric that this scale or this judge cannot have."""
    without_order = reason_without_numbers or "the labels are names without an order: give the scale's order to have it"
    without_positive = "it is not said which label is the positive one"
    reasons = dict.fromkeys((*ORDERED, *PER_ITEM), without_order)
    reasons |= dict.fromkeys(POSITIVE, without_positive)
    reasons |= dict.fromkeys(PROBABILITY, "the judge gave no probabilities of a named positive label")
    return found | {name: Estimate(note=reason) for name, reason in reasons.items() if name not in found}


def complete(values: Floats) -> bool:
    return bool(np.isfinite(values).any())
