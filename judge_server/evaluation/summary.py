"""Means over the responses of an evaluation: with the bootstrap deviation that HealthBench publishes, and with an
interval that counts prompts."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from judge_server.agreement.array import Floats, floats, numbered, ratio
from judge_server.agreement.evidence import sums
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Metric
from judge_server.agreement.resampling import Resampling
from judge_server.core.aggregation import LengthAdjustment
from judge_server.core.model import Frozen
from judge_server.evaluation.scored_response import OVERALL, ScoredResponse

LENGTH_ADJUSTED: Final = "length_adjusted"
_FIRST: Final = (OVERALL, LENGTH_ADJUSTED)
_KINDS: Final = ("theme", "axis", "level")
_REPLICATES: Final = 1_000
_AT_ONCE: Final = 100
_MEAN: Final = Metric("mean", lambda totals: ratio(totals[:, 1], totals[:, 0]), "no response has a score")


class MeanScore(Frozen):
    """``value``: the mean of ``n`` responses to ``prompts`` prompts. ``bootstrap_std``: the standard deviation of the
    mean over 1,000 resamples of responses, as simple-evals computes it. ``low`` and ``high``: the 95 % interval,
    clustered on prompts; None with too little data, as ``note`` says."""

    name: str
    value: float
    n: int
    prompts: int
    bootstrap_std: float
    low: float | None = None
    high: float | None = None
    note: str | None = None

    @property
    def kind(self) -> str:
        """What stands before the colon of a tag such as ``theme:hedging``."""
        return self.name.partition(":")[0] if ":" in self.name else ""


def summarise(
    responses: Sequence[ScoredResponse], *, clip: bool, adjustment: LengthAdjustment | None = None
) -> list[MeanScore]:
    """The mean of every score, first overall, then themes, axes and other tags by name. ``clip``: into [0, 1] after the
    mean is taken, as HealthBench does, bounds and resampled means too. ``adjustment``: adds the mean of the overall
    scores adjusted for length, clipped last. Empty if no response has a score."""
    scored = [one for one in responses if one.scores]
    named = {name for one in scored for name in one.scores}
    found = [_mean(name, *_column(scored, name), clip=clip) for name in named]
    if adjustment is not None and scored:
        values, prompts = _column(scored, OVERALL)
        lengths = [one.characters for one in scored]
        adjusted = [adjustment.adjust(value, length) for value, length in zip(values, lengths, strict=True)]
        found.append(_mean(LENGTH_ADJUSTED, floats(adjusted), prompts, clip=clip))
    return sorted(found, key=_order)


def _order(score: MeanScore) -> tuple[int, int, str]:
    first = _FIRST.index(score.name) if score.name in _FIRST else len(_FIRST)
    return first, _KINDS.index(score.kind) if score.kind in _KINDS else len(_KINDS), score.name


def _column(scored: Sequence[ScoredResponse], name: str) -> tuple[Floats, list[str]]:
    own = [one for one in scored if name in one.scores]
    return floats([one.scores[name] for one in own]), [one.prompt for one in own]


def _mean(name: str, values: Floats, prompts: list[str], *, clip: bool) -> MeanScore:
    low, high = (0.0, 1.0) if clip else (-np.inf, np.inf)
    random = np.random.default_rng(0)
    draws = (random.integers(0, len(values), (_AT_ONCE, len(values))) for _ in range(_REPLICATES // _AT_ONCE))
    means = np.concatenate([values[drawn].mean(axis=1) for drawn in draws])
    cluster, known = numbered(prompts)
    interval = estimate(sums([np.ones(len(values)), values], cluster), [_MEAN], Resampling())[_MEAN.name]
    bounds = [None if one is None else float(np.clip(one, low, high)) for one in (interval.low, interval.high)]
    return MeanScore(
        name=name,
        value=float(np.clip(values.mean(), low, high)),
        n=len(values),
        prompts=len(known),
        bootstrap_std=float(np.std(np.clip(means, low, high))),
        low=bounds[0],
        high=bounds[1],
        note=interval.note,
    )
