"""Answers that are errors: which failure each one is, and whether another attempt may help."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from judge_server.core.errors import ContextOverflow, JudgeFailure, ModelUnavailable
from judge_server.models.fleet import CallOutcome

_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum (?:context|model) length|max_model_len|too many tokens|"
    r"(?:prompt|input|request) (?:is|was) too long|longer than the (?:maximum )?(?:model|context)|exceed_context",
    re.IGNORECASE,
)
_SLUG = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@dataclass(frozen=True, slots=True)
class ServerFault:
    """``again``: whether another attempt may help; ``elsewhere``: on the same address only if it answered other calls
    meanwhile. ``wait_seconds``: what the server asked for. ``complaint``: the server's message, which is parsed but
    never passed on because servers quote keys and prompts in it."""

    error: JudgeFailure
    outcome: CallOutcome = CallOutcome.ANSWERED
    again: bool = False
    elsewhere: bool = False
    wait_seconds: float | None = None
    complaint: str = ""
    status: int = 0


def fault_of(status: int, headers: Mapping[str, str], raw: bytes, model: str) -> ServerFault:
    """The fault of an answer whose status is not 2xx."""
    code, complaint = _complaint(raw)
    says = f"The model server answered HTTP {status}" + (f" ({code})" if code else "") + "."
    wait = retry_after_seconds(headers.get("Retry-After"))

    def final(error: JudgeFailure) -> ServerFault:
        return ServerFault(error, complaint=complaint, status=status)

    def unavailable(remedy: str) -> ModelUnavailable:
        return ModelUnavailable(says, remedy=remedy, retry_after_seconds=wait)

    if 300 <= status < 400:
        return final(unavailable("Redirects are not followed: write the final address of the server."))
    if status in {400, 413, 422} and (status == 413 or _OVERFLOW.search(f"{code} {complaint}")):
        remedy = "Shorten the material or serve the judge with a longer context; nothing is cut silently."
        return final(ContextOverflow(f"The prompt does not fit into the context of {model!r}. {says}", remedy=remedy))
    if status in {401, 403}:
        return final(unavailable("Give a valid key for this server by the option api_key of the judge's model."))
    if status in {404, 405, 410}:
        return final(
            unavailable(f"Check that the server serves {model!r} and that its address ends as it should (/v1).")
        )
    if status == 429 and code == "insufficient_quota":
        return final(unavailable("The account behind the key has no quota left: raise it with the provider."))
    if status in {408, 409, 425, 429} or status >= 500:
        busy = status in {409, 425, 429}
        remedy = "It is busy: lower max_in_flight or add addresses." if busy else "Look at the server's own log."
        outcome = CallOutcome.BUSY if busy else CallOutcome.FAILED
        return ServerFault(unavailable(remedy), outcome, True, wait_seconds=wait, complaint=complaint, status=status)
    return final(
        unavailable(f"It refuses requests of this form for {model!r}: check the options of the judge's model.")
    )


def _complaint(raw: bytes) -> tuple[str, str]:
    """The error's code, if it is a plain word, and its message; empty texts if there are none."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return "", raw[:2_000].decode("utf-8", "replace")
    error: Any = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)[:2_000]
    message = error.get("message") or error.get("detail") or ""
    words = (word for word in (error.get("code"), error.get("type")) if isinstance(word, str) and _SLUG.fullmatch(word))
    parameter = error.get("param")
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    return next(words, ""), f"{text} {parameter if isinstance(parameter, str) else ''}"[:2_000]


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header, given as seconds or as a date, in seconds from now; None if it cannot be read."""
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), 86_400.0)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), 86_400.0)
