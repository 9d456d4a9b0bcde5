"""Requests a second, counted honestly: whoever waits as long as he is told is let in."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judge_server.core.caller import Allowance
from judge_server.core.errors import AllowanceSpent
from judge_server.server.middleware.authentication import RateLimit
from tests.served import served, settings_of, until
from tests.server.faults import only_for
from tests.server.keys import allowing, bearer, demanding, problem
from tests.stub_judge import Reply, StubJudge
from tests.submissions import checking, submission
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def refusal(limit: RateLimit, allowance: Allowance, caller: str = "a") -> float:
    """Seconds to wait; 0 where the request was let in."""
    try:
        limit.take(caller, allowance)
    except AllowanceSpent as spent:
        return spent.retry_after_seconds or 0.0
    return 0.0


def test_a_burst_is_let_in_and_then_one_after_the_other():
    clock = Clock()
    limit, allowance = RateLimit(clock), Allowance(requests_per_second=2, burst=3)
    assert [refusal(limit, allowance) for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]
    clock.now += 0.5
    assert [refusal(limit, allowance) for _ in range(2)] == [0, pytest.approx(0.5)]
    clock.now += 60
    assert [refusal(limit, allowance) > 0 for _ in range(4)] == [False, False, False, True]


def test_callers_have_buckets_of_their_own():
    limit, allowance = RateLimit(Clock()), Allowance(requests_per_second=1)
    assert refusal(limit, allowance, "a") == 0
    assert refusal(limit, allowance, "a") > 0
    assert refusal(limit, allowance, "b") == 0


def test_without_a_limit_nothing_is_counted():
    limit = RateLimit(Clock())
    assert all(refusal(limit, Allowance()) == 0 for _ in range(1_000))


@given(rate=some.floats(0.01, 1_000), burst=some.integers(1, 50), pauses=some.lists(some.floats(0, 3), max_size=60))
def test_who_waits_as_long_as_told_is_let_in_and_the_rate_is_kept(rate, burst, pauses):
    clock = Clock()
    limit, allowance = RateLimit(clock), Allowance(requests_per_second=rate, burst=burst)
    begun = clock.now
    for let_in, pause in enumerate(pauses, start=1):
        clock.now += pause
        wait = refusal(limit, allowance)
        if wait:
            clock.now += wait + 1e-6
            assert refusal(limit, allowance) == 0
        assert let_in <= burst + (clock.now - begun) * rate + 1e-3


def test_beyond_its_rate_a_key_is_told_when_to_come_back():
    text, key = allowing(requests_per_second=0.25, burst=2)
    with served(demanding(key)) as client:
        answers = [client.get("/v1/judges", headers=bearer(text)) for _ in range(3)]
        assert client.get("/healthz").status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = problem(answers[2], 429, "allowance_spent")
    assert 3 < refused["retry_after_seconds"] <= 4
    assert answers[2].headers["retry-after"] == "4"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/score/batch", {"items": [submission(rubric=checking())] * 3}),
        ("/v1/score/group", {"rubric": checking(), "prompt": "p", "responses": ["a", "b", "c"]}),
        ("/v1/jobs", {"items": [submission(rubric=checking())] * 3}),
        ("/trainers/openrlhf/medical/consultation?on_error=0", {"query": ["pa"] * 3, "prompts": ["p"] * 3}),
    ],
)
def test_a_request_of_more_submissions_than_the_key_allows_is_refused_with_the_limit(path, body):
    text, key = allowing(submissions_per_request=2)
    with served(demanding(key)) as client:
        refused = problem(client.post(path, json=body, headers=bearer(text)), 413, "too_large")
    assert refused["max_items"] == 2


def test_a_key_has_only_so_many_submissions_under_way():
    text, key = allowing(submissions_under_way=2)
    other_text, other = allowing(submissions_under_way=2)
    other = other.model_copy(update={"name": "other"})
    with StubJudge(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as judge:
        settings = demanding(key, other, model=judge.specification, drain_seconds=0)
        with served(settings) as client:
            body = {"items": [submission(), submission(response="Another answer altogether.")]}
            asking = threading.Thread(
                target=lambda: client.post("/v1/score/batch", json=body | {"deadline_seconds": 6}, headers=bearer(text))
            )
            before = judge.calls
            asking.start()
            until(lambda: judge.calls > before)
            refused = client.post("/v1/score", json=submission(), headers=bearer(text))
            let_in = client.post("/v1/score", json=submission(rubric=checking()), headers=bearer(other_text))
            asking.join(PATIENCE_SECONDS)
            again = client.post("/v1/score", json=submission(rubric=checking()), headers=bearer(text))
    assert int(refused.headers["retry-after"]) >= 1
    problem(refused, 429, "allowance_spent")
    assert (let_in.status_code, again.status_code) == (200, 200)


def test_a_key_cannot_ask_for_a_more_urgent_class_than_its_own():
    text, key = allowing(most_urgent="batch")
    urgent = submission(rubric=checking(), priority="training")
    with served(demanding(key)) as client:
        refused = problem(client.post("/v1/score", json=urgent, headers=bearer(text)), 403, "forbidden")
        left_out = client.post("/v1/score", json=submission(rubric=checking()), headers=bearer(text))
        job = client.post("/v1/jobs?priority=interactive", content=b"{}", headers=bearer(text) | _LINES)
        trainer = client.post(
            "/trainers/openrlhf/medical/consultation?on_error=0",
            json={"query": ["Question? Answer."], "prompts": ["Question?"]},
            headers=bearer(text),
        )
    assert "batch or audit" in refused["remedy"]
    assert left_out.status_code == 200
    problem(job, 403, "forbidden")
    assert trainer.status_code == 200


_LINES = {"Content-Type": "application/jsonl"}


def test_a_server_without_keys_has_no_limits_of_callers():
    with served(settings_of()) as client:
        assert client.post("/v1/score", json=submission(rubric=checking(), priority="training")).status_code == 200
