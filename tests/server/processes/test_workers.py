"""``serve --workers``: several processes answer as one server."""

import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import yaml

from tests.command import PROGRAM
from tests.served import until
from tests.stub_judge import Reply, StubJudge, faithful
from tests.yardstick import PATIENCE_SECONDS

RUBRIC = {
    "id": "t/kind",
    "version": "1.0.0",
    "title": "t",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
TEXT = "Rest, drink two glasses of water and see a doctor if the pain gets worse, in case"


def slowly(body):
    reply = faithful(0.8)(body)
    return Reply(body=reply.body, delay_seconds=1.0 if TEXT in str(body) else 0.0)


class Workers:
    """The command, its log and its processes."""

    def __init__(self, folder, judge, *flags):
        (folder / "rubrics").mkdir()
        (folder / "rubrics" / "kind.yaml").write_text(yaml.safe_dump(RUBRIC))
        self._log = folder / "log"
        given = ["--model", judge.specification, "--rubrics", folder / "rubrics", "--port", "0", *flags]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--workers", "2", *map(str, given)], cwd=folder, stderr=log, stdout=log
            )
        until(lambda: self.log.count("Application startup complete") == 2)
        self.url = re.search(r"http://127.0.0.1:\d+", self.log)[0]

    @property
    def log(self):
        return self._log.read_text()

    @property
    def pids(self):
        return [int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", self.log)]

    def post(self, path, body):
        """Over a connection of its own, so that any worker may get it."""
        return httpx.post(f"{self.url}{path}", json=body, timeout=PATIENCE_SECONDS)

    def at_once(self, path, bodies):
        with ThreadPoolExecutor(len(bodies)) as pool:
            return [one.json() for one in pool.map(lambda body: self.post(path, body), bodies)]


@pytest.fixture(scope="module")
def judge():
    with StubJudge(slowly, sleeps=True) as one:
        yield one


@pytest.fixture(scope="module")
def workers(tmp_path_factory, judge):
    one = Workers(tmp_path_factory.mktemp("workers"), judge)
    yield one
    if one.process.poll() is None:
        one.process.kill()
    one.process.wait()


def asked(number, **other):
    return {"prompt": "hello", "response": f"{TEXT} {number}.", "rubric": "t/kind"} | other


def test_both_answer_and_equal_questions_are_asked_once(workers, judge):
    before = sum(TEXT in str(body) for body in judge.bodies)
    found = workers.at_once("/v1/score", [asked("one")] * 12)

    assert [one["reward"] for one in found] == [pytest.approx(0.8)] * 12
    assert sum(TEXT in str(body) for body in judge.bodies) == before + 1


def test_a_group_is_collected_over_all_workers(workers):
    bodies = [
        {
            "prompt": "hello",
            "responses": [f"{TEXT} {number} of the group."],
            "rubric": "t/kind",
            "group": "g",
            "expected": 6,
            "collection_seconds": 50,
        }
        for number in range(6)
    ]
    found = workers.at_once("/v1/score/group", bodies)

    assert [one["group"]["count"] for one in found] == [6] * 6


def test_metrics_are_those_of_the_server(workers):
    before = _judged(workers)
    workers.at_once("/v1/score", [asked(f"{number} for the metrics") for number in range(8)])

    until(lambda: _judged(workers) == before + 8)


def _judged(workers):
    text = httpx.get(f"{workers.url}/metrics", timeout=PATIENCE_SECONDS).text
    return sum(float(one) for one in re.findall(r"^judge_server_judgments_total{.*} (.*)$", text, re.MULTILINE))


def test_a_job_is_done_once_and_seen_everywhere(workers):
    items = [{"prompt": "hello", "response": f"{TEXT} {number} of the job."} for number in range(10)]
    begun = workers.post("/v1/jobs", {"rubric": "t/kind", "items": items}).json()

    def job():
        return httpx.get(f"{workers.url}/v1/jobs/{begun['id']}", timeout=PATIENCE_SECONDS).json()

    until(lambda: job()["status"] == "done")
    assert {job()["ok"] for _ in range(6)} == {10}


def test_no_worker_asks_an_engine_that_sleeps(workers, judge):
    assert workers.post("/v1/admin/sleep", {}).json()["engines"][0]["asleep"]
    impatient = [asked(f"{number} in the night") | {"deadline_seconds": 0.5} for number in range(8)]
    found = workers.at_once("/v1/score", impatient)
    assert {one["type"].rpartition(":")[2] for one in found} == {"timeout"}
    assert judge.calls_asleep == 0
    assert not workers.post("/v1/admin/wake", {}).json()["engines"][0]["asleep"]
    found = workers.at_once("/v1/score", [asked(f"{number} in the morning") for number in range(8)])
    assert [one["reward"] for one in found] == [pytest.approx(0.8)] * 8


def test_a_calibration_is_found_whichever_worker_is_asked(workers):
    answers = {httpx.get(f"{workers.url}/v1/calibrations", timeout=PATIENCE_SECONDS).status_code for _ in range(8)}
    assert answers == {200}


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(workers):
    before, judged = len(workers.pids), _judged(workers)
    os.kill(workers.pids[-1], signal.SIGKILL)
    until(lambda: len(workers.pids) == before + 1)
    until(lambda: workers.log.count("Application startup complete") == before + 1)
    found = workers.at_once("/v1/score", [asked(f"{number} after the kill") for number in range(6)])

    assert [one["reward"] for one in found] == [pytest.approx(0.8)] * 6
    assert "is replaced" in workers.log
    until(lambda: _judged(workers) == judged + 6)  # a worker too busy to answer is shown as it was


def test_a_signal_drains_all_workers(workers, judge):
    found = []
    asking = threading.Thread(target=lambda: found.append(workers.post("/v1/score", asked("at the end"))))
    asking.start()
    until(lambda: "at the end" in str(judge.bodies[-1:]))
    workers.process.send_signal(signal.SIGTERM)

    assert workers.process.wait(PATIENCE_SECONDS) == 0
    asking.join()
    assert found[0].json()["reward"] == pytest.approx(0.8)
