import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.judging.relative.tournament import PRIOR, strengths


def win(found, one, other):
    return found[one] / (found[one] + found[other])


def test_strengths_are_the_maximum_of_the_likelihood():
    """The derivative of the log-likelihood at the fit: games won are games expected, for every player."""
    games = {(0, 1): 1.0, (0, 2): 0.7, (1, 2): 0.4, (2, 3): 0.5, (1, 3): 0.9}
    found = strengths(4, games)
    for player in range(4):
        won = sum(share for (one, _), share in games.items() if one == player)
        won += sum(1 - share for (_, other), share in games.items() if other == player) + PRIOR / 2
        met = [other if one == player else one for one, other in games if player in (one, other)]
        expected = sum(win(found, player, other) for other in met) + PRIOR * found[player] / (found[player] + 1)
        assert won == pytest.approx(expected, abs=1e-6)


def test_two_players_have_the_strengths_of_the_closed_form():
    """With one game and the prior both strengths are x and 1/x, for which 1 + PRIOR/2 = x²/(x²+1) + PRIOR·x/(x+1)."""
    found = strengths(2, {(0, 1): 1.0})
    x = found[0]
    assert found[1] == pytest.approx(1 / x, rel=1e-6)
    assert x * x / (x * x + 1) + PRIOR * x / (x + 1) == pytest.approx(1 + PRIOR / 2, abs=1e-6)


def test_ties_make_equals_and_nobody_is_lost_without_games():
    assert strengths(3, {(0, 1): 0.5, (1, 2): 0.5}) == pytest.approx(np.ones(3))
    assert strengths(2, {}) == pytest.approx(np.ones(2))


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_strengths_are_finite_and_a_better_outcome_never_harms(shares):
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    games = dict(zip(pairs, shares, strict=True))
    found = strengths(4, games)
    better = strengths(4, games | {(0, 1): min(games[0, 1] + 0.2, 1.0)})
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert win(better, 0, 1) >= win(found, 0, 1) - 1e-6
