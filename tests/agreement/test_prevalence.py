import pytest

from judge_server.agreement.prevalence import Share, rogan_gladen


def test_the_corrected_rate_of_the_textbook_example():
    found = rogan_gladen(Share(rate=0.3), Share(rate=0.9), Share(rate=0.8))
    assert found.value == pytest.approx(0.142857, abs=5e-7)
    assert found.low is None
    assert "without its n" in found.note


def test_the_interval_widens_with_what_the_judge_was_validated_on():
    sure = rogan_gladen(Share(rate=0.3, n=500), Share(rate=0.9), Share(rate=0.8))
    unsure = rogan_gladen(Share(rate=0.3, n=500), Share(rate=0.9, n=50), Share(rate=0.8, n=50))
    assert unsure.low <= sure.low < sure.value < sure.high < unsure.high


def test_a_judge_near_chance_gives_no_correction():
    found = rogan_gladen(Share(rate=0.5, n=100), Share(rate=0.55, n=100), Share(rate=0.48, n=100))
    assert found.value is None
    assert "noise" in found.note


def test_an_impossible_rate_is_kept_within_bounds_and_said():
    found = rogan_gladen(Share(rate=0.1, n=100), Share(rate=0.9), Share(rate=0.8))
    assert found.value == 0
    assert "outside" in found.note
