"""Log lines as text or JSON. Each has the id of its request; secrets are removed, and texts of clients are cut and
escaped, whatever line they are part of."""

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from judge_server.server.middleware.headers import current_request_id
from judge_server.util.redaction import excerpt, redacted

LogFormat = Literal["text", "json"]
_MOST_CHARACTERS: Final = 500
_MOST_MESSAGE: Final = 4_000
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


class _Excerpts(logging.Filter):
    """Cuts and escapes what stands in for a line's placeholders, and its further fields: all of it may be, or contain,
    the text of a client."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping):
            record.args = {name: _shown(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(_shown(value) for value in record.args)
        for name, value in vars(record).items():
            if name not in _NO_FIELDS and isinstance(value, str):
                setattr(record, name, _shown(value))
        return True


def _shown(value: object) -> object:
    if isinstance(value, int | float | None):
        return value
    # secrets are taken out before the cut, which could leave a part of one that nothing recognises
    return excerpt(redacted(str(value)[: 4 * _MOST_CHARACTERS]), _MOST_CHARACTERS)


class _OneLine(logging.Formatter):
    """Escapes control characters in messages, so that no text of a client can forge a log line. Tracebacks keep their
    lines, of which each is cut."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = excerpt(record.message, _MOST_MESSAGE)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        return _cut(super().formatException(ei))


class _Json(JsonFormatter):
    def formatException(self, ei: Any) -> Any:  # noqa: N802 - logging's own name
        return _cut(super().formatException(ei))


def _cut(traceback: Any) -> str:
    """Each line cut: an error's message may contain the text of a client."""
    return "\n".join(str(_shown(line)) for line in str(traceback).split("\n"))


def _formatter(form: LogFormat) -> logging.Formatter:
    if form == "text":
        return _OneLine(_TEXT)
    return _Json(
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
    handler.addFilter(_Excerpts())
    handler.addFilter(_OfRequest())
    return handler


def log_to_standard_error(level: str, form: LogFormat) -> None:
    """Install one handler for the process: lines of the server and of uvicorn from ``level`` on, warnings of libraries
    and of the interpreter."""
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler_of(form)], level=logging.WARNING, force=True)
    for name in ("judge_server", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
