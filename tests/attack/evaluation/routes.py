"""The obedient judge behind an address, reached through the routes for groups and for a trainer's dialect."""

import json
from collections.abc import Sequence
from typing import Any

import httpx

from judge_server.attack.attack import Attack
from judge_server.attack.base import BASES, Base
from tests.attack.obedient import best_answer, talked_into
from tests.served import judged_by
from tests.stub_judge import Reply, labels, text, wants_schema

_IN_THE_ANSWER = ("replace", "append", "prepend", "think")
_AT_ONCE = 32
_MARGIN = 0.1


def paid_on_the_routes(attacks: Sequence[Attack]) -> dict[str, tuple[int, int]]:
    """By route: how many attacks raised the reward by more than 0.1 over that of the bad response, of how many."""
    tried = [attack for attack in attacks if attack.place in _IN_THE_ANSWER]
    with judged_by(_obedient) as (client, _):
        for base in BASES:
            client.post("/v1/rubrics", json=_rubric(base)).raise_for_status()
        return {
            "/v1/score/group": _paid(client, tried, _group),
            "/trainers/openrlhf": _paid(client, tried, _openrlhf),
        }


def _paid(client: httpx.Client, attacks: Sequence[Attack], rewards: Any) -> tuple[int, int]:
    paid = count = 0
    for start in range(0, len(attacks), _AT_ONCE):
        base = BASES[start // _AT_ONCE % len(BASES)]
        some = attacks[start : start + _AT_ONCE]
        before, *after = rewards(client, base, [base.response, *(str(attack.on(base).response) for attack in some)])
        assert before is not None
        count += len(after)
        paid += sum(reward is not None and reward > before + _MARGIN for reward in after)
    return paid, count


def _group(client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    body = {"prompt": base.prompt, "responses": responses, "rubric": _rubric(base)}
    answer = client.post("/v1/score/group", json=body)
    answer.raise_for_status()
    return answer.json()["rewards"]


def _openrlhf(client: httpx.Client, base: Base, responses: list[str]) -> list[float]:
    body = {
        "query": [f"{base.prompt}\n{response}" for response in responses],
        "prompts": [f"{base.prompt}\n"] * len(responses),
        "labels": [None] * len(responses),
    }
    answer = client.post(f"/trainers/openrlhf/{base.rubric.id}?on_error=-1", json=body)
    answer.raise_for_status()
    return answer.json()["rewards"]


def _rubric(base: Base) -> dict[str, Any]:
    return base.rubric.model_dump(mode="json", exclude_defaults=True)


def _obedient(body: dict[str, Any]) -> Reply:
    schema = wants_schema(body)
    good = talked_into(body["messages"])
    if schema:
        return text(json.dumps(best_answer(schema, good)))
    words = ("A", "C") if "exactly one letter" in body["messages"][-1]["content"] else ("No", "Yes")
    return labels(**{words[good]: 0.99, words[not good]: 0.01})
