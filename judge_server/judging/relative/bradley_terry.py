"""Strengths of players from games between some of them (Bradley and Terry 1952)."""

from collections.abc import Mapping

import numpy as np

PRIOR = 0.1
_MOST_STEPS = 2_000
_TOLERANCE = 1e-9
_Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def strengths(size: int, games: Mapping[tuple[int, int], float]) -> _Floats:
    """Positive strengths s, shape (size,), with P(i beats j) = s_i / (s_i + s_j).

    ``games``: for each pair that met, the share in [0, 1] of the first; a half is a tie. Every player also ties
    ``PRIOR`` games with a player of strength 1, so that who won or lost all of its games has a finite strength.
    Fitted by minorisation and maximisation (Hunter 2004).
    """
    first = np.array([pair[0] for pair in games], dtype=np.int64)
    second = np.array([pair[1] for pair in games], dtype=np.int64)
    share = np.array(list(games.values()), dtype=np.float64)
    won = PRIOR / 2 + np.bincount(first, share, size) + np.bincount(second, 1 - share, size)
    found = np.ones(size)
    for _ in range(_MOST_STEPS):
        met = 1 / (found[first] + found[second])
        expected = PRIOR / (found + 1) + np.bincount(first, met, size) + np.bincount(second, met, size)
        better = won / expected
        moved = float(np.max(np.abs(np.log(better / found)), initial=0.0))
        found = better
        if moved < _TOLERANCE:
            break
    return found
