"""A run's budget is one sum over all workers."""

import httpx

from tests.command import judge_server
from tests.served import until
from tests.server.processes.test_workers import Workers
from tests.stub_judge import Reply, StubJudge, faithful
from tests.yardstick import PATIENCE_SECONDS

CAP, TOKENS = 420, 21


def priced(body):
    return Reply(body=faithful(0.8)(body).body | {"usage": {"prompt_tokens": TOKENS - 1, "completion_tokens": 1}})


def test_a_budget_of_a_run_is_shared_by_the_workers(tmp_path):
    judge_server("budget", "set", "--run", "capped", "--tokens", CAP, "--database", f"sqlite:///{tmp_path}/judge.db")
    with StubJudge(priced) as judge:
        workers = Workers(tmp_path, judge, "--database", f"sqlite:///{tmp_path}/judge.db")
        try:
            answers: list[httpx.Response] = []

            def spent_in_both():
                text = f"Rain falls on number {len(answers)} because warm air rises and cools."
                body = {"prompt": "Rain?", "response": text, "rubric": "t/kind", "run": "capped"}
                answers.append(workers.post("/v1/score", body))
                return [one.status_code for one in answers[-8:]] == [402] * 8

            until(spent_in_both)
            assert {one.status_code for one in answers} == {200, 402}
            paid = TOKENS * sum(one.status_code == 200 for one in answers)
            assert paid >= CAP

            def told():
                found = httpx.get(f"{workers.url}/v1/budgets", timeout=PATIENCE_SECONDS).json()["budgets"]
                return [one["spent_tokens"] for one in found] == [paid]

            until(told)
        finally:
            workers.process.terminate()
            workers.process.wait(PATIENCE_SECONDS)
