"""Log lines as a person reads them and as a collector does, from a real server's standard error."""

import json
import logging
import re
import subprocess
import sys

import pytest

from judge_server.server.middleware.headers import current_request_id
from judge_server.server.telemetry.log_lines import handler_of


def _line(form: str, message: str, *args: object, request_id: str = "", **extra: object) -> str:
    record = logging.LogRecord("judge_server.server.app", logging.WARNING, __file__, 1, message, args, None)
    for name, value in extra.items():
        setattr(record, name, value)
    token = current_request_id.set(request_id)
    try:
        handler = handler_of(form)
        handler.filter(record)
        return handler.format(record)
    finally:
        current_request_id.reset(token)


def test_a_line_for_people_has_time_level_place_and_request():
    line = _line("text", "stopped with %d under way", 3, request_id="abc")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING judge_server\.server\.app \[abc\]: stopped with 3 under way",
        line,
    )


def test_a_line_outside_of_a_request_names_none():
    assert "[" not in _line("text", "stopped")
    assert "request_id" not in json.loads(_line("json", "stopped"))


def test_a_line_for_collectors_is_one_json_object_with_every_field():
    line = _line("json", "answered\nin %s", "time", request_id="abc", status=429, route="/v1/score")
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").startswith("20")
    assert told == {
        "level": "WARNING",
        "logger": "judge_server.server.app",
        "message": "answered\nin time",
        "request_id": "abc",
        "status": 429,
        "route": "/v1/score",
    }


def test_a_line_for_collectors_has_no_colours_of_a_terminal():
    line = _line("json", "Started server process [%d]", 7, color_message="Started server process [\x1b[36m%d\x1b[0m]")
    assert "color" not in line


def test_warnings_of_libraries_are_lines_like_any_other(tmp_path):
    program = (
        "import warnings; from judge_server.server.telemetry.log_lines import log_to_standard_error as log;"
        "log('info', 'json'); warnings.warn('deprecated,\\nand more', stacklevel=1)"
    )
    told = subprocess.run([sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, check=True)
    (line,) = told.stderr.splitlines()
    assert "deprecated,\nand more" in json.loads(line)["message"]


@pytest.mark.parametrize("text", ["two\nlines", "two\r\nlines", "two\rlines"])
def test_text_from_outside_cannot_begin_a_line_of_its_own(text):
    line = _line("text", "refused: %s", text)
    assert len(line.splitlines()) == 1


def test_a_traceback_is_kept_in_both_forms():
    with pytest.raises(KeyError) as caught:
        {}["deep inside"]
    info = (caught.type, caught.value, caught.tb)
    for form in ("text", "json"):
        record = logging.LogRecord("judge_server", logging.ERROR, __file__, 1, "failed", (), info)
        handler = handler_of(form)
        handler.filter(record)
        assert "deep inside" in handler.format(record)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("place", ["argument", "mapping", "field", "exception"])
def test_a_clients_text_is_cut_and_escaped_wherever_it_stands(form, place):
    secretive = "\x1b[2Jname\n\u202e" + "x" * 100_000
    match place:
        case "argument":
            line = _line(form, "no rubric %s, %d", secretive, 3)
        case "mapping":
            line = _line(form, "no rubric %(name)s", {"name": secretive})
        case "field":
            line = _line(form, "no rubric", rubric=secretive)
        case _:
            line = _line(form, "no rubric: %s", ValueError(secretive))
    assert len(line) < 1_500
    assert not re.search("[\x1b\u202e\n]", line)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_keeps_its_lines_and_none_is_long(form):
    fault = ValueError("x" * 100_000)
    record = logging.LogRecord("judge_server", logging.ERROR, __file__, 1, "failed", (), (ValueError, fault, None))
    handler = handler_of(form)
    handler.filter(record)
    line = handler.format(record)
    assert "ValueError: xxx" in line
    assert len(line) < 1_500
