"""Per criterion: whether its pass rate drifts, and whether it still gives a training signal."""

from collections.abc import Sequence

from judge_server.core.monitor import MonitorFinding, MonitorLimits, State
from judge_server.monitoring.clustered import MeanEstimate, Sample, above, sample, share
from judge_server.monitoring.deciding import AlarmRule, Frame, finding, watched
from judge_server.store.observation import Observed, Windows

_DOUBT = 1.5  # factor on the remaining share, for the bound to exclude


def criterion_drift(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """Falls raise alarms sooner than rises, because training is meant to raise rewarded criteria."""
    found: list[MonitorFinding] = []
    rules = {
        False: AlarmRule(rise=limits.drift_rise, fall=limits.drift_fall),
        True: AlarmRule(rise=limits.drift_fall, fall=limits.drift_rise),
    }
    criteria = _criteria(windows)
    if not criteria:
        return [frame.too_little("Decided verdicts", 0, 0)]
    for bad, rule in rules.items():
        some = [criterion for criterion, negative in criteria.items() if negative == bad]
        samples: dict[str | None, tuple[Sample, Sample]] = {
            one: (_scores(windows.baseline, one), _scores(windows.recent, one)) for one in some
        }
        share_of_level = Frame(
            frame.monitor, frame.series, frame.level * len(some) / len(criteria), frame.least, frame.least_clusters
        )
        found += watched(share_of_level, rule, samples, "Decided verdicts", _moved)
    return found


def criterion_saturation(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """A criterion that all responses meet, or none, gives a group no advantage. A negative criterion that is never met
    is as intended."""
    found = []
    for criterion, bad in _criteria(windows).items():
        recent, baseline = _scores(windows.recent, criterion), _scores(windows.baseline, criterion)
        found.append(saturation(frame, limits, criterion, (baseline, recent), bad=bad))
    return found or [frame.too_little("Decided verdicts", 0, 0)]


def saturation(
    frame: Frame, limits: MonitorLimits, criterion: str, samples: tuple[Sample, Sample], *, bad: bool
) -> MonitorFinding:
    """Of one criterion, from its samples before and recently. The share has to be beyond the limit, and a share half as
    far again from 1 (.97 for .98) has to be excluded: a criterion that still distinguishes some responses is not
    saturated."""
    baseline, recent = samples
    if not frame.enough(recent):
        return frame.too_little("Decided verdicts", recent.n, baseline.n, criterion)
    now, doubted = share(recent), 1 - _DOUBT * (1 - limits.saturated)
    full = now.value >= limits.saturated and above(recent, doubted, frame.level, bounded=True)
    none = Sample(recent.weight - recent.total, recent.weight, recent.n)
    empty = now.value <= 1 - limits.saturated and above(none, doubted, frame.level, bounded=True)
    state: State = "alarm" if full or (empty and not bad) else "ok"
    before = baseline.mean if baseline.n else None
    text = _saturated(now, bad) if full or empty else f"Met by {now.value:.1%}: it tells responses apart."
    told = finding(frame, state, now, before, baseline.n, None, text, criterion)
    return told.model_copy(update={"near": max(now.value, 1 - now.value) >= limits.saturated})


def _criteria(windows: Windows) -> dict[str, bool]:
    """Criteria in the order of first occurrence, and whether meeting them is bad."""
    rows = (*windows.baseline, *windows.recent)
    return {criterion: criterion in one.negative for one in rows for criterion in one.scores}


def _scores(rows: Sequence[Observed], criterion: str) -> Sample:
    own = [one for one in rows if criterion in one.scores]
    return sample([one.scores[criterion] for one in own], [one.cluster for one in own])


def _moved(now: MeanEstimate, before: float | None, state: State) -> str:
    text = f"Met by {now.value:.1%} ({before or 0.0:.1%} before)."
    if state == "alarm":
        text += (
            " Read ten responses of each kind: is the answer different, or how it is worded? Audit this criterion, and "
            "take it out of the reward if the judge is being led."
        )
    return text


def _saturated(now: MeanEstimate, bad: bool) -> str:
    if now.value > 0.5:
        what = "it marks every response down alike" if bad else "nothing is left to learn from it"
        return f"Met by {now.value:.1%}: {what}. Make it more demanding, or give its points to others."
    if bad:
        return f"Met by {now.value:.1%}, as it should be."
    return f"Met by {now.value:.1%}: hardly any response earns it. Split it into steps that some responses reach."
