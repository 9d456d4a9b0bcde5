"""One sample in the words of every trainer, and what its answer says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.served import until
from tests.server.dialects.frames import FRAMES

PROMPT = "My father cannot lift his left arm since breakfast. What should I do?"
RESPONSE = "Call the emergency number now, and note the time when it began."
CHAT = FRAMES["chatml"].prompt([{"role": "user", "content": PROMPT}])
END = "<|im_end|>"


@dataclass(frozen=True)
class Dialect:
    """``body`` makes the request of a response and a label; ``reward`` reads the answer."""

    name: str
    path: str
    body: Callable[[str, Any], dict[str, Any]]
    reward: Callable[[Any], float]
    labelled: bool = True

    def ask(self, client: httpx.Client, rubric: str, response: str = RESPONSE, label: Any = None, **query: Any) -> Any:
        body = self.body(response, label)
        return client.post(self.path.format(rubric=rubric), json=body, params=query)


def _gym(response: str, label: Any) -> dict[str, Any]:
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": response}]}
    return {
        "responses_create_params": {"input": [{"role": "user", "content": PROMPT}]},
        "response": {"output": [message]},
        **(label if isinstance(label, dict) else {"reference": label}),
    }


def _azure(response: str, label: Any) -> dict[str, Any]:
    columns = label if isinstance(label, dict) else {"reference": label}
    item = {"messages": [{"role": "user", "content": PROMPT}], **columns}
    return {"sample": {"output_text": response}, "item": item, "trace_id": "trace_1"}


OPENRLHF = Dialect(
    "openrlhf",
    "/trainers/openrlhf/{rubric}",
    lambda response, label: {"query": [CHAT + response + END], "prompts": [CHAT], "labels": [label]},
    lambda answer: answer["rewards"][0],
)
SLIME = Dialect(
    "slime",
    "/trainers/slime/{rubric}",
    lambda response, label: {"prompt": CHAT, "response": response + END, "label": label},
    float,
)
LLAMAFACTORY = Dialect(
    "llamafactory",
    "/trainers/llamafactory/{rubric}",
    lambda response, label: {"model": "model", "messages": [CHAT + response + END]},
    lambda answer: answer["scores"][0],
    labelled=False,
)
AZURE = Dialect("azure", "/trainers/azure/{rubric}", _azure, lambda answer: answer["score"])
NEMO_GYM = Dialect("nemo-gym", "/trainers/nemo-gym/{rubric}/verify", _gym, lambda answer: answer["reward"])
CLASSIFY = Dialect(
    "classify",
    "/trainers/classify/{rubric}/classify",
    lambda response, label: {"model": "judge", "input": [CHAT + response + END]},
    lambda answer: answer["data"][0]["probs"][0],
    labelled=False,
)
DIALECTS = {one.name: one for one in (OPENRLHF, SLIME, LLAMAFACTORY, AZURE, NEMO_GYM, CLASSIFY)}


def roll_body(response: str = RESPONSE, **fields: Any) -> dict[str, Any]:
    """What ROLL submits."""
    places = {"project_id": "p", "experiment_id": "e", "global_step": 7, "data_id": "row-1", "rollout_id": "roll-1"}
    told = {"priority": 1, "prompt": PROMPT, "response": response, "reward_info": {"ground_truth": "Call."}}
    return {**places, **told, "reward_manager": {}, "timeout": 300, **fields}


def roll_result(client: httpx.Client, rubric: str, body: dict[str, Any], **query: Any) -> Any:
    """Submits and asks until there is a result, as ROLL does."""
    submitted = client.post(f"/trainers/roll/{rubric}/submit_task", json=body, params=query).json()
    assert submitted["errcode"] == 0, submitted
    found: list[Any] = []

    def done() -> bool:
        name = {"reward_request_id": submitted["reward_request_id"]}
        answer = client.request("GET", f"/trainers/roll/{rubric}/task_result", json=name)
        found[:] = [answer]
        return bool(answer.json()["errcode"] != 1)

    until(done)
    return found[0]


def submitted(client: httpx.Client) -> Any:
    """What was judged last."""
    (newest,) = client.get("/v1/judgments?limit=1").json()["judgments"]
    return client.get(f"/v1/judgments/{newest['id']}").json()["submitted"]
