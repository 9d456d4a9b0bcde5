"""Tokens, calls and money: in judgments, metrics by rubric and key, and on the command line by job."""

import json

import pytest

from judge_server.cli.actions.jobs import Jobs
from judge_server.models.litellm_provider import price_in
from judge_server.models.registry import listed_price
from tests.served import served, settings_of, until
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric, submission

PRICE = {"prompt": 10.0, "cached": 1.0, "completion": 100.0}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 600}}
EACH = (400 * 10 + 600 * 1 + 2 * 100) / 1e6


def counting(body):
    reply = faithful(0.9)(body)
    return Reply(body=reply.body | {"usage": USAGE})


@pytest.fixture(scope="module")
def server():
    with StubJudge(counting) as judge, served(settings_of(judge.specification, judge={"price": PRICE})) as client:
        assert client.post("/v1/rubrics", json=rubric()).status_code == 201
        yield client


def test_a_judgment_says_what_it_cost_and_a_cached_one_cost_nothing(server):
    asked = submission(rubric=rubric()["id"], response="What does this cost, please?")
    first, again = (server.post("/v1/score", json=asked).json()["usage"] for _ in range(2))

    assert first["calls"] >= 1
    assert first["dollars"] == pytest.approx(first["calls"] * EACH)
    assert (again["calls"], again["dollars"]) == (0, 0)


def test_metrics_count_it_by_rubric_and_key(server):
    name = rubric()["id"]
    server.post("/v1/score", json=submission(rubric=name, response="And what does that cost?"))
    text = server.get("/metrics").text

    for what in ("prompt_tokens", "cached_tokens", "completion_tokens", "calls", "dollars"):
        assert f'judge_server_spent_total{{key="anyone",rubric="{name}",what="{what}"}}' in text
    assert "judge_server_dollars_total" in text


def test_a_price_changes_no_fingerprint(server):
    priced = server.get("/v1/judges").json()["judges"][0]["fingerprint"]
    model = server.get("/v1/judges").json()["judges"][0]["model"]
    with served(settings_of(model)) as client:
        assert client.get("/v1/judges").json()["judges"][0]["fingerprint"] == priced


def test_the_cost_of_a_job_is_shown_by_rubric(server, capsys):
    from judge_server.cli.actions.jobs import show_cost

    items = [{"prompt": "p", "response": f"The answer of item {number}."} for number in range(4)]
    job = server.post("/v1/jobs", json={"rubric": rubric()["id"], "items": items}).json()["id"]
    until(lambda: server.get(f"/v1/jobs/{job}").json()["status"] == "done")
    with Jobs(str(server.base_url), None) as jobs:
        found = jobs.cost(job)
    spent = found[rubric()["id"]]

    assert spent["judgments"] == 4
    assert spent["dollars"] == pytest.approx(spent["calls"] * EACH)
    show_cost(found, as_json=True)
    assert json.loads(capsys.readouterr().out) == found
    show_cost(found, as_json=False)
    assert "$" in capsys.readouterr().out


def spent(client, rubric_name, what):
    line = f'judge_server_spent_total{{key="anyone",rubric="{rubric_name}",what="{what}"}} '
    found = [one for one in client.get("/metrics").text.splitlines() if one.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0.0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/systemone", {"state": "x", "questions": {"q": {"type": "noul", "instructions": "Says something."}}}),
        ("/v1/decisions", {"input": "y", "questions": [{"type": "predicate", "instructions": "Says something."}]}),
        (
            "/v1/fine_tuning/alpha/graders/run",
            {
                "grader": {
                    "type": "score_model",
                    "name": "g",
                    "model": "default",
                    "input": [{"role": "user", "content": "Is it good? {{sample.output_text}}"}],
                    "range": [0, 1],
                },
                "model_sample": "z",
                "item": {},
            },
        ),
    ],
    ids=["systemone", "decisions", "grader"],
)
def test_questions_that_belong_to_no_judgment_are_charged_to_their_key(server, path, body):
    calls, dollars = spent(server, "none", "calls"), spent(server, "none", "dollars")
    answer = server.post(path, json=body)
    assert answer.status_code == 200, answer.text
    asked = spent(server, "none", "calls") - calls
    assert asked >= 1
    assert spent(server, "none", "dollars") - dollars == pytest.approx(asked * EACH)


def test_an_answer_that_cannot_be_used_has_its_price():
    spoilt = []

    def once(body):
        reply = counting(body)
        if "elderflower" not in str(body["messages"]) or spoilt:
            return reply
        spoilt.append(1)
        return Reply(body=reply.body | {"choices": [{"message": "none"}]})

    with StubJudge(once) as judge, served(settings_of(judge.specification, judge={"price": PRICE})) as client:
        one = submission(rubric=rubric(1), response="Drink a tea of elderflower.")
        usage = client.post("/v1/score", json=one).json()["usage"]
        total = spent(client, "inline", "dollars")
    assert (spoilt, usage["calls"]) == ([1], 2)
    assert usage["dollars"] == pytest.approx(2 * EACH)
    assert total == pytest.approx(2 * EACH)


def test_prices_of_the_table_are_those_of_a_million_tokens():
    table = {
        "gpt-x": {"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6, "cache_read_input_token_cost": 1e-7},
        "free": {"input_cost_per_token": 0, "output_cost_per_token": 0},
        "odd": {"input_cost_per_token": "1", "output_cost_per_token": None},
    }
    price = price_in(table, "openai/gpt-x")

    assert (price.prompt, price.cached, price.completion) == (
        pytest.approx(1.0),
        pytest.approx(0.1),
        pytest.approx(4.0),
    )
    assert price_in(table, "openai/free") is None
    assert price_in(table, "odd") is None
    assert price_in(table, "unknown") is None


def test_a_price_of_one_route_holds_there():
    """As for gpt-6-luna: on /v1/decisions cached tokens cost as much as others, and output nothing."""
    chat = {"input_cost_per_token": 1e-7, "output_cost_per_token": 5e-7, "cache_read_input_token_cost": 1e-8}
    decisions = {"output_cost_per_token_decisions": 0.0, "cache_read_input_token_cost_decisions": 1e-7}
    table = {"luna": chat | decisions}

    def prices(route):
        found = price_in(table, "openai/luna", route)
        return [round(one, 6) for one in (found.prompt, found.cached, found.completion)]

    assert prices("") == [0.1, 0.01, 0.5]
    assert prices("decisions") == [0.1, 0.1, 0.0]


def test_a_hosted_decision_model_has_the_prices_of_its_route():
    assert listed_price("decide:openai/gpt-6-luna").completion == 0.0
    assert listed_price("litellm:openai/gpt-6-luna").completion > 0.0
    assert listed_price("decide:luna@http://127.0.0.1:9/v1") is None
