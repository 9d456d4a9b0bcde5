"""What one step of an engine takes, as a sum of the work in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from judge_server.core.model import Frozen

FEATURES = 5


@dataclass(frozen=True, slots=True)
class StepWork:
    """``steps``: of the engine. ``tokens``: computed in them, prompts and answers. ``sequences``: requests in a step,
    added up over the steps. ``pairs``: of a computed token and a token before it, which attention compares.
    ``context``: tokens of the requests that the step reads from the KV cache."""

    steps: float = 0
    tokens: float = 0
    sequences: float = 0
    pairs: float = 0
    context: float = 0

    def __add__(self, other: "StepWork") -> "StepWork":
        return StepWork(
            self.steps + other.steps,
            self.tokens + other.tokens,
            self.sequences + other.sequences,
            self.pairs + other.pairs,
            self.context + other.context,
        )

    @property
    def features(self) -> tuple[float, ...]:
        return (self.steps, self.tokens, self.sequences, self.pairs, self.context)


class StepCost(Frozen):
    """Seconds for each unit of ``StepWork``. ``weights``: seconds to read the weights once, below which no step stays
    however few its tokens are; 0 in a measured cost, where ``step`` contains it."""

    step: float = 0.0
    token: float = 0.0
    sequence: float = 0.0
    pair: float = 0.0
    context: float = 0.0
    weights: float = 0.0

    def seconds(self, work: StepWork) -> float:
        """Of one step."""
        return (
            self.step
            + max(self.weights, self.token * work.tokens)
            + self.sequence * work.sequences
            + self.pair * work.pairs
            + self.context * work.context
        )


@dataclass(frozen=True, slots=True)
class CostFit:
    """``error``: the mean of |predicted - measured| / measured over the measurements that were fitted."""

    cost: StepCost
    error: float


def fit(works: Sequence[StepWork], seconds: Sequence[float]) -> CostFit:
    """The cost that explains measured times best: least squares of the relative errors under the condition that no
    coefficient is negative (Lawson and Hanson 1974, chapter 23). With five coefficients, all subsets are solved and the
    best solution without a negative one is taken. Raises ValueError for fewer than five measurements."""
    if len(works) < FEATURES:
        raise ValueError(f"{FEATURES} measurements are needed, not {len(works)}")
    measured = np.asarray(seconds, dtype=float)
    rows = np.asarray([work.features for work in works], dtype=float) / measured[:, None]
    scale = np.where(rows.max(axis=0) > 0, rows.max(axis=0), 1.0)
    best = np.zeros(FEATURES)
    least = float(len(works))
    for size in range(1, FEATURES + 1):
        for chosen in map(list, combinations(range(FEATURES), size)):
            solution, *_ = np.linalg.lstsq(rows[:, chosen] / scale[chosen], np.ones(len(works)), rcond=None)
            if (solution < 0).any():
                continue
            left = float(((rows[:, chosen] / scale[chosen] @ solution - 1) ** 2).sum())
            if left < least:
                least, best = left, np.zeros(FEATURES)
                best[chosen] = solution / scale[chosen]
    step, token, sequence, pair, context = map(float, best)
    cost = StepCost(step=step, token=token, sequence=sequence, pair=pair, context=context)
    return CostFit(cost, float(np.abs(rows @ best - 1).mean()))
