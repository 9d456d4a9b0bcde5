"""No secret leaves by a log line or by an error, whoever wrote it."""

import io
import json
import logging

import pytest
from pydantic import ValidationError

from judge_server.core.api_key import new_key
from judge_server.core.errors import BadConfiguration, JudgeServerError, ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.core.submission import Submission
from judge_server.server.problems import problem_response
from judge_server.server.telemetry.log_lines import handler_of
from judge_server.settings.environment import environment_variable
from judge_server.settings.loading import judge_specification
from judge_server.settings.settings import Settings
from judge_server.store.location import Location
from judge_server.util.redaction import keep_secret

SECRET = 'a "quoted" password/é'
keep_secret(SECRET)


def written(form: str, message: str, *args: object, fault: BaseException | None = None) -> str:
    """What a handler of that form makes of a line."""
    handler = handler_of(form)
    stream = io.StringIO()
    handler.setStream(stream)
    trace = None if fault is None else (type(fault), fault, fault.__traceback__)
    record = logging.LogRecord("somebody.else", logging.ERROR, __file__, 1, message, args, trace)
    handler.handle(record)
    return stream.getvalue()


def _fail(message: str) -> None:
    raise ConnectionError(message)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_line_and_its_traceback_show_no_secret(form):
    key = new_key().text
    with pytest.raises(ConnectionError) as raised:
        _fail(f"postgresql://judge:pass-word-1@db/x said no to {SECRET}")
    line = written(form, "tried %s with %s", key, {"Authorization": "Bearer abcdefghijklmnop"}, fault=raised.value)
    for secret in (SECRET, json.dumps(SECRET)[1:-1], "pass-word-1", "abcdefghijklmnop", key.rpartition("_")[2]):
        assert secret not in line
    assert "ConnectionError" in line
    if form == "json":
        assert json.loads(line)["level"] == "ERROR"


def test_a_problem_document_shows_no_secret():
    fault = ModelUnavailable(f"The server said {SECRET}", remedy="Bearer abcdefghijklmnop", judgment={"x": [SECRET]})
    shown = bytes(problem_response(fault).body).decode()
    document = json.loads(shown)
    assert document["detail"] == "The server said ***"
    assert document["remedy"] == "Bearer ***"
    assert document["judgment"] == {"x": ["***"]}


class OddlyNamed(JudgeServerError):
    type = "odd_word_of_this_test"


def test_a_secret_like_our_own_words_or_numbers_breaks_no_problem_document():
    for word in (OddlyNamed.type, "7319482651"):
        keep_secret(word)
    fault = OddlyNamed(f"{OddlyNamed.type} 7319482651", judgment={"reward": 0.7319482651})
    document = json.loads(bytes(problem_response(fault).body))
    assert document["type"] == f"urn:judge-server:error:{OddlyNamed.type}"
    assert document["detail"] == "*** ***"
    assert document["judgment"] == {"reward": 0.7319482651}


def test_settings_show_no_secret_when_they_are_printed():
    judge = judge_specification({"name": "a", "model": "baseline", "engine": {"api_key": "in-the-engine"}}, "a test")
    settings = Settings(database_url="postgresql://judge:in-the-url@db/x", judges={"a": judge})
    assert "in-the-engine" not in repr(settings)
    assert "in-the-url" not in repr(settings)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_the_settings_were_given_is_known_as_secret(form):
    engine = {"api_key": "key-number-one", "fallbacks": [{"model": "x", "api_key": "key-number-two"}]}
    judge_specification({"name": "a", "model": "baseline", "engine": engine}, "a test")
    Settings(judges={"b": JudgeSpecification(name="b", model="baseline", engine={"api_key": "key-number-three"})})
    Location.of("postgresql://judge:key%2Dnumber%2Dfour@db/x?sslpassword=key-number-five")
    line = written(form, "key-number-one key-number-two key-number-three key-number-four key-number-five")
    assert "key-number" not in line
    assert environment_variable("NO_SUCH_VARIABLE") is None


def test_a_validation_error_in_a_traceback_repeats_nothing_of_the_submission():
    words = "own words " * 2
    with pytest.raises(ValidationError) as fault:
        Submission.model_validate({"rubric": "a/b", "prompt": 5, "response": [words]})
    assert words not in written("text", "failed", fault=fault.value)


def test_an_unusable_setting_is_not_repeated():
    with pytest.raises(BadConfiguration) as fault:
        judge_specification({"name": "a", "model": "baseline", "mode": "hunter2hunter2"}, "a test")
    assert "hunter2" not in str(fault.value)
