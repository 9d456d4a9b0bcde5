"""A caller that hangs up ends its model calls within a second, over real HTTP, down to the judge's connections."""

import re
import threading
import time

import httpx
import pytest

from benchmarks.stub_judge import answer
from tests.served import HangsUp, judged_by, until
from tests.server.dialects.conftest import publish
from tests.server.dialects.exchanges import DIALECTS
from tests.server.faults import only_for
from tests.stub_judge import Reply
from tests.submissions import rubric, submission
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

SLOW = only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))
PUBLISHED = rubric(2)

ROUTES = {
    "score": ("/v1/score", submission()),
    "batch": ("/v1/score/batch", {"items": [submission(response=f"Answer {n}.") for n in range(3)]}),
    "group": (
        "/v1/score/group",
        {"prompt": "I feel ill.", "responses": ["Rest.", "Call for help."], "rubric": PUBLISHED},
    ),
    "relative group": (
        "/v1/score/group",
        {"prompt": "I feel ill.", "responses": ["Rest.", "Call."], "rubric": PUBLISHED, "relative": True},
    ),
    "collected group": (
        "/v1/score/group",
        {"prompt": "I feel ill.", "responses": ["Rest.", "Call."], "rubric": PUBLISHED, "group": "g", "expected": 2},
    ),
    "grader": (
        "/v1/fine_tuning/alpha/graders/run",
        {
            "grader": {
                "type": "score_model",
                "name": "g",
                "model": "default",
                "input": [{"role": "user", "content": "criterion- {{sample.output_text}}"}],
            },
            "model_sample": "Rest.",
            "item": {},
        },
    ),
} | {
    name: (dialect.path.format(rubric="test/listed") + "?on_error=-1", dialect.body("Call for help.", None))
    for name, dialect in DIALECTS.items()
}


def waiting(client: httpx.Client) -> float:
    """Calls that wait for a place, of the class that requests are of unless they say otherwise."""
    found = re.search(r'class_calls_waiting{model="stub",priority="interactive"} (\S+)', client.get("/metrics").text)
    assert found is not None
    return float(found[1])


def two_wait(client: httpx.Client) -> None:
    """Until two are let in, and for a moment more: no figure tells that the second waits for the calls of the first."""
    until(lambda: "judge_server_submissions_under_way 2.0" in client.get("/metrics").text)
    time.sleep(0.5)


@pytest.mark.parametrize("route", ROUTES)
def test_a_caller_that_hangs_up_ends_its_model_calls(route):
    path, body = ROUTES[route]
    with judged_by(SLOW) as (client, judge):
        publish(client)
        before = judge.calls
        caller = HangsUp(client, path, body)
        until(lambda: judge.calls > before)
        time.sleep(0.1)
        caller.leave()
        until(lambda: "judge_server_submissions_under_way 0.0" in client.get("/metrics").text)
        until(lambda: judge.disconnects == judge.calls - before)
        assert 'judge_server_calls_in_flight{model="stub"} 0.0' in client.get("/metrics").text


def test_two_who_ask_the_same_do_not_take_each_others_answer_along():
    both = threading.Event()
    late = only_for("criterion-", Reply(until=both, body=answer("Yes", {"Yes": 0.9, "No": 0.1})))
    with judged_by(late) as (client, judge):
        before = judge.calls
        answers = []
        leaving = HangsUp(client, "/v1/score", submission())
        until(lambda: judge.calls - before == 2)
        staying = threading.Thread(target=lambda: answers.append(client.post("/v1/score", json=submission())))
        staying.start()
        two_wait(client)
        leaving.leave()
        until(lambda: "judge_server_submissions_under_way 1.0" in client.get("/metrics").text)
        both.set()
        staying.join(PATIENCE_SECONDS)
        assert answers[0].json()["reward"] == pytest.approx(0.9)
        assert (judge.disconnects, judge.calls - before) == (0, 2)


def test_work_that_two_wait_for_ends_with_the_second():
    with judged_by(SLOW) as (client, judge):
        before = judge.calls
        callers = [HangsUp(client, "/v1/score", submission()) for _ in range(2)]
        until(lambda: judge.calls - before == 2)
        two_wait(client)
        callers[0].leave()
        until(lambda: "judge_server_submissions_under_way 1.0" in client.get("/metrics").text)
        assert judge.disconnects == 0
        callers[1].leave()
        until(lambda: judge.disconnects == 2)


def test_those_who_wait_in_the_queue_leave_it_too():
    with judged_by(SLOW) as (client, judge):
        before = judge.calls
        callers = [
            HangsUp(client, "/v1/score/batch", {"items": [submission(response=f"{n}-{m}.") for m in range(20)]})
            for n in range(5)
        ]
        until(lambda: waiting(client) == 136)
        until(lambda: judge.calls - before == 64)
        for caller in callers:
            caller.leave()
        until(lambda: waiting(client) == 0)
        until(lambda: judge.disconnects == judge.calls - before)
        assert judge.calls - before < 200  # places that the first callers free may go to callers who have not left yet


def test_a_deadline_that_passes_ends_the_calls_of_the_judge():
    with judged_by(SLOW) as (client, judge):
        answered = client.post("/v1/score", json=submission(deadline_seconds=0.3))
        assert answered.status_code == 504
        until(lambda: judge.disconnects == 2)
