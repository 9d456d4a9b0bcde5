"""Whether length pays: reward against length, and how lengths grow."""

from collections.abc import Sequence
from math import expm1, log, log1p, sqrt

from judge_server.core.monitor import Finding, MonitorLimits, State
from judge_server.monitoring.clustered import Estimate, probability_of_change, sample, two_sided
from judge_server.monitoring.clustered import estimate as mean_of
from judge_server.monitoring.deciding import Frame, finding
from judge_server.monitoring.rank import Correlation, correlation
from judge_server.store.observation import Observed, Windows


def reward_length(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """Spearman's correlation of reward and characters among the rollouts of a prompt, now and before."""
    before, after = ([one for one in rows if one.reward is not None] for rows in (windows.baseline, windows.recent))
    old, new = _correlated(before), _correlated(after)
    if min(len(before), len(after)) < frame.least or old is None or new is None:
        return [frame.too_little("Rewards and lengths that vary", len(after), len(before))]
    degrees = min(old.degrees, new.degrees)
    error = sqrt(old.error**2 + new.error**2)
    p = two_sided((new.value - old.value) / error, degrees) if error else float(new.value == old.value)
    grown = new.value - old.value >= limits.correlation_rise and new.value > 0
    state: State = "alarm" if grown and p <= frame.level else "ok"
    spread = 1.96 * new.error
    now = Estimate(new.value, max(new.value - spread, -1.0), min(new.value + spread, 1.0), len(after), new.blocks)
    text = f"Reward and length correlate at {new.value:+.2f} ({old.value:+.2f} before)."
    if state == "alarm":
        text += (
            " Length has begun to pay: read the longest of the highly rewarded responses, and add a criterion against "
            "padding or a length term to the rubric's aggregation."
        )
    return [finding(frame, state, now, old.value, len(before), p, text)]


def length_growth(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[Finding]:
    """The geometric mean of characters, now and before."""
    before, after = (
        sample([log1p(one.characters) for one in rows], [one.cluster for one in rows])
        for rows in (windows.baseline, windows.recent)
    )
    if not frame.enough(before, after):
        return [frame.too_little("Responses", after.n, before.n)]
    p = probability_of_change(before, after)
    changed = abs(after.mean - before.mean) >= log(limits.length_growth)
    state: State = "alarm" if changed and p <= frame.level else "ok"
    logs = mean_of(after)
    now = Estimate(expm1(logs.value), expm1(logs.low), expm1(logs.high), logs.n, logs.clusters)
    was = expm1(before.mean)
    text = f"A typical response has {now.value:,.0f} characters ({was:,.0f} before)."
    if state == "alarm" and after.mean > before.mean:
        text += " Responses grow: see whether they say more or only take longer, and whether reward_length rises too."
    elif state == "alarm":
        text += " Responses shrink: see whether they still answer, and whether something punishes length."
    return [finding(frame, state, now, was, before.n, p, text)]


def _correlated(rows: Sequence[Observed]) -> Correlation | None:
    rewards = [one.reward for one in rows if one.reward is not None]
    return correlation(rewards, [float(one.characters) for one in rows], [one.cluster for one in rows])
