"""Clients of the two formats of decision models, in their real packages: openai, LiteLLM and AutoRubric."""

import json

import pytest

from tests.served import judged_by
from tests.stub_judge import labels
from tests.trainers.environment import Environment

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]
AUTORUBRIC = Environment("autorubric")


def answering(body):
    text = body["messages"][-1]["content"]
    if "Which option fits best" in text:
        return labels(A=0.1, B=0.2, C=0.7) if "C. both" in text else labels(A=0.3, B=0.7)
    return labels(Yes=0.1, No=0.9) if "dose" in text.rpartition("Criterion:")[2] else labels(Yes=0.8, No=0.2)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("autorubric") / "results.json"
    with judged_by(answering) as (client, judge):
        AUTORUBRIC.run("autorubric_decisions.py", str(client.base_url).rstrip("/"), str(out))
        return json.loads(out.read_text()) | {"bodies": [str(body) for body in judge.bodies]}


def test_openais_client_takes_every_answer_by_its_own_types(results):
    predicate, score, choice = results["openai"]["answers"]
    assert predicate["probability"] == pytest.approx(0.8)
    assert score["score"] == pytest.approx(0.7)
    assert (choice["choice"], [one["value"] for one in choice["probabilities"]]) == ("both", [True, False, "both"])
    assert results["openai"]["error"] == {"code": "unknown_judge", "type": "invalid_request_error"}


def test_litellm_reads_both_formats(results):
    (decided,) = results["litellm"]["decisions"]
    assert decided["probability"] == pytest.approx(0.8)
    assert results["litellm"]["systemone"]["water"]["noul"] == pytest.approx(0.8)


def test_autorubrics_decision_grader_grades_with_our_judge(results):
    graded = results["autorubric"]
    assert graded["error"] is None
    assert graded["verdicts"] == 2
    assert graded["score"] == pytest.approx(1.0)
    assert any("Drink water and rest." in body for body in results["bodies"])
