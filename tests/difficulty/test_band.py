import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from judge_server.core.errors import BadInput
from judge_server.difficulty.band import Band, BandPlace, Tally
from judge_server.util.wilson import wilson


def tally(*rewards, threshold=0.5):
    known = [reward for reward in rewards if reward is not None]
    return Tally(
        known=len(known),
        passed=sum(reward >= threshold for reward in known),
        failed=len(rewards) - len(known),
        total=sum(known),
        least=min(known, default=float("inf")),
        most=max(known, default=float("-inf")),
    )


def of(passed, misses):
    return tally(*[1.0] * passed, *[0.0] * misses)


@pytest.mark.parametrize(
    ("passed", "misses", "place"),
    [(0, 10, "too_hard"), (1, 9, "too_hard"), (2, 8, "kept"), (8, 2, "kept"), (9, 1, "too_easy"), (10, 0, "too_easy")],
)
def test_a_prompt_is_kept_inside_the_band_ends_included(passed, misses, place):
    assert Band().place(of(passed, misses)) == place


def test_a_failed_judge_is_neither_a_pass_nor_a_miss():
    assert Band().rate(tally(1.0, 0.0, None, None)) == 0.5
    assert Band().place(tally(1.0, 0.0, 0.0, None)) == BandPlace.TOO_FEW
    assert Band(min_rollouts=3).place(tally(1.0, 0.0, 0.0, None)) == BandPlace.KEPT
    assert Band(min_rollouts=1).place(tally(None, None)) == BandPlace.TOO_FEW
    assert Band().rate(tally(None)) is None


def test_a_rollout_passes_from_the_threshold_on():
    rewards = (0.7, 0.69, 0.2, 0.9)
    assert Band(threshold=0.7).rate(tally(*rewards, threshold=0.7)) == 0.5


def test_the_band_can_be_one_of_mean_rewards():
    band = Band(low=-1, high=2, mean=True)
    assert band.rate(tally(-3.0, 1.0, 1.0, 5.0)) == 1.0
    assert band.place(tally(-3.0, 1.0, 1.0, 5.0)) == BandPlace.KEPT
    assert band.place(tally(2.0, 2.0, 2.0, 3.0)) == BandPlace.TOO_EASY


def test_rewards_that_are_all_equal_teach_nothing():
    assert Band(mean=True).place(tally(*[0.6] * 4)) == BandPlace.ZERO_VARIANCE
    assert Band(mean=True, keep_constant=True).place(tally(*[0.6] * 4)) == BandPlace.KEPT
    assert Band(low=0).place(of(0, 8)) == BandPlace.ZERO_VARIANCE
    assert Band(low=0).place(tally(0.0, 0.1, 0.2, 0.3)) == BandPlace.KEPT


def test_an_interval_is_to_lie_inside_or_to_overlap():
    """Wilson's 95 % interval: 3 of 4 is 0.30 to 0.95, 1 of 8 is 0.02 to 0.47, 0 of 16 is 0 to 0.19."""
    assert Band(interval="inside").place(of(3, 1)) == BandPlace.UNCERTAIN
    assert Band(interval="inside").place(of(4, 4)) == BandPlace.KEPT
    assert Band(interval="inside").place(of(1, 7)) == BandPlace.TOO_HARD
    assert Band(interval="overlap").place(of(1, 7)) == BandPlace.KEPT
    assert Band(interval="overlap").place(of(0, 16)) == BandPlace.TOO_HARD
    assert Band(interval="overlap").place(of(16, 0)) == BandPlace.TOO_EASY
    assert Band(interval="overlap").place(of(0, 8)) == BandPlace.ZERO_VARIANCE


@given(
    st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.5, 0.95, 0.99])
)
def test_wilson_is_that_of_statsmodels(counts, confidence):
    passed, trials = counts
    theirs = proportion_confint(passed, trials, alpha=1 - confidence, method="wilson")
    assert wilson(passed, trials, confidence) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("band", "words"),
    [
        ({"low": 0.9, "high": 0.1}, "Swap"),
        ({"low": -0.1}, "from 0 to 1, or --mean"),
        ({"high": 80}, "from 0 to 1, or --mean"),
        ({"mean": True, "interval": "inside"}, "Leave out"),
    ],
)
def test_a_band_that_nothing_could_be_in_is_refused_with_the_remedy(band, words):
    with pytest.raises(BadInput, match=words):
        Band(**band)
