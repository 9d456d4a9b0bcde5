"""Called as ROLL 8eb27cc2 does (``roll/distributed/scheduler/reward_scheduler.py``; the worker's form is that of
``roll/pipeline/rlvr/rewards/llm_judge_reward_worker.py``, the remote form's of ``remote_reward_system_worker.py``).

``Worker``, ``register`` and ``DataProto`` have the members that a reward worker touches.
"""

import importlib
import sys
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch
import yaml

from judge_client import BadConfiguration, JudgeFailed
from tests.client.adapters.foreign import importable
from tests.client.adapters.telling import (
    ANSWERED,
    FAILING,
    GOOD,
    MESSAGES,
    QUESTION,
    RENDERED,
    RUBRIC,
    of_the_page,
    seconds_for,
    telling,
)
from tests.client.conftest import environment
from tests.trainers.page import examples
from tests.yardstick import PATIENCE_SECONDS

PAD = "<|endoftext|>"


class Worker:
    def __init__(self, worker_config):
        self.worker_config = worker_config
        self.rank_info = SimpleNamespace(rank=0, world_size=2, dp_rank=None, dp_size=None)


def register(**_options):
    return lambda function: function


class DataProto:
    def __init__(self, batch, non_tensor_batch=None):
        self.batch, self.non_tensor_batch, self.meta_info = batch, non_tensor_batch or {}, {}

    @classmethod
    def from_dict(cls, tensors):
        return cls(tensors)


class Letters:
    """A tokenizer: a token is a letter, and 0 is padding."""

    pad_token = PAD

    def batch_decode(self, ids, *, skip_special_tokens):
        assert not skip_special_tokens
        return ["".join(chr(token) if token else PAD for token in row.tolist()) for row in ids]


ROLL = {
    "roll.distributed.executor.worker": {"Worker": Worker},
    "roll.distributed.scheduler.decorator": {
        "Dispatch": SimpleNamespace(ONE_TO_ALL=1, DP_MP_COMPUTE=2),
        "register": register,
    },
    "roll.distributed.scheduler.protocol": {"DataProto": DataProto},
    "roll.models.model_providers": {"default_tokenizer_provider": lambda model_args: Letters()},
}


@pytest.fixture(scope="module")
def worker_class():
    with importable(ROLL):
        yield importlib.import_module("judge_client.adapters.roll").JudgeRewardWorker
        del sys.modules["judge_client.adapters.roll"]


@pytest.fixture(scope="module")
def served():
    with telling() as (url, judge):
        yield url, judge


def worker(worker_class, url, policy=None):
    chosen = {} if policy is None else {"JUDGE_ON_FAILURE": policy}
    config = SimpleNamespace(model_args=None, judge_api_url=url, judge_api_key=None, judge_model_name=None)
    with environment(JUDGE_DEADLINE_SECONDS=str(seconds_for()), **chosen):
        made = worker_class(config)
    made.initialize(None)
    return made


def tokens(texts, *, left):
    longest = max(map(len, texts))
    padded = [text.rjust(longest, "\0") if left else text.ljust(longest, "\0") for text in texts]
    return torch.tensor([[ord(letter) for letter in text] for text in padded])


def batch(responses, **columns):
    """Prompts are padded on the left, responses on the right; columns are arrays of objects."""
    count = len(responses)
    usual = {"id": list(range(count)), "ground_truth": [""] * count, "rubric": [RUBRIC] * count}
    arrays = {}
    for name, values in (usual | columns).items():
        arrays[name] = np.empty(count, dtype=object)
        arrays[name][:] = values
    ended = [response + "<|im_end|>" for response in responses]
    prompts = [RENDERED] * (count - 1) + [RENDERED.replace("Be kind.", "Be very kind.")]
    return DataProto({"prompts": tokens(prompts, left=True), "responses": tokens(ended, left=False)}, arrays)


def test_rewards_come_as_roll_wants_them(worker_class, served):
    url, judge = served
    data = batch([GOOD, "Drink."])
    output = worker(worker_class, url).compute_rewards(data)
    assert output.batch["response_level_rewards"].tolist() == pytest.approx([0.9, 0.9])
    assert output.batch["scores"].tolist() == pytest.approx([0.9, 0.9])
    assert output.batch["token_level_rewards"].shape == data.batch["responses"].shape
    assert not output.batch["token_level_rewards"].any()
    assert output.meta_info["metrics"] == {"judge/failed": 0.0, "judge/coverage": 1.0}
    assert QUESTION in str(judge.bodies[-1])
    assert not any(mark in str(judge.bodies[-1]) for mark in ("im_start", "im_end", "endoftext"))


def test_messages_of_the_data_set_go_before_the_decoded_prompt(worker_class, served):
    told = [[{"role": "user", "content": "Where is the sea?"}]]
    worker(worker_class, served[0]).compute_rewards(batch([GOOD], messages=told))
    assert "Where is the sea?" in str(served[1].bodies[-1])
    assert MESSAGES[0]["content"] not in str(served[1].bodies[-1])


@pytest.mark.parametrize("fault", ANSWERED)
def test_a_failed_judge_raises_or_is_what_was_chosen(worker_class, served, fault):
    data = batch([GOOD, ANSWERED[fault]])
    with pytest.raises(JudgeFailed):
        worker(worker_class, served[0]).compute_rewards(data)
    output = worker(worker_class, served[0], "-1").compute_rewards(data)
    assert output.batch["response_level_rewards"].tolist() == pytest.approx([0.9, -1.0])
    assert output.meta_info["metrics"] == {"judge/failed": 0.5, "judge/coverage": 1.0}


def test_neutral_is_the_mean_of_the_same_prompt(worker_class, served):
    data = batch([GOOD, FAILING["garbage"], "Another prompt's."])
    output = worker(worker_class, served[0], "neutral").compute_rewards(data)
    assert output.batch["response_level_rewards"].tolist() == pytest.approx([0.9, 0.9, 0.9])


def test_drop_is_refused_when_the_worker_starts(worker_class, served):
    with pytest.raises(BadConfiguration, match="ROLL cannot bear drop"):
        worker(worker_class, served[0], "drop")


def test_the_settings_of_the_page_make_a_worker(worker_class, served):
    """The fields of a worker's configuration that an adapter reads; ROLL fills ``${pretrain}`` in."""
    (told,) = yaml.safe_load(examples("roll", "yaml")[0])["rewards"].values()
    module, _, name = told["worker_cls"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is worker_class
    config = SimpleNamespace(**told | {"judge_api_url": served[0], "judge_api_key": None, "judge_model_name": None})
    with environment(JUDGE_RUBRIC="medical/consultation"):
        output = worker_class(config).compute_rewards(batch([GOOD], rubric=[None]))
    assert output.batch["scores"].tolist() == pytest.approx([of_the_page(served[0])])


def remote(config, url, response):
    """``RewardSystemHandler.get_reward`` of ``remote_reward_system_worker.py``, without its waiting and its headers."""
    at = {name: config[name].replace("http://127.0.0.1:8000", url) for name in ("submit_url", "get_result_url")}
    told = {"prompt": QUESTION, "response": response, "reward_info": {"ground_truth": "Rest."}, "reward_manager": {}}
    places = {"project_id": "p", "experiment_id": "e", "global_step": 0, "data_id": "d", "rollout_id": "r"}
    submitted = httpx.post(
        at["submit_url"], json=told | places | {"priority": 1, "timeout": 2}, timeout=PATIENCE_SECONDS
    ).json()
    assert submitted["errcode"] == 0
    result: dict[str, object] = {"errcode": 1}
    while result["errcode"] == 1:
        asked = {"reward_request_id": submitted["reward_request_id"]}
        result = httpx.request("GET", at["get_result_url"], json=asked, timeout=PATIENCE_SECONDS).json()
    return result


@pytest.mark.parametrize("response", [GOOD, *FAILING.values()])
def test_the_remote_form_of_the_page_rewards_or_says_that_the_judge_failed(served, response):
    batch = SimpleNamespace(meta_info={})
    exec(examples("roll", "python")[0], {"batch": batch})
    result = remote(batch.meta_info["reward_system_config"], served[0], response)
    assert result["errcode"] == 0
    failed = result["dimention_reward_score"]["judge_failed"]["score"]
    assert (failed, result["reward_score"]) == (
        (0.0, pytest.approx(of_the_page(served[0]))) if response == GOOD else (1.0, 0.5)
    )
    assert bool(result["errmsg"]) is bool(failed)
