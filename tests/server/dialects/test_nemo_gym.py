"""Wire shape: nemo-gym 0.5.1, base_resources_server.py and judge.py; nemo-rl 7ea279abf, environments/nemo_gym.py."""

import json
import math

import pytest

from tests.served import served, settings_of
from tests.server.dialects.conftest import RUBRIC
from tests.server.dialects.exchanges import NEMO_GYM, RESPONSE
from tests.stub_judge import StubJudge, text
from tests.submissions import checking, rubric

URL = f"/trainers/nemo-gym/{RUBRIC}"


def test_the_body_comes_back_with_reward_and_components_that_sum_to_it(served_rubric):
    body = NEMO_GYM.body(RESPONSE, "Call.") | {"_ng_task_index": 3, "anything": {"of": ["the", "row"]}}
    answer = served_rubric.post(f"{URL}/verify", json=body).json()
    assert {name: answer[name] for name in body} == body
    assert answer["reward"] == pytest.approx(0.9)
    assert (
        sum(answer["reward_components"].values()) == math.fsum(answer["reward_components"].values()) == answer["reward"]
    )
    assert list(answer["reward_components"]) == ["c0", "c1", "_adjustment"]
    assert "_ng_failure_class" not in answer


def test_a_rubric_in_the_row_has_components_too(served_rubric):
    answer = NEMO_GYM.ask(served_rubric, "-", "An emergency.", {"rubric": checking("emergency")}).json()
    assert answer["reward_components"] == {"word": 1.0, "_adjustment": 0.0}


def test_what_a_criterion_adds_is_divided_among_the_steps_that_hold_its_evidence():
    """c0 adds 2 · 1 / 3, half of it in each of two steps; c1 quotes nothing that is there, and adds 1/3."""

    def behave(body):
        quoted = "«drink water» «see a doctor»" if "Names" in json.dumps(body["messages"][-1]) else "«nothing»"
        return text(json.dumps({"reason": f"It says {quoted}.", "verdict": "Yes"}))

    own = rubric() | {
        "criteria": [
            {"id": "c0", "statement": "Names a remedy.", "points": 2, "evidence": "quote"},
            {"id": "c1", "statement": "Is kind.", "points": 1, "evidence": "quote"},
        ]
    }
    with StubJudge(behave) as judge, served(settings_of(judge.specification, judge={"mode": "reason"})) as client:
        answer = NEMO_GYM.ask(client, "-", "Drink water.\n\nOr see a doctor.", {"rubric": own}).json()
    evidence = answer["reward_evidence"]
    assert [(one["step"], one["span"], one["weight"]) for one in evidence["c0"]] == [
        (0, [0, 12], 0.5),
        (1, [14, 30], 0.5),
    ]
    assert [one["value"] for one in evidence["c0"]] == [answer["reward_components"]["c0"] / 2] * 2
    assert answer["reward_components"]["c0"] == pytest.approx(2 / 3)
    assert evidence["c1"] == []


def test_the_rows_columns_may_stand_in_its_metadata(served_rubric):
    body = NEMO_GYM.body("An emergency.", None) | {"verifier_metadata": {"rubric": checking("emergency")}}
    del body["reference"]
    assert served_rubric.post("/trainers/nemo-gym/-/verify", json=body).json()["reward"] == 1.0


def test_instructions_and_tool_turns_are_read(served_rubric):
    body = NEMO_GYM.body(RESPONSE, None)
    body["responses_create_params"]["instructions"] = "Be brief."
    body["response"]["output"][:0] = [
        {"type": "function_call", "name": "search", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
    ]
    assert served_rubric.post(f"{URL}/verify", json=body).json()["reward"] == pytest.approx(0.9)


@pytest.mark.usefixtures("judged_before")
@pytest.mark.parametrize("kind", [[], {}, ["text"], 7])
def test_a_part_of_a_kind_that_is_none_is_a_typed_failure(served_rubric, kind):
    body = NEMO_GYM.body(RESPONSE, None)
    body["response"]["output"][-1]["content"] = [{"type": kind, "text": "Call."}]
    told = served_rubric.post(f"{URL}/verify", json=body).json()
    assert told["_ng_failure_class"] == "judge_failed"
    assert "no text" in told["_ng_failure_judge_error"]


@pytest.mark.usefixtures("judged_before")
@pytest.mark.parametrize("output", [True, 7, {"type": "message"}])
def test_an_output_that_is_no_list_is_a_typed_failure(served_rubric, output):
    body = NEMO_GYM.body(RESPONSE, None)
    body["response"]["output"] = output
    told = served_rubric.post(f"{URL}/verify", json=body).json()
    assert told["_ng_failure_class"] == "judge_failed"
    assert "neither text nor a list" in told["_ng_failure_judge_error"]


@pytest.fixture
def judged_before(served_rubric):
    """A trainer that has had a reward, so that its policy holds for single samples."""
    assert NEMO_GYM.ask(served_rubric, RUBRIC).status_code == 200


@pytest.mark.usefixtures("judged_before")
def test_a_chosen_number_is_trained_on_and_not_masked(served_rubric):
    answer = served_rubric.post(f"{URL}/verify?on_error=-1", json={"responses_create_params": {}})
    told = answer.json()
    assert (told["reward"], told["judge_failed"]) == (-1.0, 1.0)
    assert "instance_config" not in told
    assert "_ng_failure_class" not in told


@pytest.mark.usefixtures("judged_before")
def test_what_the_row_says_of_its_instance_is_kept_beside_the_mask(served_rubric):
    told = served_rubric.post(f"{URL}/verify", json={"instance_config": {"seed": 7}}).json()
    assert told["instance_config"] == {"seed": 7, "mask_sample": True}
    assert "responses_create_params" in told["_ng_failure_judge_error"]


def test_a_session_begins_where_the_url_can_be_used(served_rubric):
    assert served_rubric.post(f"{URL}/seed_session", json={"row": 1}).json() == {}
    assert served_rubric.post("/trainers/nemo-gym/medical/nothing/seed_session", json={}).status_code == 404


def test_rollouts_can_be_verified_again_one_by_one(served_rubric):
    assert served_rubric.get(f"{URL}/reverify_mode").json() == "stateless"


def test_metrics_are_aggregated_over_what_was_verified(served_rubric):
    rows = [NEMO_GYM.ask(served_rubric, RUBRIC, f"Answer {turn}.").json() for turn in range(2)]
    rows = [row | {"_ng_task_index": 0, "_ng_rollout_index": place} for place, row in enumerate(rows)]
    answer = served_rubric.post(f"{URL}/aggregate_metrics", json={"verify_responses": rows}).json()
    assert answer["key_metrics"]["mean/reward"] == pytest.approx(0.9)
    assert answer["agent_metrics"]["judge_failed"] == 0.0
    assert answer["group_level_metrics"][0]["num_rollouts"] == 2


@pytest.mark.parametrize(
    "rubric",
    [
        [{"criterion": "Says to call.", "points": 2}, {"criterion": "Is rude.", "points": -1}],
        [{"requirement": "Says to call.", "weight": 2}, {"requirement": "Is kind.", "weight": 1}],
        ["Says to call.", "Is kind."],
        "1. Says to call.\n2. Is kind.",
        '[{"title": "Call", "description": "Says to call.", "weight": 2}]',
        [{"title": "T", "description": "Essential Criteria: Says to call.", "weight": 5}],
    ],
    ids=["signed", "requirements", "texts", "numbered", "json text", "rubrics as rewards"],
)
def test_a_rows_rubric_in_the_words_of_another_project_is_read(served_rubric, rubric):
    answer = NEMO_GYM.ask(served_rubric, "-", RESPONSE, {"rubric": rubric}).json()
    assert answer["judge_failed"] == 0
    assert len(answer["reward_components"]) >= 2


def test_what_is_wrong_with_a_rows_rubric_is_said(served_rubric):
    answer = NEMO_GYM.ask(served_rubric, "-", RESPONSE, {"rubric": [{"colour": "red"}]}).json()
    assert answer["judge_failed"] == 1.0
    assert "an entry lacks a statement" in answer["_ng_failure_judge_error"]
