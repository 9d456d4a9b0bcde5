"""What the body of an error says, in whichever shape a server writes it: an object, a list of them, objects within
objects, a text. What it repeats of the request is left out, because the judged text must not decide which error it is.
"""

import re
from collections.abc import Iterator
from typing import Any

from judge_server.models.refusal_wording import is_filtered, is_overflow, status_of_words
from judge_server.util.parsing import quick_json

_WORDS = ("message", "msg", "detail", "error_msg", "error_message", "status_msg", "faultstring")
_WAITS = ("retry_after", "retryAfter", "retry_delay", "retryDelay", "retry_after_seconds")
_REPEATED = frozenset(
    ["input", "inputs", "prompt", "messages", "content", "body", "request", "request_body", "flagged_input", "received"]
)
_SUCCESS = frozenset(["", "0", "200", "ok", "success", "none", "null"])
_SLUG = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_DEEPEST = 3
_DEEPEST_WORD = 6
_MOST_CHARACTERS = 2_000


def complaint_in(raw: bytes) -> tuple[str, str]:
    """The error's code, if it is a plain word, and all that it says, its message first; empty texts if there is
    nothing."""
    try:
        body = quick_json(raw)
    except ValueError:
        return "", raw[:_MOST_CHARACTERS].decode("utf-8", "replace")
    if isinstance(body, list) and body and isinstance(body[0], dict):
        body = body[0]
    error: Any = (body.get("error") or body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        beside = body.get("code") if isinstance(body.get("code"), str) else ""
        return "", "; ".join(filter(None, (*_said("error", error, _DEEPEST_WORD), beside)))[:_MOST_CHARACTERS]
    words = (word for word in (error.get("code"), error.get("type")) if isinstance(word, str) and _SLUG.fullmatch(word))
    first = {name: error[name] for name in _WORDS if name in error}
    texts = [*_said("", first | {n: v for n, v in error.items() if n not in first}, _DEEPEST_WORD)]
    texts += [f"retry after {error[name]} s" for name in _WAITS if error.get(name)]
    return next(words, ""), "; ".join(texts)[:_MOST_CHARACTERS]


def _said(name: str, value: Any, depth: int) -> Iterator[str]:
    """The texts in a value; a single word in quotation marks behind its name."""
    if isinstance(value, str):
        if value:
            yield f'{name} "{value}"' if _SLUG.fullmatch(value) and name not in _WORDS else value
    elif depth and isinstance(value, dict):
        for inner_name, inner in value.items():
            if inner_name not in _REPEATED:
                yield from _said(str(inner_name), inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:20]:
            yield from _said(name, inner, depth - 1)


def error_in(body: Any) -> dict[str, Any] | str | None:
    """The error that an answer with status 200 is: at the top, in the first choice, or instead of the choices."""
    if isinstance(body, list) and body:
        body = body[0]
    error = _error_in(body) if isinstance(body, dict) else None
    return error if error and isinstance(error, dict | str) else None


def _error_in(body: dict[str, Any]) -> Any:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if body.get("object") == "error":
        return body
    if says_something(error := body.get("error")):
        return error
    if isinstance(first, dict):
        ended = "The answer ended in an error." if first.get("finish_reason") == "error" else None
        return inner if says_something(inner := first.get("error")) else ended
    return None if choices or "answers" in body else _told_in(body, _DEEPEST) or _blocked_in(body)


def says_something(error: Any) -> bool:
    """Not if all that it holds is empty or tells of success: some servers always have the field."""
    if isinstance(error, dict | list):
        return any(says_something(one) for one in (error.values() if isinstance(error, dict) else error))
    return bool(error) and str(error).strip().casefold() not in _SUCCESS


def _told_in(value: Any, depth: int) -> Any:
    """The object that tells of an error in words, wherever an answer without choices has it; a text under ``errors``
    is one."""
    if isinstance(value, list):
        return _told_in(value[0], depth - 1) if value and depth else None
    if not isinstance(value, dict):
        return None
    if any(isinstance(name, str) and name.casefold() in _WORDS for name in value):
        return {name.casefold(): inner for name, inner in value.items()}
    if isinstance(several := value.get("errors"), str):
        return several
    found = (_told_in(inner, depth - 1) for inner in value.values()) if depth else ()
    return next(filter(None, found), None)


def _blocked_in(body: dict[str, Any]) -> str | None:
    """What an answer without choices says without the words of an error, if it was not wanted or too long."""
    words = "; ".join(_said("", body, _DEEPEST_WORD))[:_MOST_CHARACTERS]
    return words if is_filtered(words) or is_overflow(words) else None


def status_of(error: dict[str, Any] | str) -> int:
    """The HTTP status that corresponds to an error without one."""
    names = ("code", "status", "status_code", "type", "status_msg", *_WORDS)
    values = [error.get(name) for name in names] if isinstance(error, dict) else [error]
    for value in values:
        number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value) else value
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
            return number
    return status_of_words(" ".join(value for value in values if isinstance(value, str)))
