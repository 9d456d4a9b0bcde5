"""All monitors over one series: what each found."""

from collections.abc import Sequence
from typing import Final, get_args

from judge_server.core.monitor import Finding, MonitorLimits, MonitorName, Series
from judge_server.monitoring.auditing import audit_bias, audit_disagreement
from judge_server.monitoring.criteria import criterion_drift, criterion_saturation
from judge_server.monitoring.deciding import Frame
from judge_server.monitoring.length import length_growth, reward_length
from judge_server.monitoring.outcomes import abstention, failure, flags, zero_variance
from judge_server.monitoring.vocabulary import vocabulary
from judge_server.store.observation import Audited, Windows

MONITORS: Final[tuple[MonitorName, ...]] = get_args(MonitorName)
_OVER_ALL: Final = (reward_length, length_growth, zero_variance, abstention, failure, flags, vocabulary)
_OF_A_RUBRIC: Final = (criterion_drift, criterion_saturation)


def look(
    series: Series, windows: Windows, audits: Sequence[Sequence[Audited]], limits: MonitorLimits
) -> tuple[Finding, ...]:
    """A finding or more of each monitor. The probability of any false change in the series is at most
    ``limits.false_alarms``, shared equally among the monitors, and within each by Holm's method. Criteria are looked
    at where the series is of one rubric."""
    monitors = _OVER_ALL if series.rubric is None else (*_OVER_ALL, *_OF_A_RUBRIC)
    found: list[Finding] = []
    for monitor in monitors:
        frame = _frame(monitor.__name__, series, limits, limits.least)
        found += monitor(frame, windows, limits)
    for comparison in (audit_disagreement, audit_bias):
        frame = _frame(comparison.__name__, series, limits, limits.least_audits)
        found += comparison(frame, audits, limits)
    return tuple(found)


def _frame(name: str, series: Series, limits: MonitorLimits, least: int) -> Frame:
    monitor = next(one for one in MONITORS if one == name)
    return Frame(monitor, series, limits.false_alarms / len(MONITORS), least, limits.least_clusters)
