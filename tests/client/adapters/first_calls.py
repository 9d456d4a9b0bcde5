"""The first call of a training through each adapter: what the user wrote becomes what the trainer hands over.

Every training is as lenient as its trainer can bear: a failed judge is dropped, or is 0.25.
"""

import asyncio
import importlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from tests.client.adapters.test_nemo_rl import log
from tests.client.adapters.test_ragen import CONFIGURATIONS, ENVIRONMENTS
from tests.client.adapters.test_rllm import Episode, Step, Task, Trajectory
from tests.client.adapters.test_roll import DataProto, tokens
from tests.client.conftest import environment

VARIABLES = {
    "url": "JUDGE_URL",
    "rubric": "JUDGE_RUBRIC",
    "api_key": "JUDGE_API_KEY",
    "judge": "JUDGE_NAME",
    "on_failure": "JUDGE_ON_FAILURE",
    "on_change": "JUDGE_ON_CHANGE",
    "deadline_seconds": "JUDGE_DEADLINE_SECONDS",
    "patience_seconds": "JUDGE_PATIENCE_SECONDS",
    "attempts": "JUDGE_ATTEMPTS",
    "priority": "JUDGE_PRIORITY",
}


@dataclass(frozen=True)
class FirstCall:
    """``settings``: of Rewarder, by whichever way the trainer hands them over. ``columns``: of the data set.
    ``label``: where a trainer has one text for the ground truth."""

    settings: Mapping[str, Any]
    prompt: Any = "I cough."
    response: Any = "Rest."
    columns: Mapping[str, Any] = field(default_factory=dict)
    label: Any = ""

    @property
    def messages(self) -> Any:
        return [{"role": "user", "content": self.prompt}] if isinstance(self.prompt, str) else self.prompt

    @property
    def lists(self) -> dict[str, list[Any]]:
        return {name: [value] for name, value in self.columns.items()}

    @property
    def variables(self) -> dict[str, str]:
        """Of the environment, where the trainer has no other way."""
        return {VARIABLES.get(name, name): str(value) for name, value in self.settings.items() if value is not None}


def adapter(name: str) -> Any:
    return importlib.import_module(f"judge_client.adapters.{name}")


def trl(call: FirstCall) -> Any:
    reward = adapter("trl").SyncRubricReward(**call.settings)
    return reward(prompts=[call.prompt], completions=[call.response], completion_ids=[[1]], **call.lists)


def trl_async(call: FirstCall) -> Any:
    async def run() -> Any:
        reward = adapter("trl").RubricReward(**call.settings)
        return await reward(prompts=[call.prompt], completions=[call.response], completion_ids=[[1]], **call.lists)

    return asyncio.run(run())


def trl_components(call: FirstCall) -> Any:
    (reward,) = adapter("trl_components").component_rewards(components=["concern_acknowledged"], **call.settings)
    return reward(prompts=[call.prompt], completions=[call.response], completion_ids=[[1]], **call.lists)


def ms_swift(call: FirstCall) -> Any:
    messages = [*call.messages, {"role": "assistant", "content": call.response}]
    with environment(**call.variables):
        reward = adapter("ms_swift").orms["rubric_sync"](None)
        return reward([call.response], messages=[messages], **call.lists)


def ms_swift_async(call: FirstCall) -> Any:
    messages = [*call.messages, {"role": "assistant", "content": call.response}]

    async def run() -> Any:
        return await adapter("ms_swift").orms["rubric"](None)([call.response], messages=[messages], **call.lists)

    with environment(**call.variables):
        return asyncio.run(run())


def verl(call: FirstCall) -> Any:
    async def run() -> Any:
        extra = {"raw_prompt": call.prompt, **call.columns}
        return await adapter("verl").compute_score("d", call.response, call.label, extra, **call.settings)

    return asyncio.run(run())


def verl_manager(call: FirstCall) -> Any:
    class Item(SimpleNamespace):
        def __getitem__(self, _: Any) -> Any:
            return self

    config = SimpleNamespace(reward={"reward_kwargs": {"judge": dict(call.settings)}})
    batch = {"responses": torch.ones(1), "attention_mask": torch.ones(2)}
    columns = {
        "raw_prompt": call.prompt,
        "extra_info": dict(call.columns),
        "reward_model": {"ground_truth": call.label},
    }
    tokenizer = SimpleNamespace(decode=lambda ids, skip_special_tokens: call.response)

    async def run() -> Any:
        manager = adapter("verl_manager").JudgeRewardManager(config, tokenizer, None)
        return await manager.run_single(Item(batch=batch, non_tensor_batch=columns))

    return asyncio.run(run())


def openrlhf(call: FirstCall) -> Any:
    with environment(**call.variables):
        return adapter("openrlhf").reward_func([f"{call.prompt}{call.response}"], [call.prompt], [call.label])


def easyr1(call: FirstCall) -> Any:
    label = call.label or {"prompt": call.prompt, **call.columns}
    return adapter("easyr1").main([{"response": call.response, "ground_truth": label}], **call.settings)


def _of_slime(name: str, call: FirstCall) -> Any:
    given = {"label": call.label, "metadata": dict(call.columns)}
    sample = SimpleNamespace(prompt=call.prompt, response=call.response, **given)

    async def run() -> Any:
        return await adapter(name).reward(SimpleNamespace(group_rm=False, reward_key=None), sample)

    with environment(**call.variables):
        return asyncio.run(run())


def slime(call: FirstCall) -> Any:
    return _of_slime("slime", call)


def miles(call: FirstCall) -> Any:
    return _of_slime("miles", call)


def areal(call: FirstCall) -> Any:
    reward = adapter("areal").RubricReward(**call.settings)
    return reward(call.prompt, call.response, [1], [2], answer=call.label, **call.columns)


def art(call: FirstCall) -> Any:
    said = [*call.messages, {"role": "assistant", "content": call.response}]
    package = importlib.import_module("art")
    group = package.TrajectoryGroup([package.Trajectory(said, dict(call.columns))])

    async def run() -> Any:
        found = await adapter("art").RubricReward(**call.settings)(group)
        return None if found is None else [one.reward for one in found.trajectories]

    return asyncio.run(run())


def skyrl(call: FirstCall) -> Any:
    extras = {**call.columns, "reward_spec": {"ground_truth": call.label}}
    env = adapter("skyrl").RubricEnv({}, extras, **call.settings)
    env.init(call.messages)
    return env.step(call.response).reward


def tinker(call: FirstCall) -> Any:
    settings = dict(call.settings)
    builder = adapter("tinker").RubricGroupBuilder(
        call.prompt, None, settings.pop("rubric", None), 1, call.columns, settings=settings
    )

    async def run() -> Any:
        envs = await builder.make_envs()
        for env in envs:
            env.response = [{"role": "assistant", "content": call.response}]
        return await builder.compute_group_rewards([], envs)

    return asyncio.run(run())


def trinity(call: FirstCall) -> Any:
    reward = adapter("trinity").RubricReward(**call.settings)
    return reward(response=call.response, truth=call.label, prompt=call.prompt, **call.columns)


def trinity_workflow(call: FirstCall) -> Any:
    async def chat(messages: Any, **_: Any) -> Any:
        return [SimpleNamespace(response_text=call.response, metrics=None, eid=SimpleNamespace(run=0))]

    row = {"prompt": call.messages, **call.columns}
    task = SimpleNamespace(raw_task=row, truth=call.label, reward_fn=None, reward_fn_args=dict(call.settings))
    kind = adapter("trinity").RubricWorkflow
    return asyncio.run(kind(task=task, model=SimpleNamespace(chat_async=chat)).run_async())


def verifiers(call: FirstCall) -> Any:
    module = adapter("verifiers")
    data = {"prompt": call.prompt, "idx": 0, **call.columns}
    task = SimpleNamespace(prompt_text=call.prompt, model_dump=lambda mode: data)
    trace = SimpleNamespace(root_reply=True, last_reply=call.response, record_metrics=lambda _: None, info={})
    fields = {name: call.settings[name] for name in module.RubricJudgeConfig.model_fields if name in call.settings}
    with environment(**{name: value for name, value in call.variables.items() if name != "JUDGE_URL"}):
        return asyncio.run(module.RubricJudge(module.RubricJudgeConfig(**fields)).score(task, trace))


def verifiers_rubric(call: FirstCall) -> Any:
    state: dict[str, Any] = {
        "prompt": call.prompt,
        "completion": call.response,
        "answer": call.label,
        "info": dict(call.columns),
        "metrics": {},
    }
    asyncio.run(adapter("verifiers_rubric").RubricReward(**call.settings).score_rollout(state))
    return state["reward"]


def nemo_rl(call: FirstCall) -> Any:
    told = {"messages": call.prompt, "ground_truth": call.label, **call.columns}
    return adapter("nemo_rl").Judging(call.settings).step([log(call.response)], [told]).rewards.tolist()


def open_instruct(call: FirstCall) -> Any:
    with environment(**call.variables):
        verifier = adapter("open_instruct").JudgeServerVerifier()
        return verifier([1], call.response, call.label, call.prompt).score


def ragen(call: FirstCall) -> Any:
    adapter("ragen").register()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_text(json.dumps({"prompt": call.prompt, **call.columns}), encoding="utf-8")
        env = ENVIRONMENTS["rubric"](CONFIGURATIONS["rubric"](dataset=str(file), settings=dict(call.settings)))
    env.reset(seed=1)
    return env.step(call.response)


def rllm(call: FirstCall) -> Any:
    said = [*call.messages, {"role": "assistant", "content": call.response}]
    task = Task("0", call.prompt, {"ground_truth": call.label, **call.columns})
    episode = Episode([Trajectory([Step(chat_completions=said)])])
    return adapter("rllm").RubricEvaluator(**call.settings).evaluate(task, episode).reward


def roll(call: FirstCall) -> Any:
    columns = {"ground_truth": call.label, "messages": call.prompt, **call.columns}
    arrays = {name: np.array([None], dtype=object) for name in columns}
    for name, value in columns.items():
        arrays[name][0] = value
    texts = {"prompts": tokens(["Hello"], left=True), "responses": tokens([call.response], left=False)}
    with environment(**call.variables):
        worker = adapter("roll").JudgeRewardWorker(SimpleNamespace(model_args=None))
        return worker.compute_rewards(DataProto(texts, arrays)).batch["scores"].tolist()


def torchforge(call: FirstCall) -> Any:
    return adapter("torchforge").RubricReward(**call.settings)(call.prompt, call.response, call.label)


@dataclass(frozen=True)
class Adapter:
    """``takes``: where a user can go wrong. ``options``: settings as Python values, not only as text. ``columns``: of a
    data set, ``texts`` if references must be text, ``objects`` if values can be more than JSON. ``envelope``: a label
    of JSON. ``messages``: prompts as messages. ``answers``: responses as the trainer has them, where neither it nor the
    adapter makes text of them first."""

    first_call: Callable[[FirstCall], Any]
    takes: frozenset[str]
    lenient: str | float = 0.25


def _adapter(first_call: Callable[[FirstCall], Any], takes: str, lenient: str | float = 0.25) -> Adapter:
    return Adapter(first_call, frozenset(takes.split()), lenient)


ADAPTERS = {
    "trl": _adapter(trl, "options columns objects texts messages answers", "drop"),
    "trl, async": _adapter(trl_async, "options columns objects texts messages answers", "drop"),
    "trl, components": _adapter(trl_components, "options columns objects texts messages answers", "drop"),
    "ms-swift": _adapter(ms_swift, "columns objects texts messages"),
    "ms-swift, async": _adapter(ms_swift_async, "columns objects texts messages"),
    "verl": _adapter(verl, "options columns objects envelope messages answers"),
    "verl, manager": _adapter(verl_manager, "options columns objects envelope messages"),
    "openrlhf": _adapter(openrlhf, "envelope"),
    "easyr1": _adapter(easyr1, "options columns objects envelope messages answers"),
    "slime": _adapter(slime, "columns objects envelope messages answers"),
    "miles": _adapter(miles, "columns objects envelope messages answers"),
    "areal": _adapter(areal, "options columns objects envelope messages answers"),
    "art": _adapter(art, "options columns objects texts messages", "drop"),
    "skyrl": _adapter(skyrl, "options columns objects envelope messages"),
    "tinker": _adapter(tinker, "options columns objects texts messages"),
    "trinity": _adapter(trinity, "options columns objects envelope messages answers"),
    "trinity, workflow": _adapter(trinity_workflow, "options columns objects envelope messages"),
    "verifiers": _adapter(verifiers, "columns objects texts messages answers"),
    "verifiers, rubric": _adapter(verifiers_rubric, "options columns", "drop"),
    "nemo-rl": _adapter(nemo_rl, "options columns objects envelope messages"),
    "open-instruct": _adapter(open_instruct, "envelope"),
    "ragen": _adapter(ragen, "options columns messages answers"),
    "rllm": _adapter(rllm, "options columns objects envelope messages"),
    "roll": _adapter(roll, "columns objects envelope messages"),
    "torchforge": _adapter(torchforge, "options envelope answers"),
}
