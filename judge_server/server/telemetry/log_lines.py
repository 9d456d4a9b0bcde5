"""What a log line looks like: text for people, JSON for collectors; both name the request they belong to."""

import logging
from typing import Final, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from judge_server.server.middleware.request_id import current_request_id
from judge_server.util.redaction import redacted

LogFormat = Literal["text", "json"]
_TEXT: Final = "%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s"
_NO_FIELDS: Final = (*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "request", "color_message")
_JSON: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _OfRequest(logging.Filter):
    """Adds the id of the request in whose course the line was written, where there is one."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = getattr(record, "request_id", "") or current_request_id.get()
        record.request = f" [{request_id}]" if request_id else ""
        if request_id:
            record.request_id = request_id
        return True


class _OneLine(logging.Formatter):
    """Line breaks of a message are shown as such, so that no text from outside begins a line of its own. The lines of
    a traceback stay."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


def _formatter(form: LogFormat) -> logging.Formatter:
    if form == "text":
        return _OneLine(_TEXT)
    return JsonFormatter(
        _JSON,
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        datefmt="%Y-%m-%dT%H:%M:%S%z",
        reserved_attrs=_NO_FIELDS,
    )


class _Discreet(logging.StreamHandler[TextIO]):
    """Shows no secret, whoever wrote the line: tracebacks and foreign libraries included."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def handler_of(form: LogFormat) -> logging.Handler:
    """Writes lines of that form to standard error."""
    handler = _Discreet()
    handler.setFormatter(_formatter(form))
    handler.addFilter(_OfRequest())
    return handler


def log_to_standard_error(level: str, form: LogFormat) -> None:
    """One handler for the process: our lines and uvicorn's from ``level`` on, the libraries' and the interpreter's
    warnings."""
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler_of(form)], level=logging.WARNING, force=True)
    for name in ("judge_server", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
