"""How many engines a step needs, and what more would cost."""

import pytest

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import BadConfiguration, BadInput
from judge_server.sizing.data_sheet import card_of, speed_of
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.fleet import Installation
from judge_server.sizing.model_shape import shape_of
from judge_server.sizing.plan import SizingGoal, plan
from judge_server.sizing.replica import Replica
from judge_server.sizing.step_cost import StepCost
from judge_server.sizing.workload import TrainingStep

LIMITS = EngineLimits(step_tokens=8_192, sequences=256, kv_tokens=400_000, block_tokens=16, gpus=1)
ENGINE = EngineSpeed(name="made up", cost=StepCost(step=0.004, token=4e-5), limits=LIMITS, origin="measured")
WORKLOAD = TrainingStep(rollouts=256, criteria=4, response_tokens=500)


@pytest.fixture
def h100() -> EngineSpeed:
    return speed_of(shape_of("Qwen3-8B"), card_of("h100"), cards=1, step_tokens=8_192, sequences=256)


def test_the_smallest_fleet_is_found():
    fleet = Installation(ENGINE)
    found = fleet.needed(WORKLOAD, 2.0)
    assert found.seconds <= 2.0
    assert fleet.figures(WORKLOAD, found.engines - 1).seconds > 2.0


def test_a_time_that_no_fleet_reaches_is_refused():
    with pytest.raises(BadInput, match="256 engines"):
        Installation(ENGINE).needed(WORKLOAD, 0.001)


def test_rollouts_of_one_prompt_stay_together_while_there_are_prompts_enough():
    fleet = Installation(ENGINE)
    assert fleet.figures(WORKLOAD, 3).rollouts_each == 88, "11 groups of 8"
    assert fleet.figures(WORKLOAD, 64).rollouts_each == 4


def test_extrapolation_agrees_with_the_whole_simulation():
    whole = TrainingStep(rollouts=800, criteria=4, response_tokens=300, answer_tokens=4)
    found = Installation(ENGINE, simulated=4_000).figures(whole, 1)
    assert found.rollouts_simulated == 250
    assert found.seconds == pytest.approx(Replica(ENGINE).judge(whole).seconds, rel=0.03)


def test_a_million_rollouts_need_thousands_of_cards(h100):
    step = TrainingStep(rollouts=1_000_000, criteria=4, response_tokens=2_000)
    small = TrainingStep(rollouts=800, criteria=4, response_tokens=2_000)
    fleet = Installation(h100, simulated=2_000)
    found = fleet.needed(step, 60.0)
    assert 1_000 < found.engines < 10_000
    share = fleet.figures(small, 1).seconds * 1_250 / 60.0
    assert found.engines == pytest.approx(share, rel=0.1)


def test_the_plan_says_share_money_and_the_price_of_more(h100):
    made = plan(WORKLOAD, h100, Installation(h100), SizingGoal(engines=2, step_seconds=100, gpu_hour=3.0))
    assert made.step_share == pytest.approx(made.fleet.seconds / 100)
    assert made.dollars == pytest.approx(2 * made.fleet.seconds / 3_600 * 3)
    assert [more.what for more in made.more] == ["one more criterion", "one more vote", "responses longer by a tenth"]
    assert all(more.seconds > 0 and more.dollars is not None and more.dollars > 0 for more in made.more)


def test_no_time_and_no_number_of_engines_is_refused():
    with pytest.raises(BadInput, match="--step-seconds"):
        plan(WORKLOAD, ENGINE, Installation(ENGINE), SizingGoal())


def test_weights_that_do_not_fit_a_card_are_refused():
    with pytest.raises(BadConfiguration, match="--tensor-parallel"):
        speed_of(shape_of("Llama-3.1-70B"), card_of("H100"), cards=1, step_tokens=8_192, sequences=256)


def test_the_shape_of_a_checkpoint_is_counted_from_its_configuration(tiny_checkpoint):
    shape = shape_of(str(tiny_checkpoint))
    assert (shape.layers, shape.heads, shape.head_size) == (2, 4, 32)
    weights = (tiny_checkpoint / "model.safetensors").stat().st_size
    assert shape.parameters * 4 == pytest.approx(weights, rel=0.05)
