"""Bodies of every route, sound ones bent: nothing that is sent makes an error that nobody foresaw."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from tests.hostile.mutation import bent_json
from tests.served import judged_by
from tests.server.dialects.exchanges import CHAT, DIALECTS, END, PROMPT, RESPONSE, roll_body
from tests.stub_judge import faithful
from tests.submissions import checking, rubric, submission

RUBRIC = "test/listed"
_JSON = {"content-type": "application/json"}
_MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": PROMPT}]},
    {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "content": "found", "tool_call_id": "1"},
    {"role": "assistant", "content": RESPONSE, "reasoning": "Hm."},
]
_ITEMS = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PROMPT}]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
    {"type": "function_call_output", "call_id": "1", "output": "found"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": RESPONSE}]},
]
_GRADERS: list[dict[str, Any]] = [
    {"type": "string_check", "name": "s", "input": "{{sample.output_text}}", "reference": "Call", "operation": "like"},
    {
        "type": "text_similarity",
        "input": "{{sample.output_text}}",
        "reference": "{{item.a}}",
        "evaluation_metric": "bleu",
    },
    {"type": "score_model", "name": "m", "model": "default", "input": [{"role": "user", "content": "{{item.a}}"}]},
]
_MULTI = {"type": "multi", "name": "all", "graders": {"a": _GRADERS[0], "b": _GRADERS[1]}, "calculate_output": "a + b"}
_ROW = {"rubric": rubric()}
_LABEL = {"item": "i", "criterion": "c0", "annotator": "a", "role": "human", "label": "yes"}

BODIES: dict[str, tuple[str, list[Any]]] = {
    "score": (
        "/v1/score",
        [
            submission(),
            submission(rubric=checking(), response=_MESSAGES[2:], prompt=_MESSAGES[:2], facts={"a": {"b": [1]}}),
        ],
    ),
    "batch": (
        "/v1/score/batch",
        [{"items": [submission(), submission(response="")], "rubric": rubric(), "priority": "batch"}],
    ),
    "group": (
        "/v1/score/group",
        [
            {"prompt": PROMPT, "responses": [RESPONSE, "Wait."], "rubric": rubric(), "advantages": True},
            {"prompt": PROMPT, "responses": [RESPONSE, "Wait."], "rubric": rubric(), "relative": {"kind": "listwise"}},
        ],
    ),
    "job": ("/v1/jobs", [{"items": [submission()], "rubric": rubric(), "priority": "audit", "deadline_seconds": 3}]),
    "rescore": ("/v1/rescore", [{"rubric": rubric(), "judgments": ["j"]}]),
    "publish": ("/v1/rubrics", [rubric()]),
    "validate": ("/v1/rubrics/validate", [rubric(), checking()]),
    "labels": ("/v1/labels", [{"name": "n", "labels": [_LABEL, _LABEL | {"annotator": "b"}]}]),
    "exam": ("/v1/exams", [{"pairs": 1, "families": ["turn"], "seed": 1, "judge": "default"}]),
    "calibration": ("/v1/calibrations", [{"rubric": RUBRIC, "label_set": "n", "judge": "default"}]),
    "improvement": ("/v1/improvements", [{"rubric": RUBRIC, "labels": "n", "judge": "default", "reason": "why"}]),
    "grader run": (
        "/v1/fine_tuning/alpha/graders/run",
        [{"grader": one, "model_sample": RESPONSE, "item": {"a": "b", "c": [1]}} for one in (*_GRADERS, _MULTI)],
    ),
    "grader validate": ("/v1/fine_tuning/alpha/graders/validate", [{"grader": one} for one in (*_GRADERS, _MULTI)]),
    "ROLL": (f"/trainers/roll/{RUBRIC}/submit_task?on_error=0", [roll_body()]),
    "messages to slime": (
        f"/trainers/slime/{RUBRIC}",
        [{"prompt": _MESSAGES[:2], "response": RESPONSE, "label": {"a": 1}}],
    ),
    "figures for NeMo Gym": (
        f"/trainers/nemo-gym/{RUBRIC}/aggregate_metrics",
        [
            {
                "verify_responses": [
                    {"_ng_task_index": 0, "reward": 0.5, "note": "a", "response": {"usage": {"tokens": 3}}}
                ]
            }
        ],
    ),
    "erasure": ("/v1/erasures", [{"run": "never-made", "reason": "asked for"}]),
    "repin": ("/v1/runs/repin", [{"run": "never-made", "reason": "a new rubric"}]),
    "decisions": (
        "/v1/decisions",
        [{"input": PROMPT, "questions": [{"type": "boolean", "name": "q", "instructions": "Is it said?"}]}],
    ),
    "systemone": (
        "/v1/systemone",
        [{"state": PROMPT, "questions": [{"type": "binary", "instructions": "Is it said?"}]}],
    ),
    "envelope": (
        f"/trainers/openrlhf/{RUBRIC}",
        [{"query": [CHAT + END], "prompts": [CHAT], "labels": [json.dumps({"rubric": rubric()})]}],
    ),
    "items of NeMo Gym": (
        f"/trainers/nemo-gym/{RUBRIC}/verify",
        [{"responses_create_params": {"input": _ITEMS[:1], "tools": []}, "response": {"output": _ITEMS[1:]}}],
    ),
    **{
        name: (
            dialect.path.format(rubric=RUBRIC),
            [dialect.body(RESPONSE, None), dialect.body(RESPONSE, {"rubric": rubric()})],
        )
        for name, dialect in DIALECTS.items()
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with judged_by(faithful()) as (client, _):
        assert client.post("/v1/rubrics", json=rubric()).status_code == 201
        yield client


_STRANGE: tuple[Any, ...] = (None, True, 7, 1e308, "", "\ud800", "\0", [], {}, [[]], {"\ud800": 0}, ["\ud800"])


def _places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, below in inner:
        yield (*path, place)
        yield from _places(below, *path, place)


def _with(body: Any, path: tuple[Any, ...], value: Any) -> bytes:
    changed = node = deepcopy(body)
    for place in path[:-1]:
        node = node[place]
    node[path[-1]] = value
    return json.dumps(changed).encode()


def _send(server: httpx.Client, path: str, body: bytes) -> None:
    answer = server.post(path, content=body, headers=_JSON)
    assert answer.status_code != 500, body
    if answer.status_code >= 400 and not path.startswith(("/v1/fine_tuning", "/v1/decisions", "/v1/systemone")):
        assert answer.json()["type"].startswith("urn:judge-server:error:")


@pytest.mark.parametrize("name", BODIES)
def test_a_strange_value_in_any_place_is_answered_or_refused_by_name(server, name):
    path, bodies = BODIES[name]
    for body in bodies:
        for place in _places(body):
            for value in _STRANGE:
                _send(server, path, _with(body, place, value))


@pytest.mark.parametrize("name", BODIES)
def test_a_bent_body_is_answered_or_refused_by_name(server, name):
    path, bodies = BODIES[name]
    sound = [json.dumps(body).encode() for body in bodies]
    for body in sound:
        assert server.post(path, content=body, headers=_JSON).status_code != 500, body

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bent_json(sound))
    def send(body: bytes) -> None:
        _send(server, path, body)

    send()
