"""What becomes of judgments as a whole: groups without a difference, failures, abstentions, flags."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from judge_server.core.monitor import Finding, MonitorLimits, State
from judge_server.monitoring.clustered import Estimate, Sample, sample
from judge_server.monitoring.deciding import Frame, Rule, Words, watched
from judge_server.store.observation import Observed, Windows

_SAME = 1e-9
_Holds = Callable[[Observed], bool]


def zero_variance(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """The share of groups whose rewards are all equal: such a group has no advantage, and teaches nothing."""
    own = Frame(frame.monitor, frame.series, frame.level, frame.least_clusters, frame.least_clusters)
    rule = Rule(rise=limits.zero_variance_rise, above=limits.zero_variance)
    samples: dict[str | None, tuple[Sample, Sample]] = {None: (_groups(windows.baseline), _groups(windows.recent))}
    advice = (
        " Their rollouts teach nothing: pick prompts of middling difficulty, or criteria that tell their responses "
        "apart; rewards that became equal can also be one trick that all rollouts have learnt."
    )
    return watched(
        own, rule, samples, "Groups of at least two rewards", _rate("groups have rewards that are all equal", advice)
    )


def abstention(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """The share of verdicts asked of the judge that it abstained from or gave unreadably."""
    before, after = (
        sample([one.unsure for one in rows], [one.cluster for one in rows], [one.asked for one in rows])
        for rows in ([one for one in part if one.asked] for part in (windows.baseline, windows.recent))
    )
    rule = Rule(rise=limits.abstention_rise, above=limits.abstention)
    advice = (
        " The judge no longer knows what to say: look for hostile or unreadable responses, criteria it cannot judge, "
        "or an engine whose template or limits changed."
    )
    return watched(frame, rule, {None: (before, after)}, "Asked verdicts", _rate("verdicts are abstentions", advice))


def failure(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """The share of judgments without a reward."""
    rule = Rule(rise=limits.failure_rise, above=limits.failure)
    advice = (
        " See judge_server_failures_total by type: the judge's addresses, deadlines, and context length come first."
    )
    return watched(frame, rule, {None: _pair(windows, _failed)}, "Judgments", _rate("judgments have no reward", advice))


def flags(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """The share of judgments with each flag."""
    rule = Rule(rise=limits.flags_rise, above=limits.flags)
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
    equal = [float(max(values) - min(values) <= _SAME) for values in whole.values()]
    return sample(equal, [clusters[group] for group in whole])


def _rate(what: str, advice: str) -> Words:
    def words(now: Estimate, before: float | None, state: State) -> str:
        text = f"{now.value:.1%} of the {what} ({before or 0.0:.1%} before)."
        return text + advice if state == "alarm" else text

    return words
