"""The judge as a classifier of the reference: accuracy, F1, false positives.

All read a (replicates, labels, labels) confusion matrix, reference in the rows. Definitions as in scikit-learn's
metrics; false-positive rate and J: Youden (1950), Cancer 3:32. Balanced F1 over pairs: HealthBench (Arora et al.
2025, meta-evaluation).
"""

from dataclasses import replace
from functools import partial

import numpy as np

from judge_server.agreement.array import Floats, floats, ratio, where_defined
from judge_server.agreement.contingency import diagonal, margins
from judge_server.agreement.metric import Metric
from judge_server.agreement.scale import LabelScale

ONE_CLASS = "the reference holds a single label"


def accuracy(table: Floats) -> Floats:
    return ratio(diagonal(table).sum(axis=-1), table.sum(axis=(-2, -1)))


def recalls(table: Floats) -> Floats:
    """(replicates, labels); nan for a label the reference lacks."""
    return ratio(diagonal(table), table.sum(axis=-1))


def precisions(table: Floats) -> Floats:
    """(replicates, labels); nan for a label the judge never gave."""
    return ratio(diagonal(table), table.sum(axis=-2))


def f1_scores(table: Floats) -> Floats:
    """(replicates, labels); nan for a label that neither side gave."""
    rows, columns, _ = margins(table)
    return ratio(2 * diagonal(table), rows + columns)


def mean_of_defined(values: Floats, at_least: int = 2) -> Floats:
    """Mean over the last axis without nan; nan where fewer than ``at_least`` are defined."""
    present = np.isfinite(values)
    count = present.sum(axis=-1)
    return where_defined(ratio(np.where(present, values, 0).sum(axis=-1), count), count >= at_least)


def balanced_accuracy(table: Floats) -> Floats:
    return mean_of_defined(recalls(table))


def f1_macro(table: Floats) -> Floats:
    """Mean F1 over the labels that at least one side used."""
    return mean_of_defined(f1_scores(table))


def f1_balanced(table: Floats) -> Floats:
    """Mean F1 over all labels of the scale; undefined unless each was used by at least one side."""
    return mean_of_defined(f1_scores(table), at_least=table.shape[-1])


def false_positive_rate(table: Floats, positive: int) -> Floats:
    rows, columns, total = margins(table)
    return ratio(columns[:, positive] - table[:, positive, positive], total - rows[:, positive])


def youden_j(table: Floats, positive: int) -> Floats:
    return recalls(table)[:, positive] - false_positive_rate(table, positive)


def negatives(table: Floats, positive: int) -> Floats:
    rows, _, total = margins(table)
    return total - rows[:, positive]


def total(table: Floats) -> Floats:
    return floats(table.sum(axis=(-2, -1)))


def classification_metrics(scale: LabelScale) -> list[Metric]:
    """Every classifier metric of a scale; the false-positive rate and J only if a positive label is named."""
    single = [label_metrics(code, label) for code, label in enumerate(scale.labels)]
    recall, f1 = (tuple((1.0, own[place]) for own in single) for place in (1, 2))
    metrics = [
        Metric("accuracy", accuracy, "no item was rated by both sides", "proportion", trials=total),
        Metric("balanced_accuracy", balanced_accuracy, ONE_CLASS, "bounded", trials=total, parts=recall),
        Metric("f1_macro", f1_macro, "both sides gave a single label", "bounded", trials=total, parts=f1),
    ]
    if (positive := scale.positive_code) is not None:
        none = f"no item of the reference is anything but {scale.positive!r}"
        rate = Metric(
            "false_positive_rate",
            partial(false_positive_rate, positive=positive),
            none,
            "proportion",
            trials=partial(negatives, positive=positive),
        )
        sensitivity = single[positive][1]
        youden = partial(youden_j, positive=positive)
        metrics += [rate, Metric("youden_j", youden, ONE_CLASS, parts=((1.0, sensitivity), (-1.0, rate)))]
        metrics += [sensitivity.renamed("sensitivity"), specificity(rate)]
    return metrics + [metric for own in single for metric in own]


def specificity(rate: Metric) -> Metric:
    """Specificity: the share of negatives that the judge calls negative, 1 − false-positive rate."""
    return replace(rate, name="specificity", value=lambda table: 1 - rate.value(table))


def label_metrics(code: int, label: str) -> list[Metric]:
    return [
        Metric(
            f"precision[{label}]",
            lambda t: precisions(t)[:, code],
            f"the judge never gave {label!r}",
            "proportion",
            trials=lambda t: t[:, :, code].sum(axis=-1),
        ),
        Metric(
            f"recall[{label}]",
            lambda t: recalls(t)[:, code],
            f"the reference lacks {label!r}",
            "proportion",
            trials=lambda t: t[:, code].sum(axis=-1),
        ),
        f1_metric(code, label),
    ]


def f1_metric(code: int, label: str) -> Metric:
    """F1 = 2J / (1 + J), where J is the share of the items with this label on either side that have it on both
    (Jaccard 1912, New Phytol. 11:37)."""

    def either(table: Floats) -> Floats:
        return floats(table[:, code].sum(axis=-1) + table[:, :, code].sum(axis=-1) - table[:, code, code])

    none = f"neither side gave {label!r}"
    shared = Metric(
        f"jaccard[{label}]", lambda t: ratio(t[:, code, code], either(t)), none, "proportion", trials=either
    )
    return Metric(
        f"f1[{label}]",
        lambda t: f1_scores(t)[:, code],
        none,
        "bounded",
        trials=total,
        base=shared,
        increasing=lambda share: 2 * share / (1 + share),
    )
