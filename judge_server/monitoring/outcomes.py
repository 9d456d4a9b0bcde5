"""Monitors of whole judgments: groups with equal rewards, failures, abstentions, flags, and audits by a second
judge."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from judge_server.core.monitor import MonitorFinding, MonitorLimits, State
from judge_server.core.run import equal_rewards
from judge_server.monitoring.clustered import MeanEstimate, Sample, sample
from judge_server.monitoring.deciding import AlarmRule, Frame, Words, watched
from judge_server.store.observation import Audited, Observed, Windows

_Holds = Callable[[Observed], bool]


def zero_variance(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """The share of groups whose rewards are all equal: such a group has no advantage and no training signal."""
    own = Frame(frame.monitor, frame.series, frame.level, frame.least_clusters, frame.least_clusters)
    rule = AlarmRule(rise=limits.zero_variance_rise, above=limits.zero_variance)
    samples: dict[str | None, tuple[Sample, Sample]] = {None: (_groups(windows.baseline), _groups(windows.recent))}
    advice = (
        " Their rollouts teach nothing: pick prompts of middling difficulty, or criteria that tell their responses "
        "apart; rewards that became equal can also be one trick that all rollouts have learnt."
    )
    return watched(
        own, rule, samples, "Groups of at least two rewards", _rate("groups have rewards that are all equal", advice)
    )


def abstention(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """The share of verdicts by the judge that are abstentions or unreadable."""
    before, after = (
        sample([one.unsure for one in rows], [one.cluster for one in rows], [one.asked for one in rows])
        for rows in ([one for one in part if one.asked] for part in (windows.baseline, windows.recent))
    )
    rule = AlarmRule(rise=limits.abstention_rise, above=limits.abstention)
    advice = (
        " The judge no longer knows what to say: look for hostile or unreadable responses, criteria it cannot judge, "
        "or an engine whose template or limits changed."
    )
    return watched(frame, rule, {None: (before, after)}, "Asked verdicts", _rate("verdicts are abstentions", advice))


def failure(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """The share of judgments without a reward."""
    rule = AlarmRule(rise=limits.failure_rise, above=limits.failure)
    advice = (
        " See judge_server_failures_total by type: the judge's addresses, deadlines, and context length come first."
    )
    return watched(frame, rule, {None: _pair(windows, _failed)}, "Judgments", _rate("judgments have no reward", advice))


def flags(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """The share of judgments with each flag."""
    rule = AlarmRule(rise=limits.flags_rise, above=limits.flags)
    kinds = sorted({flag for one in (*windows.baseline, *windows.recent) for flag in one.flags})
    advice = " Read the flagged responses (judge-server monitor queue draw): the policy may have found a way in."
    samples: dict[str | None, tuple[Sample, Sample]] = {kind: _pair(windows, partial(_flagged, kind)) for kind in kinds}
    if not kinds:
        samples[None] = _pair(windows, partial(_flagged, ""))
    return watched(frame, rule, samples, "Judgments", _rate("judgments carry the flag", advice))


def _pair(windows: Windows, holds: _Holds) -> tuple[Sample, Sample]:
    before, after = (
        sample([float(holds(one)) for one in rows], [one.cluster for one in rows])
        for rows in (windows.baseline, windows.recent)
    )
    return before, after


def _failed(one: Observed) -> bool:
    return one.failed


def _flagged(kind: str, one: Observed) -> bool:
    return kind in one.flags


def _groups(rows: Sequence[Observed]) -> Sample:
    rewards: dict[str, list[float]] = defaultdict(list)
    clusters: dict[str, str] = {}
    for one in rows:
        if one.group is not None and one.reward is not None:
            rewards[one.group].append(one.reward)
            clusters[one.group] = one.cluster
    whole = {group: values for group, values in rewards.items() if len(values) > 1}
    equal = [float(equal_rewards(min(values), max(values))) for values in whole.values()]
    return sample(equal, [clusters[group] for group in whole])


def _rate(what: str, advice: str) -> Words:
    def words(now: MeanEstimate, before: float | None, state: State) -> str:
        text = f"{now.value:.1%} of the {what} ({before or 0.0:.1%} before)."
        return text + advice if state == "alarm" else text

    return words


def audit_disagreement(frame: Frame, pairs: Sequence[Sequence[Audited]], limits: MonitorLimits) -> list[MonitorFinding]:
    """The share of criteria on which the two judges disagree."""
    before, after = (
        sample([one.disagreed for one in rows], [one.cluster for one in rows], [one.compared for one in rows])
        for rows in pairs
    )
    rule = AlarmRule(rise=limits.disagreement_rise, above=limits.disagreement)
    return watched(frame, rule, {None: (before, after)}, "Audited judgments", _disagree)


def audit_bias(frame: Frame, pairs: Sequence[Sequence[Audited]], limits: MonitorLimits) -> list[MonitorFinding]:
    """How much more generous the training judge is than the audit judge, and whether that grows."""
    before, after = (_differences(rows) for rows in pairs)
    rule = AlarmRule(rise=limits.bias_rise, fall=limits.bias_rise, above=limits.bias, bounded=False)
    return watched(frame, rule, {None: (before, after)}, "Audited judgments", _biased)


def _differences(rows: Sequence[Audited]) -> Sample:
    return sample([one.difference for one in rows], [one.cluster for one in rows])


def _disagree(now: MeanEstimate, before: float | None, state: State) -> str:
    text = f"The judges disagree on {now.value:.1%} of criteria ({before or 0.0:.1%} before)."
    if state == "alarm":
        text += (
            " One of them is wrong more often than it was: draw a queue (judge-server monitor queue draw), let people "
            "label what the judges disagree on, and measure both."
        )
    return text


def _biased(now: MeanEstimate, before: float | None, state: State) -> str:
    text = f"The training judge is kinder than the audit judge by {now.value:+.3f} of a criterion"
    text += f" ({before or 0.0:+.3f} before)."
    if state == "alarm":
        text += (
            " The policy learns what this judge likes, not what is better: stop and read what was rewarded, or train "
            "with the audit judge, or with a panel of the two."
        )
    return text
