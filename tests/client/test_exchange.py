"""Retries and deadlines, against a server whose answers are scripted."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from judge_client import Sample
from judge_client.errors import (
    BadConfiguration,
    DeadlineExceeded,
    Overloaded,
    Refused,
    ServerFailure,
    TooLarge,
    Unauthorized,
    UnknownRubric,
    Unreachable,
    UnreadableAnswer,
)
from tests.client.both import both_ways
from tests.client.scripted_server import ScriptedServer, Seen, judged, judgment, problem
from tests.stub_judge import Reply
from tests.yardstick import HANG_SECONDS

SAMPLE = Sample("p", "r", rubric="a/b")
RESET = Reply(reset=True)


@both_ways
@pytest.mark.parametrize("fault", [problem(503, "draining"), problem(429, "overloaded"), Reply(502), Reply(504), RESET])
def test_what_passes_is_tried_again(ask, scripted, fault):
    scripted.script = [fault, fault]
    assert ask(scripted.url, "score", SAMPLE).reward == 0.5
    assert len(scripted.seen) == 3


@both_ways
def test_attempts_end(ask, scripted):
    scripted.behave = lambda _: problem(503, "store_unavailable")
    with pytest.raises(ServerFailure) as caught:
        ask(scripted.url, "score", SAMPLE, attempts=2)
    assert (len(scripted.seen), caught.value.slug, caught.value.status) == (2, "store_unavailable", 503)


@both_ways
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (problem(404, "unknown_rubric"), UnknownRubric),
        (problem(401, "unauthorized"), Unauthorized),
        (problem(413, "too_large"), TooLarge),
        (problem(500, "internal_error"), ServerFailure),
        (Reply(301, b"", {"Location": "http://127.0.0.1:1/"}), Refused),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_never_passes_is_not_tried_again(ask, scripted, reply, kind):
    scripted.behave = lambda _: reply
    with pytest.raises(kind):
        ask(scripted.url, "score", SAMPLE)
    assert len(scripted.seen) == 1


@both_ways
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(ask, scripted, as_date):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    scripted.script = [problem(429, "overloaded", headers={"Retry-After": until if as_date else "1"})]
    assert ask(scripted.url, "score", SAMPLE).reward == 0.5
    first, second = scripted.seen
    assert second.at - first.at > (0.5 if as_date else 1.0)


@both_ways
def test_a_retry_that_would_come_too_late_is_not_begun(ask, scripted):
    scripted.behave = lambda _: problem(429, "overloaded", headers={"Retry-After": "600"})
    with pytest.raises(Overloaded) as caught:
        ask(scripted.url, "score", SAMPLE, deadline_seconds=500)
    assert caught.value.retry_after_seconds == 600
    assert len(scripted.seen) == 1


@both_ways
@pytest.mark.parametrize(
    "slow", [Reply(delay_seconds=HANG_SECONDS), Reply(body=b"x" * 2_000, drip_seconds=0.5)], ids=["late", "drip"]
)
def test_the_deadline_bounds_the_whole_call(ask, scripted, slow):
    scripted.behave = lambda _: slow
    with pytest.raises(DeadlineExceeded):
        ask(scripted.url, "score", SAMPLE, deadline_seconds=0.5)


@both_ways
def test_the_server_is_told_a_little_less_and_less_with_every_attempt(ask, scripted):
    scripted.script = [problem(503, "draining")]
    ask(scripted.url, "score", SAMPLE, deadline_seconds=20)
    first, second = (float(seen.headers["deadline-seconds"]) for seen in scripted.seen)
    assert 15 < second < first <= 19.0


@both_ways
def test_no_deadline_is_the_servers_own(ask, scripted):
    ask(scripted.url, "score", SAMPLE)
    assert "deadline-seconds" not in scripted.seen[0].headers


@both_ways
def test_nobody_at_the_address(ask):
    with ScriptedServer() as gone:
        url = gone.url
    with pytest.raises(Unreachable, match="JUDGE_URL"):
        ask(url, "score", SAMPLE, attempts=2)


@both_ways
@pytest.mark.parametrize("content", [b'{"reward": NaN}', b"<html>", b"[]", b'{"reward": null}'])
def test_an_answer_that_is_no_judgment_is_never_one(ask, scripted, content):
    scripted.behave = lambda _: Reply(body=content)
    with pytest.raises(UnreadableAnswer):
        ask(scripted.url, "score", SAMPLE)


@both_ways
def test_a_failed_judgment_is_an_answer_and_not_asked_for_again(ask, scripted):
    failed = judgment(None)
    scripted.behave = lambda _: problem(504, "timeout", judgment=failed, headers={"Retry-After": "5"})
    found = ask(scripted.url, "score", SAMPLE)
    assert (found.reward, found.status, found.error.type) == (None, "failed", "timeout")
    assert len(scripted.seen) == 1


@both_ways
def test_a_calibration_is_begun_once(ask, scripted):
    scripted.behave = lambda _: RESET
    with pytest.raises(Unreachable):
        ask(scripted.url, "calibrate", "set", "a/b")
    assert len(scripted.seen) == 1
    assert scripted.seen[0].headers["idempotency-key"]


@both_ways
def test_a_calibration_that_was_turned_away_is_begun_again_under_the_same_key(ask, scripted):
    scripted.script = [problem(429, "overloaded")]
    begun = {"id": "cal_1", "status": "running", "created_at": "2026-01-02T03:04:05Z"}
    scripted.behave = lambda _: Reply(202, begun)
    assert ask(scripted.url, "calibrate", "set", "a/b").id == "cal_1"
    assert len({seen.headers["idempotency-key"] for seen in scripted.seen}) == 1
    assert len(scripted.seen) == 2


@both_ways
def test_the_key_is_sent_as_a_bearer_token(ask, scripted):
    ask(scripted.url, "score", SAMPLE, api_key="s3cret")
    assert scripted.seen[0].headers["authorization"] == "Bearer s3cret"


@both_ways
def test_an_address_that_is_none_is_a_fault_of_configuration(ask):
    for url in ("http://[::1", "127.0.0.1:8000", "http://host:80x", "http://"):
        with pytest.raises(BadConfiguration, match="JUDGE_URL"):
            ask(url, "score", SAMPLE)


@both_ways
def test_batches_are_cut_to_what_a_proxy_takes(ask, scripted):
    def behave(seen: Seen) -> Reply:
        return Reply(413, b"too large") if len(seen.content) > 600 else judged(seen)

    scripted.behave = behave
    found = ask(scripted.url, "score_batch", [Sample("p", "r" * 40, id=str(n)) for n in range(40)], rubric="a/b")
    assert [one.submission.id for one in found] == [str(n) for n in range(40)]


@both_ways
def test_one_part_that_cannot_be_judged_spoils_nothing_else(ask, scripted):
    def behave(seen: Seen) -> Reply:
        wrong = any(item["id"] == "3" for item in seen.body["items"])
        return problem(503, "store_unavailable") if wrong else judged(seen)

    scripted.behave = behave
    told: list[tuple[int, int]] = []
    samples = [Sample("p", "r", id=str(n)) for n in range(130)]
    found = ask(
        scripted.url, "score_batch", samples, rubric="a/b", attempts=1, progress=lambda *how_far: told.append(how_far)
    )
    assert [one.reward for one in found] == [None] * 6 + [0.5] * 124
    assert found[0].error.type == "store_unavailable"
    assert max(told) == (130, 130)


@both_ways
def test_a_refusal_of_one_part_is_raised(ask, scripted):
    scripted.behave = lambda _: problem(401, "unauthorized")
    with pytest.raises(Unauthorized):
        ask(scripted.url, "score_batch", [SAMPLE] * 130, progress=lambda *_: None)


@both_ways
def test_judgments_in_another_order_are_no_answer(ask, scripted):
    results = [judgment(reward, submission={"id": name}) for reward, name in ((1.0, "b"), (0.0, "a"))]
    scripted.behave = lambda _: Reply(body={"results": results, "rewards": [1.0, 0.0]})
    with pytest.raises(UnreadableAnswer, match=r"results\[0\] is the judgment of 'b', and 'a' was asked about"):
        ask(scripted.url, "score_batch", [Sample("p", "r", id="a"), Sample("p", "r", id="b")], rubric="a/b")


@both_ways
def test_fewer_judgments_than_samples_are_no_answer(ask, scripted):
    scripted.behave = lambda _: Reply(body={"results": [judgment()], "rewards": [0.5]})
    with pytest.raises(UnreadableAnswer, match="1 judgments came for 2 samples"):
        ask(scripted.url, "score_batch", [SAMPLE] * 2)
