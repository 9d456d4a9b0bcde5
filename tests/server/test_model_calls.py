"""What the log says of judge models that fail."""

import logging

import pytest

from judge_server.models.protocol import Priority
from judge_server.scheduling.observers import ModelCall
from judge_server.server.telemetry.model_calls import CallLog
from tests.models.openai_model import after_start
from tests.served import judged_by, until
from tests.stub_judge import Reply
from tests.submissions import submission


@pytest.fixture
def lines(caplog):
    with caplog.at_level(logging.INFO, logger="judge_server.server.telemetry.model_calls"):
        yield caplog


def call(error: str | None = None, model: str = "openai:judge") -> ModelCall:
    return ModelCall(model, Priority.TRAINING, error=error, detail="It accepts no connection." if error else "")


def test_an_outage_is_told_of_once_a_minute_with_its_cause_and_when_it_is_over(lines):
    now = [0.0]
    log = CallLog(clock=lambda: now[0])
    for second in range(70):
        now[0] = float(second)
        log.called(call("judge_unavailable"))
    log.called(call())
    log.called(call())
    failed = "a call of the judge model openai:judge failed, judge_unavailable: It accepts no connection."
    assert [record.getMessage() for record in lines.records] == [
        failed,
        f"{failed} (59 more since the last such line)",
        "the judge model openai:judge answers again; 70 calls in a row had failed",
    ]


def test_each_model_and_each_cause_is_told_of(lines):
    log = CallLog(clock=lambda: 0.0)
    for one in (call("timeout"), call("judge_unavailable"), call("timeout", "vllm:other"), call("timeout")):
        log.called(one)
    assert len(lines.records) == 3


def test_a_call_that_nobody_waits_for_any_more_is_no_failure(lines):
    CallLog().called(call("cancelled"))
    assert not lines.records


def test_a_judge_that_dies_is_in_the_log(lines):
    with judged_by(after_start(Reply(500))) as (client, _):
        assert client.post("/v1/score", json=submission()).status_code == 503
        until(lambda: any("HTTP 500" in record.getMessage() for record in lines.records))
