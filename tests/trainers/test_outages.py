"""Real trainers on a CPU while the server is killed, its rubric changed or its judge broken: each is stopped, waited
for or logged, no reward is false, and the store tells for every step what rewarded it."""

import copy
import time

import pytest

from tests.trainers.environment import Environment
from tests.trainers.outages import RUBRIC, Values, no_false_rewards, place, train, what_rewarded

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(1500)]

TRAINERS = {
    "trl": (Environment("trl"), "trl_outage.py"),
    "ms_swift": (Environment("ms_swift"), "ms_swift_outage.py"),
}
QUIET = {"USE_HF": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
TOGETHER = list(TRAINERS)
SEEN_SECONDS = 1.5
"""After a file changed, until the server has certainly looked at it again."""


@pytest.fixture
def values(request):
    return Values(steady=getattr(request, "param", ""))


@pytest.fixture
def here(tmp_path, values):
    with place(tmp_path, values) as found:
        yield found


@pytest.fixture
def run(here, tiny_checkpoint):
    """``run("trl", events, steps=4)``: an event happens before the reward of its step is asked for."""

    def run(trainer, events, steps=4, **variables):
        environment, program = TRAINERS[trainer]
        return train(environment, program, here, tiny_checkpoint, steps=steps, events=events, **QUIET, **variables)

    return run


def one_reward_for_all(outcome, here):
    """The store has every step's rewards, under one rubric and one judge."""
    found = what_rewarded(outcome, here)
    assert sorted(found) == [step["step"] for step in outcome.steps if any(r is not None for r in step["rewards"])]
    assert len(set().union(*found.values())) == 1
    return found


def killed_at_three_places(trainer, run, here, values, *, seconds):
    """Before the first reward, between two steps, and while a batch is judged."""
    first, between, midst = seconds

    def while_judging():
        values.slow_seconds = 3.0
        here.down_while_judging(midst)

    def quick_again():
        values.slow_seconds = 0.0

    events = {0: lambda: here.down(first), 2: lambda: here.down(between), 3: while_judging, 4: quick_again}
    outcome = run(trainer, events, steps=6, JUDGE_PATIENCE_SECONDS="300")

    assert outcome.error is None
    assert len(outcome.steps) == 6
    assert all(reward is not None for step in outcome.steps for reward in step["rewards"])
    assert outcome.log.count("Retrying for up to 300 s") >= 1
    assert max(step["seconds"] for step in outcome.steps) >= max(seconds)
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


def test_a_restart_is_waited_for_at_each_place_of_a_run(run, here, values):
    killed_at_three_places("trl", run, here, values, seconds=(1, 1, 1))


@pytest.mark.longest
@pytest.mark.parametrize("trainer", TOGETHER)
@pytest.mark.parametrize("seconds", [(20, 60, 120), (60, 120, 20), (120, 20, 60)], ids=str)
def test_an_outage_of_20_60_and_120_seconds_is_waited_for_at_each_place(trainer, seconds, run, here, values):
    killed_at_three_places(trainer, run, here, values, seconds=seconds)


@pytest.mark.longest
def test_an_outage_longer_than_the_patience_costs_the_step_and_is_logged(run, here, values):
    """``drop``: the completions get no reward, the metrics say why, and the training goes on."""
    outcome = run("trl", {2: lambda: here.down(60)}, steps=6, JUDGE_PATIENCE_SECONDS="5")

    assert outcome.error is None
    assert [reward for step in outcome.steps if step["step"] == 2 for reward in step["rewards"]] == [None] * 4
    assert outcome.result["counts"]["failed/server_unreachable"] >= 4
    assert any(logged.get("test/outage/judge_failed") == 1.0 for logged in outcome.result["log"])
    no_false_rewards(outcome, here, values)


def test_a_broken_file_changes_nothing_and_one_changed_under_its_version_stops_the_training(run, here, values):
    def broken():
        here.rubric_file.write_text("id: test/outage\nversion: 1.0.0\npionts: 3\n")
        time.sleep(SEEN_SECONDS)

    def changed():
        other = copy.deepcopy(RUBRIC)
        other["criteria"][0]["statement"] = "Is short."
        here.write(other)
        time.sleep(SEEN_SECONDS)

    outcome = run("trl", {1: broken, 3: changed}, steps=5)

    assert [step["step"] for step in outcome.steps] == [0, 1, 2]
    assert "rubric_conflict" in outcome.error["detail"]
    assert "the next version" in outcome.error["detail"]
    assert any("stays as it was" in line for line in here.server.log)
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


@pytest.mark.longest
@pytest.mark.parametrize("trainer", TOGETHER)
def test_a_file_that_is_removed_stops_the_training(trainer, run, here, values):
    def removed():
        here.rubric_file.unlink()
        time.sleep(SEEN_SECONDS)

    outcome = run(trainer, {2: removed})

    assert outcome.error["type"] == "UnknownRubric"
    assert "'test/outage@1.0.0' any more: its file was removed" in outcome.error["detail"]
    assert [step["step"] for step in outcome.steps] == [0, 1]
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


@pytest.mark.longest
def test_a_judge_that_is_half_dead_costs_half_of_the_rewards_and_is_logged(run, here, values):
    def half_dead():
        values.half_dead = True

    outcome = run("trl", {1: half_dead}, steps=5)

    assert outcome.error is None
    assert values.refused
    assert outcome.result["counts"]["failed/judge_unavailable"]
    assert any(logged.get("test/outage/judge_failed", 0) > 0 for logged in outcome.result["log"])
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


@pytest.mark.longest
@pytest.mark.parametrize("trainer", TOGETHER)
def test_another_model_behind_the_address_of_the_judge_stops_the_training_when_the_server_has_met_it(
    trainer, run, here, values
):
    """The server asks a model who it is when it starts."""
    other = Values()

    def replaced():
        here.judge.behave = other.behave
        here.judge.listing = {"object": "list", "data": [{"id": "stub", "object": "model", "root": "/models/other"}]}
        here.restart()

    outcome = run(trainer, {2: replaced})

    assert outcome.error["type"] == "RewardChanged"
    assert "at step 3" in outcome.error["detail"].lower()  # TRL and ms-swift log it as 3
    assert [step["step"] for step in outcome.steps] == [0, 1]
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


def replaced_while_the_server_runs_on(trainer, run, here, values):
    other = Values(steady="other")

    outcome = run(trainer, {2: lambda: here.replace_judge(other.behave)}, steps=5)

    assert outcome.error["type"] == "RewardChanged"
    assert outcome.steps[-1]["step"] in (1, 2)
    assert not any(reward is not None for step in outcome.steps if step["step"] == 2 for reward in step["rewards"])
    assert any("another model answers as stub" in line for line in here.server.log)
    no_false_rewards(outcome, here, values)
    one_reward_for_all(outcome, here)


@pytest.mark.parametrize("values", ["first"], indirect=True)
def test_another_model_at_the_address_of_the_judge_stops_the_training_while_the_server_runs_on(run, here, values):
    replaced_while_the_server_runs_on("trl", run, here, values)


@pytest.mark.longest
@pytest.mark.parametrize("values", ["first"], indirect=True)
def test_another_model_stops_the_other_trainer_too(run, here, values):
    replaced_while_the_server_runs_on("ms_swift", run, here, values)
