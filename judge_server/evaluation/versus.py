"""Two models on the same rows: the difference of their scores, row by row, with an interval clustered on prompts."""

from collections.abc import Sequence
from statistics import fmean

from judge_server.agreement.array import floats, numbered
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.resampling import Resampling
from judge_server.core.model import Frozen
from judge_server.evaluation.scored_response import OVERALL, ScoredResponse

_DIFFERENCE = next(metric for metric in MOMENT_METRICS if metric.name == "mean_difference")


class ScoreDifference(Frozen):
    """``first`` and ``second``: the mean scores over the rows that both have; ``difference``: first less second.
    ``higher`` and ``lower``: rows on which the first scores more, or less."""

    name: str
    first: float
    second: float
    difference: Estimate
    higher: int
    lower: int

    @property
    def conclusion(self) -> str:
        """``better``, ``worse`` or ``no clear difference`` of the first, by the interval; without one ``not enough
        evidence``."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "not enough evidence"
        return "better" if low > 0 else "worse" if high < 0 else "no clear difference"


def differences(first: Sequence[ScoredResponse], second: Sequence[ScoredResponse]) -> list[ScoreDifference]:
    """For every score that both have, the overall one first. A row with several responses counts with their mean;
    rows that only one of them has are left out."""
    rows = [_by_row(one) for one in (first, second)]
    names = {name for _, name in rows[0]} & {name for _, name in rows[1]}
    order = sorted(names, key=lambda name: (name != OVERALL, name))
    prompts = {one.row: one.prompt for one in (*first, *second)}
    return [found for name in order if (found := _difference(name, rows[0], rows[1], prompts))]


def _by_row(responses: Sequence[ScoredResponse]) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], list[float]] = {}
    for one in responses:
        for name, score in one.scores.items():
            found.setdefault((one.row, name), []).append(score)
    return {key: fmean(scores) for key, scores in found.items()}


def _difference(
    name: str, first: dict[tuple[int, str], float], second: dict[tuple[int, str], float], prompts: dict[int, str]
) -> ScoreDifference | None:
    shared = sorted(row for row, own in first if own == name and (row, name) in second)
    if not shared:
        return None
    left, right = ([side[row, name] for row in shared] for side in (first, second))
    cluster, _ = numbered([prompts[row] for row in shared])
    evidence = moments(floats(left), floats(right), cluster)
    return ScoreDifference(
        name=name,
        first=fmean(left),
        second=fmean(right),
        difference=estimate(evidence, [_DIFFERENCE], Resampling())[_DIFFERENCE.name],
        higher=sum(one > other for one, other in zip(left, right, strict=True)),
        lower=sum(one < other for one, other in zip(left, right, strict=True)),
    )
