"""What one step of an engine takes, and what a call costs before it reaches the engine, as sums of the work in it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from judge_server.core.model import Frozen


@dataclass(frozen=True, slots=True)
class StepWork:
    """``steps``: of the engine. ``tokens``: computed in them, prompts and answers. ``sequences``: requests in a step,
    added up over the steps. ``pairs``: of a computed token and a token before it, which attention compares.
    ``context``: tokens of the requests that the step reads from the KV cache. ``calls``: that the step admits, and
    ``admitted`` the tokens of their prompts, in the cache or not: the engine reads and hashes them."""

    steps: float = 0
    tokens: float = 0
    sequences: float = 0
    pairs: float = 0
    context: float = 0
    calls: float = 0
    admitted: float = 0

    def __add__(self, other: "StepWork") -> "StepWork":
        return StepWork(*(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True)))


FEATURES = len(fields(StepWork))


class StepCost(Frozen):
    """Seconds for each unit of ``StepWork``. ``weights``: seconds to read the weights once, below which no step stays
    however few its tokens are; 0 in a measured cost, where ``step`` contains it."""

    step: float = 0.0
    token: float = 0.0
    sequence: float = 0.0
    pair: float = 0.0
    context: float = 0.0
    call: float = 0.0
    admitted: float = 0.0
    weights: float = 0.0

    def seconds(self, work: StepWork) -> float:
        """Of one step."""
        return (
            self.step
            + max(self.weights, self.token * work.tokens)
            + self.sequence * work.sequences
            + self.pair * work.pairs
            + self.context * work.context
            + self.call * work.calls
            + self.admitted * work.admitted
        )


class FrontCost(Frozen):
    """Processor seconds of the process that asks the engine, which does one thing after the other while the engine
    computes: for each ``call``, each token ``sent`` in its prompt, each token of text that is ``new`` and has to be
    split into tokens, and each token of an answer that is ``read``."""

    call: float = 0.0
    sent: float = 0.0
    new: float = 0.0
    read: float = 0.0

    def asking(self, calls: float, sent: float, new: float) -> float:
        """Before the engine has the calls."""
        return self.call * calls + self.sent * sent + self.new * new

    def seconds(self, calls: float, sent: float, new: float, read: float) -> float:
        """Of calls from their preparation to their answers."""
        return self.asking(calls, sent, new) + self.read * read


@dataclass(frozen=True, slots=True)
class CostFit:
    """``error``: the mean of |predicted - measured| / measured over the measurements that were fitted."""

    cost: StepCost
    error: float


def fit(works: Sequence[StepWork], seconds: Sequence[float], idle: Sequence[float] | None = None) -> CostFit:
    """The cost that explains measured times best; ``idle``: of each, how long the engine had nothing to do. Raises
    ValueError for fewer measurements than coefficients."""
    if len(works) < FEATURES:
        raise ValueError(f"{FEATURES} measurements are needed, not {len(works)}")
    measured = np.asarray(seconds, dtype=float)
    waited = np.zeros(len(works)) if idle is None else np.asarray(idle, dtype=float)
    rows = np.asarray([astuple(work) for work in works], dtype=float)
    best = least_squares(rows / measured[:, None], 1 - waited / measured)
    step, token, sequence, pair, context, call, admitted = map(float, best)
    cost = StepCost(step=step, token=token, sequence=sequence, pair=pair, context=context, call=call, admitted=admitted)
    return CostFit(cost, float(np.abs((rows @ best + waited) / measured - 1).mean()))


def fit_front(asked: Sequence[tuple[float, float, float, float]], seconds: Sequence[float]) -> FrontCost:
    """``asked``: of each measurement the calls, the tokens of their prompts, those of new text, and of the answers."""
    measured = np.asarray(seconds, dtype=float)
    best = least_squares(np.asarray(asked, dtype=float) / measured[:, None], np.ones(len(measured)))
    call, sent, new, read = map(float, best)
    return FrontCost(call=call, sent=sent, new=new, read=read)


def least_squares(rows: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The solution without a negative coefficient (Lawson and Hanson 1974, chapter 23). With so few coefficients all
    subsets are solved, and the best solution without a negative one is taken."""
    scale = np.where(rows.max(axis=0) > 0, rows.max(axis=0), 1.0)
    best, least = np.zeros(rows.shape[1]), float((wanted**2).sum())
    for size in range(1, rows.shape[1] + 1):
        for chosen in map(list, combinations(range(rows.shape[1]), size)):
            solution, *_ = np.linalg.lstsq(rows[:, chosen] / scale[chosen], wanted, rcond=None)
            if (solution < 0).any():
                continue
            left = float(((rows[:, chosen] / scale[chosen] @ solution - wanted) ** 2).sum())
            if left < least:
                least, best = left, np.zeros(rows.shape[1])
                best[chosen] = solution / scale[chosen]
    return best
