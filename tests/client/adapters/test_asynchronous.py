"""An async reward function that nothing awaits, and a synchronous one that is awaited, name what to use instead."""

import ast
import asyncio
import inspect
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from judge_client.adapters import easyr1, miles, slime, trl, verl
from judge_client.adapters.asynchronous import PendingReward, async_reward
from judge_client.adapters.trl import RubricReward, SyncRubricReward
from judge_client.errors import BadConfiguration
from tests.project.repository import ROOT
from tests.served import served, settings_of

RUBRIC = "medical/consultation"
USES = {
    "a list": list,
    "its length": len,
    "a comprehension": lambda reward: [1.0 if one is None else one for one in reward],
    "a number": float,
    "an index": lambda reward: reward[0],
    "a sum": lambda reward: 0.5 + reward,
    "a product": lambda reward: 2 * reward,
    "a truth": bool,
    "an array": np.array,
    "an array of numbers": lambda reward: np.asarray(reward, dtype=np.float32),
    "an array of several": lambda reward: np.asarray([reward, reward], dtype=float),
}
CALLS = {
    "trl": (lambda: RubricReward(RUBRIC)(["p"], ["c"]), "Give this trainer SyncRubricReward."),
    "trl, by its path": (lambda: trl.rubric_reward(["p"], ["c"]), "judge_client.adapters.trl.sync_rubric_reward."),
    "verl": (lambda: verl.compute_score("d", "c", "g"), "judge_client.adapters.verl_manager."),
    "slime": (lambda: slime.reward(SimpleNamespace(), []), "--custom-rm-path"),
    "miles": (lambda: miles.reward(SimpleNamespace(), []), "--custom-rm-path"),
}
ASYNC = [RubricReward(RUBRIC).__call__, trl.rubric_reward, verl.compute_score, slime.reward, miles.reward]


@pytest.fixture(scope="module")
def url():
    with served(settings_of()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.mark.parametrize(("call", "fix"), CALLS.values(), ids=CALLS)
def test_the_fix_of_each_adapter_is_named(call, fix):
    with pytest.raises(BadConfiguration, match="used its result without awaiting it") as raised:
        list(call())
    assert fix in str(raised.value)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_however_the_result_is_used(use):
    with pytest.raises(BadConfiguration, match="Give this trainer SyncRubricReward"):
        use(RubricReward(RUBRIC)(["p"], ["c"]))


@pytest.mark.parametrize("function", ASYNC, ids=["object", *list(CALLS)[1:]])
def test_trainers_still_see_that_it_is_async(function):
    assert inspect.iscoroutinefunction(function)
    assert asyncio.iscoroutinefunction(function)


def test_it_is_awaited_gathered_and_made_a_task_like_any_coroutine(url):
    async def rewards():
        reward = RubricReward(RUBRIC, url=url)
        first = await reward(["I cough."], ["Rest."])
        second, third = await asyncio.gather(reward(["I cough."], ["Rest."]), reward(["I cough."], ["Rest."]))
        fourth = await asyncio.create_task(reward(["I cough."], ["Rest."]))
        return [first, second, third, fourth, await asyncio.wait_for(reward(["I cough."], ["Rest."]), 60)]

    found = asyncio.run(rewards())

    assert found[0][0] is not None
    assert found == [found[0]] * 5


def test_it_pickles_by_its_name_and_keeps_name_signature_and_docstring():
    assert pickle.loads(pickle.dumps(trl.rubric_reward)) is trl.rubric_reward
    assert trl.rubric_reward.__name__ == "rubric_reward"
    assert list(inspect.signature(trl.rubric_reward).parameters) == ["prompts", "completions", "given"]
    assert "JUDGE_RUBRIC" in inspect.getdoc(trl.rubric_reward)
    assert list(inspect.signature(RubricReward(RUBRIC)).parameters) == ["prompts", "completions", "given"]


def test_what_it_raises_and_a_cancellation_pass_through():
    @async_reward("no")
    async def waits(seconds):
        await asyncio.sleep(seconds)
        raise LookupError

    async def cancelled():
        task = asyncio.create_task(waits(600))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(LookupError):
        asyncio.run(waits(0))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    pending = waits(0)
    assert isinstance(pending, PendingReward)
    pending.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda url: SyncRubricReward(RUBRIC, url=url)(["I cough."], ["Rest."]),
        lambda url: easyr1.main(
            [{"response": "Rest.", "ground_truth": {"prompt": "I cough.", "rubric": RUBRIC}}], url=url
        ),
    ],
    ids=["trl", "easyr1"],
)
def test_a_synchronous_reward_that_is_awaited_names_the_async_one(url, call):
    async def awaited():
        return await call(url)

    assert len(call(url)) == 1
    with pytest.raises(BadConfiguration, match="is synchronous, and the trainer awaits its result"):
        asyncio.run(awaited())


def test_every_async_reward_function_of_the_adapters_is_one_of_these():
    """Methods of a trainer's own base class are called by that trainer alone."""
    for path in sorted((ROOT / "clients" / "judge_client" / "adapters").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        methods = [one for kind in tree.body if isinstance(kind, ast.ClassDef) for one in kind.body]
        callables = [one for one in methods if isinstance(one, ast.AsyncFunctionDef) and one.name == "__call__"]
        functions = [one for one in tree.body if isinstance(one, ast.AsyncFunctionDef) and one.name != "rewards_for"]
        for one in (*functions, *callables):
            assert any("async_reward" in ast.unparse(mark) for mark in one.decorator_list), (path.name, one.name)
