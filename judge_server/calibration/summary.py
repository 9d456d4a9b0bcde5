"""The summary figures stored with a calibration."""

from typing import Any

from judge_server.agreement.metric import Estimate
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.headline import ceiling, estimates, headline_metric, missing
from judge_server.calibration.panels import View, pooled, views
from judge_server.calibration.readings import readings
from judge_server.calibration.reward_error import reward_error
from judge_server.labels.label_set import LabelSet

_ALWAYS = ("accuracy", "balanced_accuracy", "false_positive_rate", "youden_j", "brier", "ece")


def summary_of(labels: LabelSet, judge: str) -> dict[str, Any]:
    """``overall`` (absent if criteria have different scales) and ``criteria``: metrics by name, each with its interval,
    and ``human_ceiling`` with the judge's ``gap``, if two people rated the same items. ``reward``: how wrong the reward
    of the labels' rubric is."""
    labels = readings(labels).judged
    together = pooled(labels)
    overall = {"overall": _figures(together[0], judge)} if len(together) == 1 else {}
    rewards = None if labels.rubric is None else reward_error(labels, judge, labels.rubric)
    return {
        **overall,
        "criteria": {view.criteria[0]: _figures(view, judge) for view in views(labels)},
        **({} if rewards is None else {"reward": rewards.model_dump(mode="json") | {"text": rewards.sentence}}),
    }


def _figures(view: View, judge: str) -> dict[str, Any]:
    if judge not in view.panel.judges:
        return {}
    resampling, name = Resampling(), headline_metric(view)
    found = estimates(view, judge, {name, *_ALWAYS}, resampling)
    rated, silent = missing(view.panel, judge)
    shown: dict[str, Any] = {"headline": name, "items": rated, "missing": silent}
    shown |= {metric: _plain(one) for metric, one in found.items() if one.value is not None or metric == name}
    people = ceiling(view, judge, name, resampling)
    if people is not None:
        shown |= {"human_ceiling": _plain(people.humans), "gap": _plain(people.gap)}
    return shown


def _plain(estimate: Estimate) -> dict[str, Any]:
    return estimate.model_dump(mode="json", exclude_none=True)
