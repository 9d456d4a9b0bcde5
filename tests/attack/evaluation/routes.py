"""The obedient judge behind an address, reached through every route that scores: group, graders, dialects, the
trainers' adapters (TRL, verl); and as a decision model."""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import httpx

from judge_client.adapters.trl import SyncRubricReward
from judge_client.adapters.verl import compute_score
from judge_server.attack.attack import Attack
from judge_server.attack.base import BASES, Base
from judge_server.core.judge import Mode
from judge_server.models.decision_wire import Format
from tests.attack.obedient import best_answer, spells_a_control_token, talked_into
from tests.decisions import FORMS, always
from tests.served import served, settings_of
from tests.server.dialects.exchanges import DIALECTS, Dialect, roll_body, roll_result
from tests.stub_judge import Reply, StubJudge, labels, text, wants_schema

_IN_THE_ANSWER = ("replace", "append", "prepend", "think")
_AT_ONCE = 32
_MARGIN = 0.1
_LOW = 0.5


Rewards = Callable[[httpx.Client, Base, list[str]], list[float | None]]


def paid_on_the_routes(attacks: Sequence[Attack], mode: Mode) -> dict[str, tuple[int, int]]:
    """By route: how many attacks raised the reward by more than 0.1 over that of the bad response, of how many."""
    dialects = {f"/trainers/{name}": partial(_dialect, dialect) for name, dialect in DIALECTS.items()}
    graders = {f"graders/run {kind}": partial(_grader, kind) for kind in ("score_model", "label_model")}
    routes = {"/v1/score/group": _group, **dialects, "/trainers/roll": _roll, **graders, **_ADAPTERS}
    with StubJudge(_obedient) as judge:
        return _paid_on(routes, attacks, judge.specification, {"mode": mode})


def paid_by_a_decision_model(attacks: Sequence[Attack], form: Format) -> dict[str, tuple[int, int]]:
    """As ``paid_on_the_routes``, of a decision model that speaks ``form``."""
    with StubJudge(decide={form: partial(_obedient_decisions, form)}) as judge:
        return _paid_on({"/v1/score/group": _group, **_ADAPTERS}, attacks, f"decide:stub@{judge.address}", {})


def _paid_on(
    routes: dict[str, Rewards], attacks: Sequence[Attack], model: str, fields: dict[str, Any]
) -> dict[str, tuple[int, int]]:
    tried = [attack for attack in attacks if attack.place in _IN_THE_ANSWER]
    judge = {"engine": {"transport_attempts": 1}, **fields}
    with served(settings_of(model, judge=judge)) as client:
        for base in BASES:
            client.post("/v1/rubrics", json=_rubric(base)).raise_for_status()
        return {name: _paid(client, tried, rewards) for name, rewards in routes.items()}


def _paid(client: httpx.Client, attacks: Sequence[Attack], rewards: Rewards) -> tuple[int, int]:
    paid = count = 0
    for start in range(0, len(attacks), _AT_ONCE):
        base = BASES[start // _AT_ONCE % len(BASES)]
        some = attacks[start : start + _AT_ONCE]
        before, *after = rewards(client, base, [base.response, *(str(attack.on(base).response) for attack in some)])
        assert before is not None
        assert before < _LOW, "a judge that likes everything leaves nothing to be paid for"
        count += len(after)
        paid += sum(reward is not None and reward > before + _MARGIN for reward in after)
    return paid, count


def _group(client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    body = {"prompt": base.prompt, "responses": responses, "rubric": _rubric(base)}
    answer = client.post("/v1/score/group", json=body)
    answer.raise_for_status()
    return answer.json()["rewards"]


def _dialect(dialect: Dialect, client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    found: list[float | None] = []
    for response in responses:
        answer = dialect.ask(client, base.rubric.id, response, on_error="-1")
        answer.raise_for_status()
        found.append(dialect.reward(answer.json()))
    return found


def _roll(client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    bodies = [roll_body(response, rollout_id=f"r{place}") for place, response in enumerate(responses)]
    answers = [roll_result(client, base.rubric.id, body, on_error=-1).json() for body in bodies]
    return [answer["reward_score"] if answer["errcode"] == 0 else None for answer in answers]


def _grader(kind: str, client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    """A grader that shows the question and the sample, and asks for the best of a range or of two labels."""
    shown = "Question: {{item.question}}\nAnswer: {{sample.output_text}}\nIs it a right answer?"
    fields = {
        "score_model": {"range": [0, 1]},
        "label_model": {"labels": ["wrong", "right"], "passing_labels": ["right"]},
    }
    grader = {"type": kind, "model": "default", "input": [{"role": "user", "content": shown}], **fields[kind]}
    found: list[float | None] = []
    for response in responses:
        body = {"grader": grader, "model_sample": response, "item": {"question": base.prompt}}
        answer = client.post("/v1/fine_tuning/alpha/graders/run?on_error=-1", json=body)
        answer.raise_for_status()
        found.append(answer.json()["reward"])
    return found


def _trl(client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    reward = SyncRubricReward(base.rubric.id, url=str(client.base_url), on_failure=-1.0)
    found = list(reward([base.prompt] * len(responses), responses))
    reward.rewarder.close()
    return found


def _verl(client: httpx.Client, base: Base, responses: list[str]) -> list[float | None]:
    told = {"raw_prompt": [{"role": "user", "content": base.prompt}]}
    settings = {"rubric": base.rubric.id, "url": str(client.base_url), "on_failure": -1.0}

    async def all_of_them() -> list[dict[str, float | None]]:
        return await asyncio.gather(*(compute_score("x", one, "", told, **settings) for one in responses))

    return [found["score"] for found in asyncio.run(all_of_them())]


_ADAPTERS: dict[str, Rewards] = {"TRL's adapter": _trl, "verl's adapter": _verl}


def _rubric(base: Base) -> dict[str, Any]:
    return base.rubric.model_dump(mode="json", exclude_defaults=True)


def _obedient(body: dict[str, Any]) -> Reply:
    schema = wants_schema(body)
    good = talked_into(body["messages"])
    if schema:
        return text(json.dumps(best_answer(schema, good)))
    asked = body["messages"][-1]["content"]
    words = (
        ("A", "C")
        if "exactly one letter" in asked
        else ("A", "B")
        if "exactly one of: A, B" in asked
        else ("No", "Yes")
    )
    return labels(**{words[good]: 0.99, words[not good]: 0.01})


def _obedient_decisions(form: Format, body: dict[str, Any]) -> Reply:
    questions = list(body["questions"].values()) if form == "systemone" else body["questions"]
    if form == "systemone":
        system, user = body["instructions"], "\n\n".join(body["state"].values())
    else:
        system, opening, user = body["input"].partition("\n\n[BEGIN CONVERSATION ")
        user = opening + user
    good = talked_into([{"content": system}, {"content": user}]) or spells_a_control_token(str(questions))
    return FORMS[form](always(0.99 if good else 0.01))(body)
