"""How long a model server asks to wait, in headers and in bodies."""

import json

import pytest

from judge_server.models.failover import backoff_seconds
from judge_server.models.openai_fault import fault_of, retry_after_seconds


def test_waits_grow_and_stay_bounded():
    assert 0.05 <= backoff_seconds(0) <= 0.1
    assert 0.1 <= backoff_seconds(1) <= 0.2
    assert backoff_seconds(50) <= 2.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("", None),
        ("²", None),
        ("2s", 2.0),
        ("1m30s", 90.0),
        ("250ms", 0.25),
        ("1.5 seconds", 1.5),
        ("PT2S", 2.0),
        ("pt0.5s", 0.5),
        ("PT1M30S", 90.0),
        ("P0DT0H0M7S", 7.0),
        ("P1D", 86_400.0),
        ("P9999999999999D", 86_400.0),
        ("P", None),
        ("PT", None),
        ("-PT2S", None),
        ("1764512345", 0.0),
        ("1764512345000", 0.0),
        ("99999999999", 86_400.0),
        ("2026-01-30T14:10:43Z", 0.0),
        ("2026-01-30 14:10:43", 0.0),
        ("9999-12-31T23:59:59+00:00", 86_400.0),
    ],
)
def test_retry_after_is_read_as_seconds(header, seconds):
    assert retry_after_seconds(header) == seconds


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        ({"retry-after-ms": "1500", "Retry-After": "9"}, {}, 1.5),
        ({"Retry-After": "2s"}, {}, 2.0),
        ({}, {"message": "Rate limit reached. Please try again in 1m2.5s. Visit"}, 62.5),
        ({}, {"message": "Please try again in 120ms."}, 0.12),
        ({}, {"message": "Please retry after 7 seconds."}, 7.0),
        ({}, {"message": "x", "details": [{"@type": "RetryInfo", "retryDelay": "20s"}]}, 20.0),
        ({}, {"message": "x", "retry_after": 3}, 3.0),
        ({"Retry-After": "PT2S"}, {}, 2.0),
        ({}, {"message": "Too many requests, retry after PT1M2.5S."}, 62.5),
        ({}, {"message": "x", "details": [{"retryDelay": "P0DT20S"}]}, 20.0),
        ({}, {"message": "x", "retryAfter": "PT3S"}, 3.0),
        ({}, {"message": "x", "retry_after": "4s"}, 4.0),
        ({"Retry-After": "soon"}, {"message": "Please try again in 3s."}, 3.0),
        ({"Retry-After": ""}, {"message": "x", "retry_after": 4}, 4.0),
        ({"retry-after-ms": "-1", "Retry-After": "2"}, {}, 2.0),
        ({}, {"message": "try again: P99 is 5,000 tokens"}, None),
        ({}, {"message": "limit 6000, used 5 s"}, None),
    ],
)
def test_a_delay_is_read_from_headers_and_from_the_body(headers, error, seconds):
    assert fault_of(429, headers, json.dumps({"error": error}).encode(), "judge").wait_seconds == seconds


def test_retry_after_is_read_as_a_date():
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after_seconds("Wed, 21 Oct 2150 07:28:00 GMT") == 86_400.0
