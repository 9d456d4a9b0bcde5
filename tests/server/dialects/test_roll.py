"""Wire shape: alibaba/ROLL 8eb27cc2, pipeline/rlvr/rewards/remote_reward_system_worker.py."""

import asyncio
from datetime import datetime

import pytest

from judge_server.core.errors import JudgeServerError, NotFound, Overloaded
from judge_server.server.dialects.rewards import Reward
from judge_server.server.dialects.roll import RollTasks, outcome
from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import roll_body, roll_result
from tests.submissions import checking

URL = f"/trainers/roll/{RUBRIC}"


def test_a_submitted_task_has_its_reward_where_roll_looks_for_it(served_rubric):
    answer = roll_result(served_rubric, RUBRIC, roll_body(), on_error="-1").json()
    assert (answer["errcode"], answer["errmsg"]) == (0, "")
    assert answer["reward_score"] == pytest.approx(0.9)
    assert answer["dimention_reward_score"] == {"judge_failed": {"score": 0.0}, "judge_coverage": {"score": 1.0}}
    assert datetime.fromisoformat(answer["end_time"]) >= datetime.fromisoformat(answer["start_time"])


def test_the_trainers_coordinates_and_the_ground_truth_go_with_it(served_rubric):
    roll_result(served_rubric, RUBRIC, roll_body("Coordinates."), on_error="-1")
    (newest,) = served_rubric.get("/v1/judgments?limit=1").json()["judgments"]
    assert newest["submission"] == {"id": "roll-1", "run": None, "group": "row-1", "step": 7, "policy": None}
    assert served_rubric.get(f"/v1/judgments/{newest['id']}").json()["submitted"]["reference"] == "Call."


@pytest.mark.parametrize(
    "info",
    [{"rubric": checking("emergency")}, {"ground_truth": {"rubric": checking("emergency")}}],
    ids=["own", "truth"],
)
def test_the_reward_info_may_be_an_envelope(served_rubric, info):
    body = roll_body("An emergency.", reward_info=info)
    assert roll_result(served_rubric, "-", body, on_error="-1").json()["reward_score"] == 1.0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{URL}/submit_task", 422),
        (f"{URL}/submit_task?on_error=raise", 422),
        ("/trainers/roll/medical/nothing/submit_task?on_error=0", 404),
    ],
)
def test_errors_stand_in_the_fields_that_roll_logs(served_rubric, path, status):
    answer = served_rubric.post(path, json=roll_body())
    assert answer.status_code == 200
    assert answer.json()["errcode"] == status
    assert answer.json()["reward_request_id"] is None
    assert len(answer.json()["errmsg"]) > 40


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"json": {"reward_request_id": "rwd_none"}}, 404),
        ({"params": {"reward_request_id": "rwd_none"}}, 404),
        ({"json": {}}, 422),
        ({}, 422),
        ({"content": b"{"}, 422),
    ],
    ids=["unknown", "unknown-in-query", "unnamed", "nothing", "garbage"],
)
def test_a_task_that_nobody_knows_is_an_error_code(served_rubric, asked, code):
    answer = served_rubric.request("GET", f"{URL}/task_result", **asked)
    assert (answer.status_code, answer.json()["errcode"]) == (200, code)
    assert answer.json()["reward_score"] is None


async def reward(value=1.0, fault=None):
    if fault:
        raise fault
    return Reward(value)


async def settled(task):
    await asyncio.wait([task.working])
    return outcome(task)


async def test_a_task_is_under_way_and_then_has_its_reward():
    tasks = RollTasks(4)
    task = tasks.find(tasks.start(reward()))
    assert outcome(task) is None
    assert await settled(task) == Reward(1.0)
    assert task.ended >= task.started


async def test_what_a_task_fails_of_is_its_outcome():
    tasks = RollTasks(4)
    fault = NotFound("gone")
    assert await settled(tasks.find(tasks.start(reward(fault=fault)))) is fault
    unforeseen = await settled(tasks.find(tasks.start(reward(fault=ValueError("x")))))
    assert isinstance(unforeseen, JudgeServerError)


async def test_more_unfinished_tasks_than_the_limit_are_refused():
    tasks = RollTasks(1)
    tasks.start(asyncio.sleep(60))
    with pytest.raises(Overloaded):
        tasks.start(reward())
    await tasks.close()


async def test_closing_ends_what_is_unfinished():
    tasks = RollTasks(2)
    task = tasks.find(tasks.start(asyncio.sleep(60)))
    await tasks.close()
    assert isinstance(outcome(task), JudgeServerError)
    tasks.find(tasks.start(reward()))
    await asyncio.sleep(0)


async def test_an_unknown_name_is_not_found():
    with pytest.raises(NotFound, match="No task"):
        RollTasks(1).find("rwd_x")
