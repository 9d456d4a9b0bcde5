"""The simulated engine obeys its limits, and its figures follow by hand where that can be calculated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.engine import EngineLimits
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.replica import DoesNotFit, Replica
from judge_server.sizing.step_cost import FrontCost, StepCost
from judge_server.sizing.workload import TrainingStep


def engine(cost: StepCost, **limits) -> EngineSpeed:
    usual = {"step_tokens": 100, "sequences": 8, "kv_tokens": 16_000, "block_tokens": 10}
    return EngineSpeed(name="made up", cost=cost, limits=EngineLimits(**usual | limits), origin="measured")


def workload(**changes) -> TrainingStep:
    usual = {
        "rollouts": 2,
        "criteria": 3,
        "group": 2,
        "instruction_tokens": 10,
        "prompt_tokens": 20,
        "response_tokens": 30,
        "criterion_tokens": 15,
    }
    return TrainingStep(**usual | changes)


def test_two_rollouts_of_three_criteria_by_hand():
    """Step 1 computes 75 tokens of the first call, 15 of the second and 10 of the third. Step 2 computes the last 5
    tokens of that, then 45 tokens of the second rollout's first call and 15 of each of the two others."""
    done = Replica(engine(StepCost(step=1.0, token=0.01))).judge(workload())
    assert done.work.steps == 2
    assert done.work.tokens == 75 + 15 + 15 + 45 + 15 + 15
    assert done.seconds == pytest.approx(2 + 1.8)
    assert done.waits == pytest.approx([3.8, 3.8])


def test_every_further_token_of_an_answer_takes_a_step():
    done = Replica(engine(StepCost(step=1.0))).judge(workload(rollouts=1, criteria=1, answer_tokens=5))
    assert done.work.steps == 5
    assert done.work.tokens == 75 + 4


def test_a_vote_repeats_only_the_last_block():
    done = Replica(engine(StepCost(step=1.0))).judge(workload(rollouts=1, criteria=1, votes=3))
    assert done.work.tokens == 75 + 5 + 5


def test_requests_beyond_the_limit_wait_for_the_next_step():
    done = Replica(engine(StepCost(step=1.0), sequences=2, step_tokens=1_000)).judge(workload())
    assert done.work.steps == 3


def test_a_server_that_prepares_slowly_is_the_bound():
    done = Replica(engine(StepCost(step=0.001)), server_seconds=1.0).judge(workload())
    assert done.seconds == pytest.approx(6.001)


def test_calls_are_prepared_one_after_the_other_while_the_engine_computes():
    """Calls are there at 2, 4 and 6 s; the engine takes 3 s for each and begins the third at 8 s."""
    asked = engine(StepCost(step=3.0), step_tokens=1_000).model_copy(update={"front": FrontCost(call=2.0)})
    done = Replica(asked).judge(workload(rollouts=1))
    assert done.seconds == pytest.approx(2 + 3 + 3 + 3)
    assert done.idle == pytest.approx(2)
    assert done.work.calls == 3
    assert done.work.admitted == 3 * 75


def test_what_a_step_wrote_is_read_before_the_next_call_is_prepared():
    """The first call is there at 2 s and answered by a step that ends at 5 s; its one token is read until 6 s. The
    second was prepared at 4 s and is computed from 5 to 8 s; the third, begun at 4 s, is prepared at 7 s instead of
    6 s, computed from 8 to 11 s, and read at 12 s."""
    front = FrontCost(call=2.0, read=1.0)
    asked = engine(StepCost(step=3.0), step_tokens=1_000).model_copy(update={"front": front})
    done = Replica(asked).judge(workload(rollouts=1))
    assert done.seconds == pytest.approx(12)
    assert done.idle == pytest.approx(2 + 1)
    alone = Replica(asked).judge(workload(rollouts=1, criteria=1))
    assert alone.waits == pytest.approx([2 + 3 + 1])


def test_a_process_that_reads_slower_than_the_engine_writes_is_the_bound():
    """Five tokens of each of two calls, a step each: the engine ends at 5 s and the reading at 1 + 10 x 1 s."""
    asked = engine(StepCost(step=1.0)).model_copy(update={"front": FrontCost(read=1.0)})
    done = Replica(asked).judge(workload(rollouts=1, criteria=2, answer_tokens=5))
    assert done.work.steps == 5
    assert done.seconds == pytest.approx(11)


def test_no_more_calls_are_prepared_than_the_engine_takes():
    """With one call under way at a time, nothing overlaps."""
    asked = engine(StepCost(step=3.0), sequences=1).model_copy(update={"front": FrontCost(call=2.0)})
    assert Replica(asked).judge(workload(rollouts=1)).seconds == pytest.approx(3 * (2 + 3))


def test_with_one_rollout_in_flight_each_waits_only_for_itself():
    done = Replica(engine(StepCost(step=1.0, token=0.01)), in_flight=1).judge(workload(criteria=1))
    assert done.waits == pytest.approx([1.75, 1.45])


def test_a_call_longer_than_the_cache_is_refused():
    with pytest.raises(DoesNotFit, match="76 tokens"):
        Replica(engine(StepCost(step=1.0), kv_tokens=70)).judge(workload())


@settings(max_examples=60)
@given(
    rollouts=st.integers(1, 6),
    criteria=st.integers(1, 5),
    answer=st.integers(1, 4),
    step_tokens=st.integers(1, 200),
    sequences=st.integers(1, 9),
    blocks=st.integers(8, 60),
    shares=st.booleans(),
)
def test_everything_is_judged_and_no_token_is_left_out(
    rollouts, criteria, answer, step_tokens, sequences, blocks, shares
):
    asked = workload(rollouts=rollouts, criteria=criteria, answer_tokens=answer)
    limits = {
        "step_tokens": step_tokens,
        "sequences": sequences,
        "kv_tokens": blocks * 10,
        "prefix_caching": shares,
    }
    done = Replica(engine(StepCost(step=1.0), **limits)).judge(asked)
    assert len(done.waits) == rollouts
    computed = done.work.tokens - asked.verdicts * (answer - 1)
    assert computed + done.known_tokens == asked.sent_tokens
    assert computed >= asked.different_tokens
    assert done.work.steps >= asked.verdicts * answer / sequences
    assert done.work.tokens <= done.work.steps * step_tokens
    if not shares:
        assert done.known_tokens == 0
