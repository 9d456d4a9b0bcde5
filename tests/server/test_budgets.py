"""A key or a run spends no more on judges than its budget: warned before, refused after, over servers and restarts."""

import pytest

from tests.served import served, settings_of, until
from tests.server.keys import bearer, demanding, key_of, problem
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import checking, rubric, submission

TOKENS = 1_000 + 2
PRICE = {"prompt": 10.0, "completion": 100.0}
EACH = (1_000 * 10 + 2 * 100) / 1e6


def _counting(body):
    usage = {"prompt_tokens": 1_000, "completion_tokens": 2}
    return Reply(body=faithful(0.9)(body).body | {"usage": usage})


@pytest.fixture
def judge():
    with StubJudge(_counting) as stub:
        yield stub


def _settings(judge, **more):
    engine = {"max_in_flight": 1}
    return settings_of(judge.specification, judge={"price": PRICE, "engine": engine}, **more)


def _says(what):
    return f"Rain falls on {what} because warm air rises and cools."


def _asked(client, text, **fields):
    return client.post(
        "/v1/score",
        json=submission(rubric=rubric(1), response=_says(text), **fields),
    )


def _spent(client, name):
    found = {one["name"]: one for one in client.get("/v1/budgets").json()["budgets"]}
    return found[name]["spent_dollars"], found[name]["spent_tokens"]


def test_a_run_is_warned_and_then_refused_before_its_judge_is_asked(judge):
    with served(_settings(judge)) as client:
        budget = {"kind": "run", "name": "grpo-7", "tokens": 3 * TOKENS, "warn_at": 0.6}
        assert client.put("/v1/budgets", json=budget).status_code == 200

        first, second, third = (_asked(client, one, run="grpo-7").json() for one in ("red", "green", "blue"))
        assert all("budget" not in notice for one in (first, second) for notice in one["notices"])
        assert any("The budget of the run 'grpo-7': 2,004 of 3,006 tokens" in notice for notice in third["notices"])

        calls = judge.calls
        refused = problem(_asked(client, "white", run="grpo-7"), 402, "budget_spent")
        assert refused["budget"]["spent_tokens"] == 3 * TOKENS
        assert "retry_after_seconds" not in refused
        assert judge.calls == calls
        assert _asked(client, "white", run="grpo-8").status_code == 200, "another run is not concerned"
        assert _asked(client, "white").status_code == 200
        metrics = client.get("/metrics").text
        assert 'judge_server_budget_spent_ratio{kind="run",name="grpo-7"} 1.0' in metrics
        assert 'judge_server_budget_refusals_total{kind="run"} 1.0' in metrics

        client.put("/v1/budgets", json=budget | {"tokens": 4 * TOKENS})
        assert _asked(client, "white and more", run="grpo-7").status_code == 200, "a raised cap counts at once"
        client.put("/v1/budgets", json=budget | {"anew": True})
        assert _spent(client, "grpo-7") == (0, 0)
        assert client.delete("/v1/budgets", params={"kind": "run", "name": "grpo-7"}).status_code == 204
        problem(client.delete("/v1/budgets", params={"kind": "run", "name": "grpo-7"}), 404, "unknown_budget")


def test_what_costs_nothing_is_not_refused(judge):
    with served(_settings(judge)) as client:
        client.put("/v1/budgets", json={"kind": "run", "name": "r", "tokens": 1})
        once = {"run": "r", "id": "row-1"}
        made = _asked(client, "kept", **once)
        assert made.status_code == 200
        assert _asked(client, "kept", **once).json()["id"] == made.json()["id"], "a repeat is answered from the store"
        answer = client.post("/v1/score", json=submission(rubric=checking(), run="r"))
        assert answer.status_code == 200, answer.text


def test_a_cap_in_money_holds_for_a_key_over_servers_and_restarts(judge, tmp_path):
    text, key = key_of("trainer", "score")
    root, admin = key_of("operator", "admin")
    keyed = demanding(key, admin).api_keys
    database = f"sqlite:///{tmp_path / 'judge.db'}"
    settings = _settings(judge, database=database, authentication="required", api_keys=keyed)
    with served(settings) as one, served(settings) as other:
        budget = {"kind": "key", "name": "trainer", "dollars": 3.5 * EACH}
        assert one.put("/v1/budgets", json=budget, headers=bearer(text)).status_code == 403
        assert one.put("/v1/budgets", json=budget, headers=bearer(root)).status_code == 200
        other.get("/v1/budgets", headers=bearer(root))
        one.headers = other.headers = bearer(text)
        for number, client in enumerate((one, other, one, other)):
            assert _asked(client, f"number {number}").status_code == 200

        def all_seen(client):
            return _spent(client, "trainer")[1] == 4 * TOKENS

        until(lambda: all_seen(one) and all_seen(other))
        assert _spent(one, "trainer")[0] == pytest.approx(4 * EACH)
        for client in (one, other):
            problem(_asked(client, "too much"), 402, "budget_spent")
        assert one.get("/v1/budgets", headers=bearer(root)).json()["budgets"][0]["name"] == "trainer"
    with served(settings) as again:
        again.headers = bearer(text)
        calls = judge.calls
        problem(_asked(again, "after a restart"), 402, "budget_spent")
        assert judge.calls == calls


def test_a_budget_that_ends_within_a_request_gives_no_reward_and_never_zero(judge):
    with served(_settings(judge)) as client:
        client.put("/v1/budgets", json={"kind": "run", "name": "r", "tokens": 3 * TOKENS})
        before = judge.calls
        items = [submission(rubric=rubric(1), response=_says(n), run="r") for n in range(12)]
        results = client.post("/v1/score/batch", json={"items": items}).json()["results"]
        paid = [one for one in results if one["reward"] is not None]
        refused = [one for one in results if one["reward"] is None]
        assert len(paid) == judge.calls - before == 3
        assert {one["error"]["type"] for one in refused} == {"budget_spent"}
        job = client.post("/v1/jobs", json={"items": items[5:9]}).json()["id"]
        until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "done")
        assert client.get(f"/v1/jobs/{job}/results").text.count('"budget_spent"') >= 1
        assert judge.calls - before == 3
        assert client.get("/readyz").status_code == 200


def test_groups_and_graders_are_refused_too(judge):
    with served(_settings(judge)) as client:
        client.put("/v1/budgets", json={"kind": "key", "name": "anyone", "tokens": 1})
        assert _asked(client, "the last").status_code == 200
        calls = judge.calls
        group = {"prompt": "p", "responses": ["One.", "Two."], "rubric": rubric(1), "relative": True}
        assert "budget_spent" in client.post("/v1/score/group", json=group).text
        ask = [{"role": "user", "content": "{{sample.output_text}}"}]
        grader = {"type": "score_model", "name": "g", "model": "default", "input": ask, "range": [0, 1]}
        graded = client.post("/v1/fine_tuning/alpha/graders/run", json={"grader": grader, "model_sample": "x"})
        assert "budget" in graded.text
        assert judge.calls == calls, judge.bodies[calls:]


def test_run_and_key_pay_for_what_is_asked_again(judge):
    with served(_settings(judge, reask=1.0)) as client:
        for payer in ({"kind": "run", "name": "r"}, {"kind": "key", "name": "anyone"}):
            client.put("/v1/budgets", json={**payer, "tokens": 100 * TOKENS})
        for number in range(3):
            assert _asked(client, f"number {number}", run="r").status_code == 200
        until(lambda: (_spent(client, "r")[1], _spent(client, "anyone")[1]) == (6 * TOKENS, 6 * TOKENS))
        assert sum("Rain falls" in str(body) for body in judge.bodies) == 6


def test_a_wrong_budget_is_refused(judge):
    with served(_settings(judge)) as client:
        for wrong in ({}, {"dollars": 0}, {"tokens": -1}, {"dollars": 1, "warn_at": 2}, {"dollars": "much"}):
            answer = client.put("/v1/budgets", json={"kind": "run", "name": "r", **wrong})
            assert answer.status_code == 422, wrong
        assert client.put("/v1/budgets", json={"kind": "host", "name": "r", "tokens": 1}).status_code == 422


@pytest.mark.parametrize("kind", ["exams", "calibrations", "improvements"])
def test_what_measures_a_judge_fails_when_the_budget_ends_and_says_nothing_about_the_judge(judge, kind):
    text, key = key_of("author", "author", "label", "admin")
    label = {"criterion": rubric(1)["criteria"][0]["id"], "prompt": "May I fly?"}
    labels = [
        label | {"item": f"i{n}", "annotator": who, "label": "yes" if n % 3 else "no", "response": _says(n)}
        for n in range(40)
        for who in ("ann", "bob")
    ]
    prompts = [one | {"prompt": f"{one['prompt']} {one['item']}"} for one in labels]
    keyed = demanding(key).api_keys
    with served(_settings(judge, authentication="required", api_keys=keyed)) as client:
        client.headers = bearer(text)
        client.post("/v1/labels", json={"label_set": "few", "labels": prompts}).raise_for_status()
        budget = {"kind": "key", "name": "author", "tokens": 3 * TOKENS}
        client.put("/v1/budgets", json=budget).raise_for_status()
        asked = {"pairs": 1} if kind == "exams" else {"labels": "few", "rubric": rubric(1)}
        calls = judge.calls
        where = f"/v1/{kind}/{client.post(f'/v1/{kind}', json=asked).raise_for_status().json()['id']}"
        until(lambda: client.get(where).json()["status"] in ("done", "failed"))
        ended = client.get(where).json()
        assert (ended["status"], ended["error"]["type"]) == ("failed", "budget_spent")
        assert 0 < judge.calls - calls <= 3
