"""The share of the advantages' variance that is chance of the judge, against rewards whose variances are known."""

import numpy as np

from judge_server.core.monitor import MonitorLimits
from judge_server.monitoring.reward_noise import noise_findings, reward_noise, votes_for
from judge_server.store.reask_records import Reasked, RecentReasks


def reasked(seed: int, *, noise: float, spread: float, prompts: int = 40, each: int = 8) -> Reasked:
    """Rewards of ``prompts`` groups: a merit of standard deviation ``spread`` plus an error of ``noise`` each time."""
    chance = np.random.default_rng(seed)
    merit = chance.normal(0, 1, (prompts, 1)) + chance.normal(0, spread, (prompts, each))
    first, second = (merit + chance.normal(0, noise, merit.shape) for _ in range(2))
    groups = tuple((f"p{p}", float(first[p].var() * each), each - 1) for p in range(prompts))
    pairs = tuple((f"p{p}", float(first[p, r]), float(second[p, r])) for p in range(prompts) for r in range(each))
    return Reasked("t/u", pairs, 0, groups)


def test_the_share_is_found_and_its_interval_covers_the_truth():
    truth = 0.1**2 / (0.1**2 + 0.3**2)
    found = [reward_noise(reasked(seed, noise=0.1, spread=0.3)) for seed in range(200)]
    assert abs(np.mean([one.share for one in found]) - truth) < 0.003
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.92 <= covered <= 1


def test_a_judge_that_is_all_chance_has_a_share_of_one():
    found = [reward_noise(reasked(seed, noise=0.2, spread=0.0)).share for seed in range(50)]
    assert abs(np.mean(found) - 1) < 0.03


def test_the_number_of_votes_is_what_brings_the_share_down():
    found = reward_noise(reasked(1, noise=0.2, spread=0.2))
    assert found.votes == votes_for(found.share)
    assert f"{found.votes} independent votes" in found.text
    chance = found.noise_variance / found.votes
    assert chance / (found.advantage_variance - found.noise_variance + chance) <= 0.1
    assert [votes_for(share) for share in (0.05, 0.1, 0.5, 0.9, 1.0)] == [1, 1, 9, 81, None]


def test_there_is_no_share_without_evidence_or_without_a_difference():
    few = reward_noise(reasked(1, noise=0.1, spread=0.3, prompts=4))
    assert few.share is None
    assert few.text.startswith("not enough evidence")
    flat = tuple((f"p{number}", 0.0, 7) for number in range(40))
    same = reward_noise(Reasked("t/u", reasked(1, noise=0.1, spread=0.3).pairs, 2, flat))
    assert same.share is None
    assert same.failed == 2


def findings(noise: float, spread: float, count: int, **more: int):
    runs = [reasked(seed, noise=noise, spread=spread, **more) for seed in range(count)]
    return noise_findings([RecentReasks("grpo-7", "main", one) for one in runs], MonitorLimits())


def test_a_share_at_the_limit_raises_no_alarm_and_one_far_above_it_does():
    assert {one.state for one in findings(0.2, 0.2, 200)} == {"ok"}
    (alarm,) = findings(0.2, 0.02, 1, prompts=100)
    assert alarm.state == "alarm"
    assert (alarm.subject, alarm.series.name, alarm.n) == ("run grpo-7", "t/u · main", 800)
    assert "ask each question several times (votes)" in alarm.text


def test_few_pairs_neither_raise_an_alarm_nor_clear_one():
    (few,) = findings(0.2, 0.0, 1, prompts=4)
    assert (few.state, few.value) == ("not_enough_evidence", None)
