"""Answers to typed questions whose statements contradict each other: which of them would be meant is not known.

Both formats state an outcome beside the probabilities: ``choice`` is the likeliest option, ``score`` the expected level
from 0 (vllm 0.32, ``question_types.py``; some servers give the likeliest level, or round to a whole one).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

_TIE = 0.02  # probabilities may be rounded to two digits
_SCORE_ROUNDING = 0.05
_EACH_ROUNDING = 0.005


def contradicts_choice(given: Mapping[str, Any], names: Sequence[str], shares: Sequence[float]) -> str | None:
    """What is wrong with the ``choice`` that an answer states, if it states one."""
    told = given.get("choice")
    if told is None:
        return None
    if not isinstance(told, str) or told not in names:
        return "its choice is none of the options"
    if shares[names.index(told)] < max(shares) - _TIE:
        return "its choice is not the likeliest of its options"
    return None


def contradicts_score(given: Mapping[str, Any], shares: Sequence[float]) -> str | None:
    """What is wrong with the ``score`` that an answer states, if it states one."""
    told = given.get("score")
    if told is None:
        return None
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return "its score is no number"
    expected = math.fsum(place * share for place, share in enumerate(shares))
    rounding = _SCORE_ROUNDING + _EACH_ROUNDING * sum(range(len(shares)))
    if abs(told - expected) <= rounding:
        return None
    whole = float(told).is_integer() and 0 <= told < len(shares)
    if whole and (abs(told - expected) <= 0.5 or shares[int(told)] >= max(shares) - _TIE):
        return None
    return "its score is not the expected level"


def turned(told: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether ``told``, the names of levels by place, gives a level the name of another one: its probabilities are of
    other levels then."""
    said = [told.get(str(place)) for place in range(len(names))]
    return any(one != name and one in names for one, name in zip(said, names, strict=True))
