"""The lines that the log has for requests."""

import logging
from dataclasses import replace

import pytest

from judge_server.server.telemetry.exchange import AccessLog, Exchange
from tests.served import served, until
from tests.server.keys import allowing, bearer, demanding


def exchange(status: int) -> Exchange:
    return Exchange(method="POST", route="/v1/score", status=status, seconds=0.25, request_id="r-1")


@pytest.fixture
def lines(caplog):
    with caplog.at_level(logging.INFO, logger="judge_server.access"):
        yield caplog


def test_a_line_has_route_status_time_and_request(lines):
    AccessLog("all").answered(exchange(200))
    (record,) = lines.records
    assert record.getMessage() == "POST /v1/score 200 in 0.250 s"
    assert (record.request_id, record.route, record.status, record.seconds) == ("r-1", "/v1/score", 200, 0.25)
    assert record.levelno == logging.INFO


def test_a_line_names_the_key_of_the_caller_and_not_the_key_itself(lines):
    AccessLog("all").answered(replace(exchange(403), caller="night-run"))
    (record,) = lines.records
    assert record.getMessage() == "POST /v1/score 403 in 0.250 s for night-run"
    assert record.caller == "night-run"


def test_a_line_says_who_is_refused_for_asking_too_often(lines):
    key, bounded = allowing(requests_per_second=0.01)
    with served(demanding(bounded)) as client:
        assert [client.get("/v1/judges", headers=bearer(key)).status_code for _ in range(2)] == [200, 429]
        until(lambda: bool(lines.records))
    (record,) = lines.records
    assert (record.route, record.status, record.caller) == ("/v1/judges", 429, "bounded")
    assert record.error_type == "allowance_spent"
    assert record.getMessage().startswith("GET /v1/judges 429 allowance_spent in ")


@pytest.mark.parametrize(("what", "told"), [("off", []), ("errors", [429, 503]), ("all", [200, 429, 503])])
def test_the_operator_chooses_which_answers_are_told_of(lines, what, told):
    log = AccessLog(what)
    for status in (200, 429, 503):
        log.answered(exchange(status))
    assert [record.status for record in lines.records] == told


def test_a_flood_of_refusals_does_not_flood_the_log_and_says_what_was_left_out(lines):
    seconds = iter([0.5] * 500 + [1.5])
    log = AccessLog("errors", clock=lambda: next(seconds))
    for _ in range(501):
        log.answered(exchange(429))
    assert len(lines.records) == 21
    assert lines.records[-1].left_out == 480
    assert "480 lines left out" in lines.records[-1].getMessage()
