"""Strengths of players from games between some of them (Bradley and Terry 1952)."""

from collections.abc import Mapping

import numpy

PRIOR = 0.1
_MOST_STEPS = 2_000
_TOLERANCE = 1e-9
_Floats = numpy.ndarray[tuple[int], numpy.dtype[numpy.float64]]


def strengths(size: int, games: Mapping[tuple[int, int], float]) -> _Floats:
    """Positive strengths s, shape (size,), with P(i beats j) = s_i / (s_i + s_j).

    ``games``: for each pair that met, the share in [0, 1] of the first; a half is a tie. Every player also ties
    ``PRIOR`` games with a player of strength 1, so that who won or lost all of its games has a finite strength.
    Fitted by minorisation and maximisation (Hunter 2004).
    """
    first = numpy.array([pair[0] for pair in games], dtype=numpy.int64)
    second = numpy.array([pair[1] for pair in games], dtype=numpy.int64)
    share = numpy.array(list(games.values()), dtype=numpy.float64)
    won = PRIOR / 2 + numpy.bincount(first, share, size) + numpy.bincount(second, 1 - share, size)
    found = numpy.ones(size)
    for _ in range(_MOST_STEPS):
        met = 1 / (found[first] + found[second])
        expected = PRIOR / (found + 1) + numpy.bincount(first, met, size) + numpy.bincount(second, met, size)
        better = won / expected
        moved = float(numpy.max(numpy.abs(numpy.log(better / found)), initial=0.0))
        found = better
        if moved < _TOLERANCE:
            break
    return found
