"""How much of a run's advantages is chance of the judge.

The judge is asked twice about the same response, the second time past the cache and with labels, options and examples
in the opposite order. If the errors of the two rewards are independent and alike, half the mean squared difference is
the variance of one error (Dahlberg 1940; the within-subject variance of Bland & Altman 1996, BMJ 313:744). An advantage
is a reward minus the mean of its group, so its variance is the variance of rewards within groups, and the share of the
error in it is the ratio of the two. The interval is that of a ratio on the logarithmic scale, both variances being
clustered by prompt; that they share their errors makes it wider than it need be.
"""

from collections.abc import Sequence
from math import ceil, exp, hypot
from statistics import NormalDist
from typing import Final

from judge_server.core.monitor import MonitorFinding, MonitorLimits, Series, State
from judge_server.core.run import RewardNoise, RunNoise
from judge_server.monitoring.clustered import MeanEstimate, estimate, sample
from judge_server.store.reask_records import Reasked, ReaskRecords, RecentReasks

LEAST_PAIRS: Final = 20
LEAST_PROMPTS: Final = 5
WANTED_SHARE: Final = 0.1
_NORMAL: Final = NormalDist()
_CONFIDENT: Final = _NORMAL.inv_cdf(0.975)
_CLEARS: Final = 0.8  # fraction of the limit below which the alarm clears


async def noise_of(records: ReaskRecords, run: str, caller: str | None = None) -> RunNoise:
    """Of the run's newest judgments; of those of ``caller``, if one is given. Raises StoreUnavailable."""
    return RunNoise(run=run, rubrics=tuple(reward_noise(one) for one in await records.of_run(run, caller)))


def noise_findings(recent: Sequence[RecentReasks], limits: MonitorLimits) -> tuple[MonitorFinding, ...]:
    """An alarm if the share is above the limit: its lower bound, at the level ``false_alarms``. One finding for each
    run under each rubric and judge."""
    return tuple(_finding(one, limits) for one in recent)


def _finding(recent: RecentReasks, limits: MonitorLimits) -> MonitorFinding:
    found = reward_noise(recent.found)
    state: State = "not_enough_evidence"
    text = f"Run {recent.run}: {found.text}."
    if found.share is not None:
        low = ratio(*_variances(recent.found, _NORMAL.inv_cdf(1 - limits.false_alarms)))[1]
        state = "alarm" if low > limits.noise else "ok"
    if state == "alarm":
        text += (
            " The policy is taught the judge's chance more than the rubric: ask each question several times (votes), "
            "use a panel, rewrite the criteria that differ most, or drop prompts whose rollouts hardly differ."
            f" By chance a look raises this alarm at most once in {round(1 / limits.false_alarms):,}."
        )
    return MonitorFinding(
        monitor="reward_noise",
        series=Series(rubric=found.rubric, judge=recent.judge),
        subject=f"run {recent.run}",
        state=state,
        value=found.share,
        low=found.low,
        high=found.high,
        n=found.pairs,
        near=found.share is not None and found.share > _CLEARS * limits.noise,
        text=text,
    )


def _variances(found: Reasked, quantile: float = _CONFIDENT) -> tuple[MeanEstimate, MeanEstimate]:
    """Of the judge's chance, and of rewards within groups."""
    pairs = found.pairs
    noise = sample([(first - second) ** 2 / 2 for _, first, second in pairs], [one[0] for one in pairs])
    prompts, squares, degrees = zip(*found.groups, strict=True) if found.groups else ((), (), ())
    return estimate(noise, quantile), estimate(sample(squares, prompts, degrees), quantile)


def reward_noise(found: Reasked) -> RewardNoise:
    pairs = found.pairs
    noise, within = _variances(found)
    share: tuple[float, float, float] | None = None
    votes: int | None = None
    if len(pairs) < LEAST_PAIRS or min(noise.clusters, within.clusters) < LEAST_PROMPTS:
        text = f"not enough evidence: {len(pairs)} pairs of {noise.clusters} prompts"
    elif not within.value:
        text = "the rewards do not differ within groups, so there are no advantages"
    else:
        share = ratio(noise, within)
        text = f"{share[0]:.1%} of the variance of advantages ({share[1]:.1%} to {share[2]:.1%}) is chance of the judge"
        votes = votes_for(share[0])
        if votes is None:
            text += "; more votes leave nothing to learn from"
        elif votes > 1:
            text += f"; {votes} independent votes a question would bring it to {WANTED_SHARE:.0%}"
    value, low, high = share or (None, None, None)
    return RewardNoise(
        rubric=found.rubric,
        pairs=len(pairs),
        prompts=noise.clusters,
        failed=found.failed,
        noise_variance=noise.value if pairs else None,
        advantage_variance=within.value if found.groups else None,
        share=value,
        low=low,
        high=high,
        votes=votes,
        text=text,
    )


def votes_for(share: float, wanted: float = WANTED_SHARE) -> int | None:
    """How many independent answers, averaged, bring the share of chance down to ``wanted``: their mean has the variance
    of one divided by their number, and what is not chance stays. None if all is chance."""
    if share >= 1:
        return None
    return max(1, ceil(share * (1 - wanted) / (wanted * (1 - share)) - 1e-9))


def ratio(above: MeanEstimate, below: MeanEstimate) -> tuple[float, float, float]:
    """May exceed 1: the judge's chance can be larger than the differences that it made among this run's rollouts."""
    if not above.value:
        return 0.0, 0.0, 0.0
    width = hypot(*((one.high - one.value) / one.value for one in (above, below)))
    value = above.value / below.value
    return value, value * exp(-width), value * exp(width)
