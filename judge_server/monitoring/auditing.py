"""The training judge against an audit judge of another family, on a random sample."""

from collections.abc import Sequence

from judge_server.core.monitor import Finding, MonitorLimits, State
from judge_server.monitoring.clustered import Estimate, Sample, sample
from judge_server.monitoring.deciding import Frame, Rule, watched
from judge_server.store.observation import Audited


def audit_disagreement(frame: Frame, pairs: Sequence[Sequence[Audited]], limits: MonitorLimits) -> list[Finding]:
    """The share of criteria that one judge says is met and the other not."""
    before, after = (
        sample([one.disagreed for one in rows], [one.cluster for one in rows], [one.compared for one in rows])
        for rows in pairs
    )
    rule = Rule(rise=limits.disagreement_rise, above=limits.disagreement)
    return watched(frame, rule, {None: (before, after)}, "Audited judgments", _disagree)


def audit_bias(frame: Frame, pairs: Sequence[Sequence[Audited]], limits: MonitorLimits) -> list[Finding]:
    """How much better the training judge thinks of responses than the audit judge, and whether that grows."""
    before, after = (_differences(rows) for rows in pairs)
    rule = Rule(rise=limits.bias_rise, fall=limits.bias_rise, above=limits.bias, bounded=False)
    return watched(frame, rule, {None: (before, after)}, "Audited judgments", _biased)


def _differences(rows: Sequence[Audited]) -> Sample:
    return sample([one.difference for one in rows], [one.cluster for one in rows])


def _disagree(now: Estimate, before: float | None, state: State) -> str:
    text = f"The judges disagree on {now.value:.1%} of criteria ({before or 0.0:.1%} before)."
    if state == "alarm":
        text += (
            " One of them is wrong more often than it was: draw a queue (judge-server monitor queue draw), let people "
            "label what the judges disagree on, and measure both."
        )
    return text


def _biased(now: Estimate, before: float | None, state: State) -> str:
    text = f"The training judge is kinder than the audit judge by {now.value:+.3f} of a criterion"
    text += f" ({before or 0.0:+.3f} before)."
    if state == "alarm":
        text += (
            " The policy learns what this judge likes, not what is better: stop and read what was rewarded, or train "
            "with the audit judge, or with a panel of the two."
        )
    return text
