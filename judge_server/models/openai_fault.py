"""Classify error answers: the failure, and whether another attempt may help."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

import orjson
from pydantic import SecretStr

from judge_server.core.errors import ContentFiltered, ContextOverflow, JudgeFailure, JudgeRefused, ModelUnavailable
from judge_server.models.server_quirks import OPTIONS, refused_field
from judge_server.util.parsing import quick_json

# A prompt that does not fit is named by what was sent and by how it compares with a limit, near each other, in whatever
# words. tests/models/test_openai_fault.py has the wordings of 36 servers and providers, and others.
_INPUT = (
    r"(?:context|prompt|inputs?|messages?|conversation|sequence|request|n_ctx|n_positions|max_seq\w*|session_len|"
    r"model(?:'s)? (?:max\w* )?(?:length|limit)|kv cache)"
)
_EXCESS = (
    r"(?:exceed\w*|overflow\w*|too (?:long|large|many|big)|(?:long|larg|great|bigg)er than|"
    r"(?:but|while) (?:the )?(?:limit|maximum)|more than|at most|shorten|reduce|supports? (?:up to|at most)|is full|"
    r"> ?\d)"
)
_OVERFLOW = re.compile(
    rf"\b{_INPUT}\b[^;]{{0,70}}?\b{_EXCESS}|{_EXCESS}[^;]{{0,70}}?\b{_INPUT}\b|"
    r"context[ _-]?(?:length|window|size|limit|too)|context_overflow|exceed_context|max[ _]?model[ _]?len|max_seq_len|"
    r"maximum (?:context|model|prompt|input|sequence|allowed)[ \w]{0,20} (?:length|size|tokens)|"
    r"\btokens?\b[^.;]{0,60}exceed|exceed[^.;]{0,60}\btokens?\b|too many (?:input |prompt )?tokens|"
    r"range of input length|max(?:imum)?[ _]input[ _](?:length|tokens|characters)|max_new_tokens. must be|"
    r"max_(?:completion_)?tokens\b[^.;]{0,40}\bgot -|model token limit|prompt[^.]{0,20}超|上下文|输入[^.。]{0,6}[超过]|"
    r"max_prompt_tokens|string_above_max_length|prompt_too_long",
    re.IGNORECASE,
)
_OTHER_LIMIT = re.compile(
    r"completion tokens|output tokens|budget|quota|monthly|credit|"
    r"\bmax_(?:completion_|output_)?tokens\b(?![^.;]{0,40}got -).{0,20}(?:too large|at most|exceed)|"
    r"\b(?:images?|audio|files?|tools?|functions?|schemas?|logprobs|stop|metadata|user|batch|seed|n|attachments?)\b"
    r"[^.;]{0,40}(?:exceed|too (?:long|large|many)|at most|limit|longer than)",
    re.IGNORECASE,
)
_NAMED_CONTEXT = re.compile(
    r"context|prompt|input[ _]?(?:length|tokens)|tokens? in the (?:messages|prompt)", re.IGNORECASE
)
_RATE = re.compile(r"per[ _-](?:min|hour|day|second)|\bTP[MD]\b|\bRP[MD]\b|rate[ _-]?limit", re.IGNORECASE)
_FILTER = re.compile(
    r"content[ _-]?(?:filter|policy|management|moderation|safety)|responsible[ _]?ai|data_inspection|moderation|"
    r"safety (?:system|filter|setting)|usage polic|PROHIBITED_CONTENT|contentFilter|sensitive content|risk_control|"
    r"flagged (?:as|by|for)|blocked (?:by|due to) (?:safety|content|our)|敏感",
    re.IGNORECASE,
)
_UNIT = r"(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)(?![a-z])"
_DURATION = re.compile(rf"(\d+(?:\.\d+)?)\s?({_UNIT})", re.IGNORECASE)
_IN_BODY = re.compile(
    rf"(?:try again|retry|wait|reset|available)\D{{0,40}}?((?:\d+(?:\.\d+)?\s?{_UNIT}\s?)+)", re.IGNORECASE
)
_UNITS = {"m": 60.0, "h": 3_600.0, "s": 1.0}
_LONGEST_WAIT = 86_400.0
_WORDS_OF_STATUS = (
    (re.compile(r"rate.?limit|too many requests|resource_exhausted|throttl", re.IGNORECASE), 429),
    (re.compile(r"overload|unavailable|capacity|timeout|timed out", re.IGNORECASE), 503),
    (re.compile(r"auth|api.?key|permission", re.IGNORECASE), 401),
    (
        re.compile(
            r"invalid|bad.?request|unsupported|not.?supported|context|content|too (?:long|large)", re.IGNORECASE
        ),
        400,
    ),
)
_EXPLAINED = frozenset([400, 403, 413, 422, 501])  # what a server says with these is about the request
_WORDS_OF_ERRORS = ("message", "msg", "detail", "error_msg", "error_message")
_SLUG = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


ANSWERED = frozenset([200, 201, 203])  # other 2xx hold no answer


class CallOutcome(Enum):
    """How a call on an address ended. BUSY: refused for load, which is not a failure; ABANDONED: cancelled by us."""

    ANSWERED = auto()
    FAILED = auto()
    BUSY = auto()
    ABANDONED = auto()


@dataclass(frozen=True, slots=True)
class ServerFault:
    """``again``: whether another attempt may help; ``elsewhere``: on the same address only if it answered other calls
    meanwhile. ``wait_seconds``: what the server asked for. ``complaint``: the server's message, which is parsed but
    never passed on because servers quote keys and prompts in it. ``lost``: there was no answer at all."""

    error: JudgeFailure
    outcome: CallOutcome = CallOutcome.ANSWERED
    again: bool = False
    elsewhere: bool = False
    wait_seconds: float | None = None
    complaint: str = ""
    status: int = 0
    lost: bool = False


def fault_of(status: int, headers: Mapping[str, str], raw: bytes, model: str) -> ServerFault:
    """The fault of an answer whose status is not one of ``ANSWERED``."""
    code, complaint = _complaint(raw)
    said = f"{code} {complaint}"
    says = f"The model server answered HTTP {status}" + (f" ({code})" if code else "") + "."
    wait = _wait_seconds(headers, complaint)

    def final(error: JudgeFailure) -> ServerFault:
        return ServerFault(error, complaint=complaint, status=status)

    def unavailable(remedy: str) -> ModelUnavailable:
        return ModelUnavailable(says, remedy=remedy, retry_after_seconds=wait)

    if content := _content_error(status, said, model, says):
        return final(content)
    field = refused_field(complaint)
    if status in {400, 403, 422, 501} and field is not None:
        remedy = f"It refuses {field}: set the engine option {OPTIONS[field]}."
        return final(ModelUnavailable(f"{says} It refuses {field}.", remedy=remedy))
    if cure := _refuses_all(status, code, model):
        return final(JudgeRefused(says, remedy=cure))
    if status in {408, 409, 413, 425, 429} or (status >= 500 and status != 501):
        busy = status in {409, 413, 425, 429}
        remedy = "It is busy: lower max_in_flight or add addresses." if busy else "See the server's log."
        outcome = CallOutcome.BUSY if busy else CallOutcome.FAILED
        return ServerFault(unavailable(remedy), outcome, True, wait_seconds=wait, complaint=complaint, status=status)
    return final(
        unavailable(f"It refuses requests of this form for {model!r}: check the options of the judge's model.")
    )


def _refuses_all(status: int, code: str, model: str) -> str | None:
    """The remedy for an answer that every call would get; None for another fault."""
    if status < 300:
        return "It answers later, or without content: give the address that answers at once, in the same response."
    if 300 <= status < 400:
        return "Redirects are not followed: write the final address of the server."
    if status in {401, 403}:
        return "Give a valid key for this server: name its variable in api_key_env among the judge's engine options."
    if status in {404, 405, 410}:
        return f"Check that the server serves {model!r} and that its address ends as it should (/v1)."
    if status == 429 and code == "insufficient_quota":
        return "The account behind the key has no quota left: raise it with the provider."
    return None


def fault_inside(raw: bytes, headers: Mapping[str, str], model: str) -> ServerFault | None:
    """The fault of an answer with status 200 that is an error: at the top, in the first choice, or instead of the
    choices; None if it is none."""
    try:
        body = quick_json(raw)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    error = _error_in(body)
    if not error or not isinstance(error, dict | str):
        return None
    return fault_of(_status_of(error), headers, orjson.dumps({"error": error}), model)


def probe_refused(fault: ServerFault, key: SecretStr | None) -> ModelUnavailable:
    """The refusal of a probe with the server's message, which can be shown because the probe's text is ours; ``key`` is
    removed from it."""
    secret = key.get_secret_value() if key else ""
    words = fault.complaint.replace(secret, "…") if secret else fault.complaint
    words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    detail = fault.error.detail
    if fault.status in _EXPLAINED and words:
        detail = f"{detail} It says: {words[:200]}"
    return ModelUnavailable(detail, remedy=fault.error.remedy, retry_after_seconds=fault.error.retry_after_seconds)


def _error_in(body: dict[str, Any]) -> Any:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if body.get("object") == "error":
        return body
    if error := body.get("error"):
        return error
    if isinstance(first, dict):
        ended = "The answer ended in an error." if first.get("finish_reason") == "error" else None
        return first.get("error") or ended
    if choices:
        return None
    several = body.get("errors")
    if isinstance(several, list) and several:
        return several[0]
    nested = body.get("base_resp")
    return nested if isinstance(nested, dict) else body if not body.keys().isdisjoint(_WORDS_OF_ERRORS) else None


def _status_of(error: dict[str, Any] | str) -> int:
    """The HTTP status that corresponds to an error without one."""
    names = ("code", "status", "status_code", "type", "status_msg", *_WORDS_OF_ERRORS)
    values = [error.get(name) for name in names] if isinstance(error, dict) else [error]
    for value in values:
        number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value) else value
        if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600:
            return number
    text = " ".join(value for value in values if isinstance(value, str))
    return next((status for pattern, status in _WORDS_OF_STATUS if pattern.search(text)), 502)


def _content_error(status: int, said: str, model: str, says: str) -> JudgeFailure | None:
    """Errors caused by the prompt itself, which no other attempt can cure."""
    if status not in {400, 403, 413, 422, 451, 500} or _RATE.search(said):
        return None
    if _FILTER.search(said) or status == 451:
        return ContentFiltered(
            f"The content filter of {model!r} refused the prompt. {says}",
            remedy="Lower the provider's filter for this account, or judge such material with a model of your own.",
        )
    if status == 413 or _is_overflow(said):
        remedy = "Shorten the material or serve the judge with a longer context; nothing is cut silently."
        return ContextOverflow(f"The prompt does not fit into the context of {model!r}. {says}", remedy=remedy)
    return None


def _is_overflow(said: str) -> bool:
    """Whether a refusal says that what was sent is too long, and not that another field is."""
    if not _OVERFLOW.search(said):
        return False
    return _OTHER_LIMIT.search(said) is None or _NAMED_CONTEXT.search(said) is not None


def _complaint(raw: bytes) -> tuple[str, str]:
    """The error's code, if it is a plain word, and its message; empty texts if there are none."""
    try:
        body = quick_json(raw)
    except ValueError:
        return "", raw[:2_000].decode("utf-8", "replace")
    error: Any = (body.get("error") or body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)[:2_000]
    words = (word for word in (error.get("code"), error.get("type")) if isinstance(word, str) and _SLUG.fullmatch(word))
    parts = [error.get(name) for name in ("message", "detail", "param", "metadata", "details", "innererror")]
    texts = [part if isinstance(part, str) else orjson.dumps(part).decode() for part in parts if part]
    if error.get("retry_after"):
        texts.append(f"retry after {error['retry_after']} s")
    return next(words, ""), " ".join(texts)[:2_000]


def _wait_seconds(headers: Mapping[str, str], complaint: str) -> float | None:
    """How long the server asks to wait: by header in seconds, as a date, with a unit or in milliseconds, or in
    words."""
    milliseconds = (headers.get("retry-after-ms") or headers.get("Retry-After-Ms") or "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", milliseconds):
        return min(float(milliseconds) / 1_000, _LONGEST_WAIT)
    header = headers.get("Retry-After") or headers.get("retry-after")
    if header is not None:
        return retry_after_seconds(header)
    found = _IN_BODY.search(complaint) or re.search(r"retryDelay\W{1,5}(\d{1,9}(?:\.\d{1,9})?s)", complaint)
    return _duration(found.group(1)) if found else None


def _duration(text: str) -> float:
    seconds = 0.0
    for number, unit in _DURATION.findall(text):
        milli = unit.lower().startswith(("ms", "milli"))
        seconds += float(number) * (0.001 if milli else _UNITS[unit[0].lower()])
    return min(seconds, _LONGEST_WAIT)


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header, given as seconds, with a unit ("2s") or as a date, in seconds from now; None if
    unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), 86_400.0)
    if re.fullmatch(rf"(?:{_DURATION.pattern}\s?)+", text, re.IGNORECASE):
        return _duration(text)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), 86_400.0)
