"""Pairs of answers: does the judge prefer the one that people prefer, in either order?

Codes are by content, not position: 1 for the first answer of the pair, −1 for the second, 0 for a tie, in either order
of display.
"""

from collections.abc import Callable

import numpy as np

from judge_server.agreement.array import Floats, Ints, ratio
from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.metric import Metric

MISSING = -9
NO_PAIR = "no pair was judged by both sides"
NO_SWAP = "no pair was judged in both orders"
(
    EXACT,
    PAIRS,
    CREDIT,
    DECIDED_RIGHT,
    DECIDED,
    JUDGE_TIES,
    HUMAN_TIES,
    SAME,
    SWAPS,
    FIRST_SHOWN,
    SHOWN,
    ROBUST,
    ROBUST_PAIRS,
) = range(13)


def preference_evidence(human: Ints, forward: Ints, swapped: Ints | None, cluster: Ints) -> Evidence:
    """Sums over pairs, from (pairs,) codes; ``MISSING`` means no verdict.

    ``forward`` is the judge with the first answer shown first, ``swapped`` with the second shown first. Each judged
    order counts against the human's preference; metrics of both orders count pairs judged in both.
    """
    back = np.full(len(human), MISSING, dtype=np.int64) if swapped is None else swapped
    orders = [order_columns(human, shown) for shown in (forward, back)]
    both = (forward != MISSING) & (back != MISSING)
    against = both & (human != MISSING)
    first_shown = (both & (forward == 1)).astype(np.float64) + (both & (back == -1))
    decided = (both & (forward != 0)).astype(np.float64) + (both & (back != 0))
    columns = [first + second for first, second in zip(*orders, strict=True)]
    columns += [(both & (forward == back)).astype(np.float64), both.astype(np.float64), first_shown, decided]
    columns += [(against & (forward == human) & (back == human)).astype(np.float64), against.astype(np.float64)]
    return sums(columns, cluster)


def order_columns(human: Ints, judge: Ints) -> list[Floats]:
    known = (human != MISSING) & (judge != MISSING)
    decided = known & (human != 0) & (judge != 0)
    equal = known & (human == judge)
    one_tie = known & ((human == 0) != (judge == 0))
    flags = [equal, known, equal + 0.5 * one_tie, decided & equal, decided, known & (judge == 0), known & (human == 0)]
    return [np.asarray(flag, dtype=np.float64) for flag in flags]


def share(above: int, below: int) -> Callable[[Floats], Floats]:
    return lambda totals: ratio(totals[:, above], totals[:, below])


def count(place: int) -> Callable[[Floats], Floats]:
    return lambda totals: totals[:, place]


PREFERENCE_METRICS = [
    Metric("preference_accuracy", share(EXACT, PAIRS), NO_PAIR, "proportion", trials=count(PAIRS)),
    Metric("preference_accuracy_half_ties", share(CREDIT, PAIRS), NO_PAIR, "bounded", trials=count(PAIRS)),
    Metric(
        "preference_accuracy_without_ties",
        share(DECIDED_RIGHT, DECIDED),
        "no pair was decided by both sides",
        "proportion",
        trials=count(DECIDED),
    ),
    Metric(
        "preference_accuracy_both_orders",
        share(ROBUST, ROBUST_PAIRS),
        NO_SWAP,
        "proportion",
        trials=count(ROBUST_PAIRS),
    ),
    Metric("judge_tie_rate", share(JUDGE_TIES, PAIRS), NO_PAIR, "proportion", trials=count(PAIRS)),
    Metric("human_tie_rate", share(HUMAN_TIES, PAIRS), NO_PAIR, "proportion", trials=count(PAIRS)),
    Metric("swap_consistency", share(SAME, SWAPS), NO_SWAP, "proportion", trials=count(SWAPS)),
    Metric(
        "first_shown_rate",
        share(FIRST_SHOWN, SHOWN),
        "no pair was decided in both orders",
        "proportion",
        trials=count(SHOWN),
    ),
]
