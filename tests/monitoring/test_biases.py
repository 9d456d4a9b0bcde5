"""A policy that drifts into a bias raises that bias's alarm; one that does not raises none."""

from functools import cache

import pytest

from judge_server.core.monitor import MonitorLimits, Series
from judge_server.monitoring.survey import MONITORS, look
from tests.monitoring.simulated import RUBRIC, Run, audits, windows

LIMITS = MonitorLimits(window=1_000)
SERIES = Series(rubric=RUBRIC.id, judge="trainer")
ALARMS = {
    "length": {"reward_length", "length_growth"},
    "flattery": {"vocabulary"},
    "saturation": {"criterion_saturation", "criterion_drift"},
    "repetition": {"flags"},
    "collapse": {"zero_variance"},
    "divergence": {"audit_bias", "audit_disagreement"},
    "abstention": {"abstention"},
}


@cache
def found(seed, bias=None, groups=300):
    """Saturation is shown on windows of the default size: 1,000 correlated verdicts are too few to exclude .97."""
    wide = bias == "saturation"
    rollouts = list(Run(seed, bias, 2 * groups if wide else groups).rollouts())
    limits = LIMITS.model_copy(update={"window": 2_000}) if wide else LIMITS
    return look(SERIES, windows(rollouts, limits.window), audits(rollouts), limits)


def raised(findings):
    return {one.monitor for one in findings if one.state == "alarm"}


@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.long)])
@pytest.mark.parametrize("bias", ALARMS)
def test_each_bias_raises_its_alarm(bias, seed):
    assert raised(found(seed, bias)) >= ALARMS[bias]


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 8))])
def test_a_clean_run_raises_at_most_one_false_alarm(seed):
    findings = found(seed)
    alarms = [one for one in findings if one.state == "alarm"]
    assert len(alarms) <= 1
    assert {one.monitor for one in findings} == set(MONITORS)
    assert all(one.state != "not_enough_evidence" for one in findings)


def test_a_clean_run_looked_at_again_and_again_raises_at_most_one_false_alarm():
    rollouts = list(Run(99, groups=400).rollouts())
    alarms = {
        one.key
        for end in range(800, len(rollouts) + 1, 200)
        for one in look(SERIES, windows(rollouts[:end]), audits(rollouts[:end]), LIMITS)
        if one.state == "alarm"
    }
    assert len(alarms) <= 1


def test_the_words_that_burst_are_named():
    (finding,) = [one for one in found(11, "flattery") if one.monitor == "vocabulary"]
    assert "insightful" in finding.subject
    assert finding.value > 0.5
    assert finding.baseline < 0.2


def test_the_criterion_and_the_flag_are_named():
    assert ("criterion_saturation", "good_1") in {
        (one.monitor, one.subject) for one in found(11, "saturation") if one.state == "alarm"
    }
    assert [one.subject for one in found(11, "repetition") if one.state == "alarm"] == ["repetition"]


def test_too_little_is_not_enough_evidence_and_no_alarm():
    findings = found(5, "repetition", groups=6)
    assert {one.state for one in findings} == {"not_enough_evidence"}
    assert all("needed in each window" in one.text for one in findings)


def test_nothing_at_all_is_not_enough_evidence():
    assert {one.state for one in look(SERIES, windows([]), ([], []), LIMITS)} == {"not_enough_evidence"}


def test_every_finding_says_its_interval_and_what_it_was_measured_on():
    for one in found(3):
        assert one.low <= one.value <= one.high
        assert one.n > 0
        assert one.baseline_n > 0
        assert one.text.endswith(".")


def test_an_alarm_says_what_to_do():
    texts = [one.text for bias in ALARMS for one in found(11, bias) if one.state == "alarm"]
    assert all(len(text) > 80 for text in texts)


def test_an_alarm_says_how_often_chance_raises_one():
    alarms = [one for one in found(11, "abstention") if one.state == "alarm"]
    assert alarms
    assert all("at most once in 6,667" in one.text for one in alarms)


def test_over_all_rubrics_there_is_nothing_to_say_of_a_criterion():
    rollouts = list(Run(3).rollouts())
    whole = look(Series(rubric=None, judge="trainer"), windows(rollouts), audits(rollouts), LIMITS)
    assert not {one.monitor for one in whole} & {"criterion_drift", "criterion_saturation"}
