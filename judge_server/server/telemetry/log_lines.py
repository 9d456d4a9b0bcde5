"""Log lines as text or JSON. Each has the id of its request; secrets are removed."""

import logging
from typing import Final, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from judge_server.server.middleware.headers import current_request_id
from judge_server.util.redaction import redacted

LogFormat = Literal["text", "json"]
_TEXT: Final = "%(asctime)s %(levelname)s %(name)s%(request)s: %(message)s"
_NO_FIELDS: Final = (*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "request", "color_message")
_JSON: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _OfRequest(logging.Filter):
    """Adds the id of the current request, if there is one."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = getattr(record, "request_id", "") or current_request_id.get()
        record.request = f" [{request_id}]" if request_id else ""
        if request_id:
            record.request_id = request_id
        return True


class _OneLine(logging.Formatter):
    """Escapes line breaks in messages, so that no text of a client can forge a log line. Tracebacks keep theirs."""

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
    """Removes secrets from every line, tracebacks and lines of libraries included."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def handler_of(form: LogFormat) -> logging.Handler:
    """A handler that writes lines in this format to standard error."""
    handler = _Discreet()
    handler.setFormatter(_formatter(form))
    handler.addFilter(_OfRequest())
    return handler


def log_to_standard_error(level: str, form: LogFormat) -> None:
    """Install one handler for the process: lines of the server and of uvicorn from ``level`` on, warnings of libraries
    and of the interpreter."""
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler_of(form)], level=logging.WARNING, force=True)
    for name in ("judge_server", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
