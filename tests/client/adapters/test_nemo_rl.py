"""Called as NeMo-RL 0.6 and 7ea279abf do (``nemo_rl/experience/rollouts.py``: ``calculate_rewards``; the interface is
that of ``nemo_rl/environments/interfaces.py``).

``EnvironmentReturn`` has its fields; ``remote`` leaves a class as it is, where Ray makes an actor of it.
"""

import importlib
import json
import sys
from abc import ABC, abstractmethod
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
import yaml

from judge_client import BadConfiguration, JudgeFailed
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import ANSWERED, GOOD, QUESTION, of_the_page, settings, telling
from tests.trainers.page import examples


class EnvironmentReturn(NamedTuple):
    observations: list[dict[str, str]]
    metadata: list[Any]
    next_stop_strings: list[Any]
    rewards: Any
    terminateds: Any
    answers: list[str | None] | None


class EnvironmentInterface(ABC):
    @abstractmethod
    def step(self, message_log_batch, metadata): ...

    @abstractmethod
    def global_post_process_and_metrics(self, batch): ...


REGISTRIES: dict[str, dict[str, str]] = {"actors": {}, "environments": {}}
NEMO_RL = {
    "ray": {"remote": lambda kind: kind},
    "nemo_rl.distributed.ray_actor_environment_registry": {"ACTOR_ENVIRONMENT_REGISTRY": REGISTRIES["actors"]},
    "nemo_rl.distributed.virtual_cluster": {"PY_EXECUTABLES": SimpleNamespace(SYSTEM="python")},
    "nemo_rl.environments.interfaces": {
        "EnvironmentInterface": EnvironmentInterface,
        "EnvironmentReturn": EnvironmentReturn,
    },
    "nemo_rl.environments.utils": {"register_env": REGISTRIES["environments"].__setitem__},
}


@pytest.fixture(scope="module")
def adapter():
    with importable(NEMO_RL):
        yield importlib.import_module("judge_client.adapters.nemo_rl")
        del sys.modules["judge_client.adapters.nemo_rl"]


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def log(response, question=QUESTION):
    """Contents hold the rendered template, as the data processors of NeMo-RL leave them."""
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": f"{response}<|im_end|>"}]


def test_a_step_gives_a_reward_and_ends_the_episode(adapter, served):
    url, judge = served
    environment = adapter.JudgeEnvironment(settings(url))
    found = environment.step([log(GOOD), log("Drink.")], [{"ground_truth": "Rest."}, None])
    assert found.rewards.dtype == torch.float32
    assert found.rewards.tolist() == pytest.approx([0.9, 0.9])
    assert found.terminateds.tolist() == [True, True]
    assert [observation["role"] for observation in found.observations] == ["environment"] * 2
    assert found.metadata == [{"ground_truth": "Rest."}, None]
    assert len(found.next_stop_strings) == len(found.answers) == 2
    assert QUESTION in str(judge.bodies[-1])
    assert "im_start" not in str(judge.bodies[-1])


@pytest.mark.parametrize("fault", ANSWERED)
def test_a_failed_judge_raises_or_is_what_was_chosen(adapter, served, fault):
    logs = [log(GOOD), log(ANSWERED[fault])]
    with pytest.raises(JudgeFailed):
        adapter.JudgeEnvironment(settings(served[0])).step(logs, [{}, {}])
    number = adapter.JudgeEnvironment(settings(served[0], on_failure=-1))
    before = number.global_post_process_and_metrics({})[1]
    assert number.step(logs, [{}, {}]).rewards.tolist() == pytest.approx([0.9, -1.0])
    batch = {"rewards": 1}
    after = number.global_post_process_and_metrics(batch)
    assert after[0] is batch
    assert after[1]["judge/substituted"] == before["judge/substituted"] + 1
    neutral = adapter.JudgeEnvironment(settings(served[0], on_failure="neutral"))
    assert neutral.step(logs, [{}, {}]).rewards.tolist() == pytest.approx([0.9, 0.9])


def test_drop_is_refused_when_the_environment_is_made(adapter, served):
    with pytest.raises(BadConfiguration, match="NeMo-RL cannot bear drop"):
        adapter.JudgeEnvironment(settings(served[0], on_failure="drop"))


def test_registering_names_an_actor_that_can_be_imported(adapter):
    adapter.register("judged")
    assert REGISTRIES["environments"] == {"judged": adapter.NAME}
    assert REGISTRIES["actors"] == {adapter.NAME: "python"}
    module, _, name = adapter.NAME.rpartition(".")
    assert getattr(importlib.import_module(module), name) is adapter.JudgeEnvironment


def processed(row, told):
    """``math_hf_data_processor`` of NeMo-RL: the answer column becomes the ground truth of the environment."""
    return log(GOOD, row[told["input_key"]]), {"ground_truth": row[told["output_key"]]}


def test_the_configuration_and_the_rows_of_the_page_make_a_step(adapter, served):
    page = yaml.safe_load(examples("nemo-rl", "yaml")[0])
    name = page["data"]["default"]["env_name"]
    adapter.register(name)
    rows = [json.loads(line) for line in examples("nemo-rl", "json")[0].splitlines()]
    logs, told = zip(*(processed(row, page["data"]["train"]) for row in rows), strict=True)

    found = adapter.JudgeEnvironment(page["env"][name] | {"url": served[0]}).step(logs, told)

    assert name in REGISTRIES["environments"]
    assert found.rewards.tolist() == pytest.approx([of_the_page(served[0])] * 2)


def test_the_lines_that_the_page_adds_are_those_of_the_adapter(adapter):
    (added,) = [block for block in examples("nemo-rl", "diff") if "register" in block]
    lines = [line[1:].strip() for line in added.splitlines() if line.startswith("+")]
    found: dict[str, object] = {}
    exec("\n".join(lines).replace("register()", "named = register"), found)
    assert found["named"] is adapter.register


def test_a_run_that_ends_shuts_the_environment_down(adapter, served):
    """``shutdown_environments`` of ``nemo_rl/algorithms/grpo.py``, which kills an actor that cannot."""
    adapter.JudgeEnvironment(settings(served[0])).shutdown()
