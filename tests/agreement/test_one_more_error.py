"""One more error never improves a bound that is reported: every number of misses and inventions among independent
items, for every figure of a table of two raters."""

import numpy as np
import pytest

from judge_server.agreement.catalogue import judge_metrics
from judge_server.agreement.contingency import table_of
from judge_server.agreement.discrimination import discrimination_task
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate
from judge_server.agreement.resampling import Resampling
from judge_server.agreement.scale import LabelScale

YES_NO = LabelScale.of(["no", "yes"])
Figures = dict[str, Estimate]
ROUNDING = 1e-9
WEIGHTED = ("_linear", "_quadratic", "_ordinal", "_interval", "_ratio")  # on two labels the same as without weights
FIGURES = [metric for metric in judge_metrics(YES_NO) if not metric.name.endswith(WEIGHTED)]


def figures_of(positives: int, negatives: int, missed: int, invented: int) -> Figures:
    table = table_of([[negatives - invented, invented], [missed, positives - missed]])
    return estimate(table, FIGURES, Resampling()) | area_of(positives, negatives, missed, invented)


def area_of(positives: int, negatives: int, missed: int, invented: int) -> Figures:
    """The area under the curve of a judge that is sure of itself, right or wrong."""
    outcome = np.repeat([1.0, 0.0], [positives, negatives])
    said = np.repeat([0.1, 0.9, 0.9, 0.1], [missed, positives - missed, invented, negatives - invented])
    evidence, metrics = discrimination_task(said, outcome, np.arange(len(said)))
    return estimate(evidence, metrics, Resampling())


def improvements(positives: int, negatives: int) -> list[str]:
    found = {
        (missed, invented): figures_of(positives, negatives, missed, invented)
        for missed in range(positives + 1)
        for invented in range(negatives + 1)
    }
    return [
        f"{name} with {place} and {more}: {improved}"
        for place, before in found.items()
        for more in ((place[0] + 1, place[1]), (place[0], place[1] + 1))
        for name, one in before.items()
        if more in found and (improved := better(name, one, found[more][name]))
    ]


def better(name: str, before: Estimate, after: Estimate) -> str:
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return ""
    sign = -1 if name == "false_positive_rate" else 1
    pairs = {"low": (before.low, after.low), "high": (before.high, after.high), "value": (before.value, after.value)}
    return ", ".join(f"{end} {a}, {b}" for end, (a, b) in pairs.items() if sign * (b - a) > ROUNDING)


def test_on_two_labels_weights_change_no_figure_and_no_bound():
    found = estimate(table_of([[11, 4], [6, 9]]), judge_metrics(YES_NO), Resampling())
    for name, one in found.items():
        plain = next((name.removesuffix(end) for end in WEIGHTED if name.endswith(end)), name)
        plain = {"krippendorff_alpha": "krippendorff_alpha_nominal", "gwet_ac2": "gwet_ac1"}.get(plain, plain)
        assert (one.low, one.value, one.high) == pytest.approx(
            (found[plain].low, found[plain].value, found[plain].high), abs=1e-9
        )


@pytest.mark.parametrize("positives", [5, 20])
def test_one_more_error_among_thirty_items_improves_no_figure_and_no_bound(positives):
    assert improvements(positives, 30 - positives) == []


@pytest.mark.longest
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("positives", range(5, 56))
def test_one_more_error_among_sixty_items_improves_no_figure_and_no_bound(positives):
    assert improvements(positives, 60 - positives) == []
