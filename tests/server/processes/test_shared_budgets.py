"""A run's budget is one sum over all workers: what its judge was asked, once or again."""

import httpx

from tests.command import judge_server
from tests.served import until
from tests.server.processes.test_workers import Workers
from tests.stub_judge import Reply, StubJudge, faithful
from tests.yardstick import PATIENCE_SECONDS

CAP, TOKENS = 420, 21
ABOUT = "Rain falls on number"


def priced(body):
    return Reply(body=faithful(0.8)(body).body | {"usage": {"prompt_tokens": TOKENS - 1, "completion_tokens": 1}})


def test_a_budget_of_a_run_is_shared_by_the_workers(tmp_path):
    settings = tmp_path / "judge-server.toml"
    settings.write_text(f'reask = 1.0\ndatabase_url = "sqlite:///{tmp_path}/judge.db"\n')
    judge_server("budget", "set", "--run", "capped", "--tokens", CAP, "--config", settings)
    with StubJudge(priced) as judge:
        workers = Workers(tmp_path, judge, "--config", settings)
        try:
            answers: list[httpx.Response] = []

            def spent_in_both():
                text = f"{ABOUT} {len(answers)} because warm air rises and cools."
                body = {"prompt": "Rain?", "response": text, "rubric": "t/kind", "run": "capped"}
                answers.append(workers.post("/v1/score", body))
                return [one.status_code for one in answers[-8:]] == [402] * 8

            def paid():
                return TOKENS * sum(ABOUT in str(body) for body in judge.bodies)

            def told():
                found = httpx.get(f"{workers.url}/v1/budgets", timeout=PATIENCE_SECONDS).json()["budgets"]
                return [one["spent_tokens"] for one in found] == [paid()]

            until(spent_in_both)
            assert {one.status_code for one in answers} == {200, 402}
            until(told)
            assert paid() >= CAP
        finally:
            workers.process.terminate()
            workers.process.wait(PATIENCE_SECONDS)
