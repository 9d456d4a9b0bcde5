"""Answers to typed questions whose statements contradict each other: which of them would be meant is not known.

Both formats state an outcome beside the probabilities: ``noul`` is that of yes, ``choice`` is the likeliest option,
``score`` the expected level from 0 (vllm 0.32, ``question_types.py``; some servers give the likeliest level, or round
to a whole one).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

_TIE = 0.02  # probabilities may be rounded to two digits
_SCORE_ROUNDING = 0.05
_EACH_ROUNDING = 0.005
_NO_OUTCOME = 1e9  # NaN, infinity, and whole numbers that are too large for arithmetic


def contradiction(
    kind: Literal["predicate", "choice", "score"],
    given: Mapping[str, Any],
    names: Sequence[str],
    shares: Sequence[float],
) -> str | None:
    """What is wrong with the outcome that an answer to a question of this kind states; None if it states none, or one
    that agrees with ``shares``, the probabilities of ``names``."""
    match kind:
        case "predicate":
            return _of_yes(given, shares)
        case "choice":
            return _of_choice(given, names, shares)
        case "score":
            return _of_score(given, shares)


def _of_yes(given: Mapping[str, Any], shares: Sequence[float]) -> str | None:
    told = given.get("noul", given.get("probability"))
    if told is None or (_is_number(told) and abs(told - shares[0]) <= _TIE):
        return None
    return "it states two probabilities of yes" if _is_number(told) else "its probability of yes is no number"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _NO_OUTCOME


def _of_choice(given: Mapping[str, Any], names: Sequence[str], shares: Sequence[float]) -> str | None:
    told = given.get("choice")
    if told is None:
        return None
    if not isinstance(told, str) or told not in names:
        return "its choice is none of the options"
    if shares[names.index(told)] < max(shares) - _TIE:
        return "its choice is not the likeliest of its options"
    return None


def _of_score(given: Mapping[str, Any], shares: Sequence[float]) -> str | None:
    told = given.get("score")
    if told is None:
        return None
    if not _is_number(told):
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
