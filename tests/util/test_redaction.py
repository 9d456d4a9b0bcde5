"""Secrets are taken out of whatever leaves the program beside its proper place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judge_server.core.api_key import new_key
from judge_server.util.redaction import Secrets, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefgh.ijkl-mnop", "Authorization: Bearer ***"),
        ('{"authorization": "Basic YW55OmtleWtleWtleQ=="}', '{"authorization": "Basic ***"}'),
        ("postgresql://judge:s3cr%40t!@db:5432/x?a=b", "postgresql://judge:***@db:5432/x?a=b"),
        ("http://:pass-word@host/v1", "http://:***@host/v1"),
        ("key sk-proj-0123456789abcdef is invalid", "key sk-*** is invalid"),
        ("api_key='0123456789abcdef'", "api_key='***'"),
        ('{"password": "hunter2hunter2"}', '{"password": "***"}'),
        ("X-API-Key: 0123456789", "X-API-Key: ***"),
    ],
)
def test_secrets_are_known_by_their_form(text, shown):
    assert redacted(text) == shown


def test_an_api_key_keeps_its_id_for_whoever_looks_into_a_log():
    key = new_key()
    for text in (key.text, f"x={key.text},", json.dumps({"a": key.text})):
        assert key.text.rpartition("_")[2] not in redacted(text)
        assert f"jsk_{key.id}_***" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "12 tokens: 8 cached", "the bearer of this letter", "http://127.0.0.1:8000/v1", "a basic question", "sk-learn",
        "http://host/a:b@c", "secret: none", "a password is needed", "max_tokens=320",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@given(some.text(min_size=8, max_size=40))
def test_a_secret_that_was_named_is_in_no_text_and_in_no_json(secret):
    secrets = Secrets()
    secrets.keep(secret)
    assert secret not in secrets.redacted(f"before {secret} after").replace("***", "")
    for ensure_ascii in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ensure_ascii)[1:-1]
        assert escaped not in secrets.redacted(json.dumps({"a": f"x{secret}x"}, ensure_ascii=ensure_ascii)).replace(
            "***", ""
        )


def test_of_two_secrets_the_longer_is_taken_out_whole():
    secrets = Secrets()
    for secret in ("password-1", "password-12345", "a password-1234567"):
        secrets.keep(secret)
    assert secrets.redacted("a password-1234567, password-12345, password-1") == "***, ***, ***"


@given(some.text())
def test_json_stays_json(text):
    json.loads(redacted(json.dumps({"a": text, "b": f"bearer {text}"})))
    json.loads(redacted(json.dumps({"a": f"http://u:{text}@h", "b": f"token={text}"}, ensure_ascii=False)))
