"""Is a probability too sure, or too generous? Slope and intercept of the outcome on the probability's log-odds.

The slope of a logistic regression is 1 if the judge is as sure as it may be, below 1 if it is too sure. The intercept,
with the slope held at 1, is 0 if the judge is right on average, above 0 if it says yes too seldom (Cox 1958, Biometrika
45:562; Van Calster et al. 2019, BMC Med. 17:230). Both are read from a table of probability levels.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats, ratio
from judge_server.agreement.evidence import cells
from judge_server.agreement.metric import Metric
from judge_server.agreement.probability import EMPTY
from judge_server.agreement.rank import levels, quantiles
from judge_server.agreement.resampling import Task

MOST_LEVELS = 256  # finer probabilities are merged
NEAREST = 1e-6  # probabilities this close to 0 and 1 have no finite log-odds
STEPS = 50
FARTHEST = 50.0  # a steeper line separates the labels: it has no end
SEPARATED = "the probabilities separate people's labels without an error, or all are the same"


def fitted(table: Floats, score: Floats, *, slope: bool) -> tuple[Floats, Floats]:
    """Intercept and slope, (replicates,) each, of (replicates, levels, 2) counts of no and yes at each level's mean
    log-odds ``score``, by Newton's method; nan if it does not end. Without ``slope``, that is held at 1."""
    count, yes = table.sum(axis=-1), table[..., 1]
    start, steep = np.zeros(len(table)), np.full(len(table), 0.0 if slope else 1.0)
    change = np.full(len(table), np.inf)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(start[:, np.newaxis] + steep[:, np.newaxis] * score, -40, 40)))
        weight, surplus = count * chance * (1 - chance), yes - count * chance
        first, second = surplus.sum(axis=-1), surplus @ score
        plain, mixed, square = weight.sum(axis=-1), weight @ score, weight @ score**2
        if slope:
            whole = plain * square - mixed**2
            moves = ratio(square * first - mixed * second, whole), ratio(plain * second - mixed * first, whole)
        else:
            moves = ratio(first, plain), np.zeros(len(table))
        up, turn = (np.clip(move, -2, 2) for move in moves)
        start, steep, change = start + up, steep + turn, np.abs(up) + np.abs(turn)
        if not (change > 1e-9).any():
            break
    ended = (change <= 1e-6) & (np.abs(steep) < FARTHEST) & (np.abs(start) < FARTHEST)
    return np.where(ended, start, np.nan), np.where(ended, steep, np.nan)


def line_task(probability: Floats, outcome: Floats, cluster: Ints) -> Task:
    """From (items,) columns; ``outcome`` is 0 or 1; nan leaves the item out."""
    known = np.isfinite(probability) & np.isfinite(outcome)
    p, positive = probability[known], outcome[known].astype(np.int64)
    found = quantiles(levels(p), MOST_LEVELS) if len(p) else levels(p)
    shape = (int(found.max(initial=0)) + 1, 2)
    held = np.clip(p, NEAREST, 1 - NEAREST)
    total = np.bincount(found, weights=np.log(held / (1 - held)), minlength=shape[0])
    score = np.nan_to_num(ratio(total, np.bincount(found, minlength=shape[0])))
    evidence = replace(cells(found * 2 + positive, cluster[known], shape), empty=EMPTY)

    def rarer(table: Floats) -> Floats:
        return floats(table.sum(axis=-2).min(axis=-1))

    intercept = partial(_intercept, score=score)
    slope = partial(_slope, score=score)
    return evidence, [
        Metric("calibration_intercept", intercept, SEPARATED, rarer=rarer),
        Metric("calibration_slope", slope, SEPARATED, rarer=rarer),
    ]


def _intercept(table: Floats, score: Floats) -> Floats:
    return fitted(table, score, slope=False)[0]


def _slope(table: Floats, score: Floats) -> Floats:
    return fitted(table, score, slope=True)[1]
