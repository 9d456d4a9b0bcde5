"""Classify error answers: the failure, and whether another attempt may help."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import orjson
from pydantic import SecretStr, TypeAdapter, ValidationError

from judge_server.core.errors import ContentFiltered, ContextOverflow, JudgeFailure, JudgeRefused, ModelUnavailable
from judge_server.models.error_body import complaint_in, error_in, status_of
from judge_server.models.refusal_wording import is_about_money, is_about_rate, is_busy, is_filtered, is_overflow
from judge_server.models.server_quirks import option_for, refused_field
from judge_server.util.parsing import quick_json

_UNIT = r"(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)(?![a-z])"
_DURATION = re.compile(rf"(\d+(?:\.\d+)?)\s?({_UNIT})", re.IGNORECASE)
_ISO = r"P(?=[\dT])(?:\d+[WD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?(?![A-Za-z0-9])"
_IN_BODY = re.compile(
    rf"(?:try again|retry|wait|reset|available)\D{{0,40}}?((?<![A-Za-z]){_ISO}|(?:\d+(?:\.\d+)?\s?{_UNIT}\s?)+)",
    re.IGNORECASE,
)
_ISO_DURATION: TypeAdapter[timedelta] = TypeAdapter(timedelta)
_UNITS = {"m": 60.0, "h": 3_600.0, "s": 1.0}
_LONGEST_WAIT = 86_400.0
_MOMENT = 1e9  # in 2001; nobody asks to wait for so many seconds
_EXPLAINED = frozenset([400, 403, 413, 422, 501])  # what a server says with these is about the request


_BUSY = frozenset([409, 413, 423, 425, 429])
# statuses whose words may name what is wrong with the request
ABOUT_THE_REQUEST = frozenset(range(400, 500)) - _BUSY - {401, 402, 408}
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


def fault_of(status: int, headers: Mapping[str, str], raw: bytes, model: str, address: str = "") -> ServerFault:
    """The fault of an answer whose status is not one of ``ANSWERED``. ``address``: of the server, for operators."""
    code, complaint = complaint_in(raw)
    said = f"{code} {complaint}"
    place = f" at {address}" if address else ""
    says = f"The model server{place} answered HTTP {status}" + (f" ({code})" if code else "") + "."
    wait = _wait_seconds(headers, complaint)

    def final(error: JudgeFailure) -> ServerFault:
        return ServerFault(error, complaint=complaint, status=status)

    def unavailable(remedy: str) -> ModelUnavailable:
        return ModelUnavailable(says, remedy=remedy, retry_after_seconds=wait)

    if content := _content_error(status, said, model, says):
        return final(content)
    field = refused_field(complaint) if status in ABOUT_THE_REQUEST | {501} else None
    busy = status in _BUSY or (status in ABOUT_THE_REQUEST and (is_busy(said) or (field is None and wait is not None)))
    if field is not None and not busy:
        remedy = f"It refuses {field}: set the engine option {option_for(field, complaint)}."
        return final(ModelUnavailable(f"{says} It refuses {field}.", remedy=remedy))
    if cure := _refuses_all(status, said, model, busy=busy, waits=wait is not None):
        return final(JudgeRefused(says, remedy=cure))
    if busy or status == 408 or (status >= 500 and status != 501):
        remedy = "It is busy: lower max_in_flight or add addresses." if busy else "See the server's log."
        outcome = CallOutcome.BUSY if busy else CallOutcome.FAILED
        return ServerFault(unavailable(remedy), outcome, True, wait_seconds=wait, complaint=complaint, status=status)
    return final(
        unavailable(f"It refuses requests of this form for {model!r}: check the options of the judge's model.")
    )


def _refuses_all(status: int, said: str, model: str, *, busy: bool, waits: bool) -> str | None:
    """The remedy for an answer that every call would get; None for another fault. ``waits``: it names a delay, after
    which a quota is there again."""
    if status < 300:
        return "It answers later, or without content: give the address that answers at once, in the same response."
    if 300 <= status < 400:
        return "Redirects are not followed: write the final address of the server."
    if status == 402 or (status in {400, 403, 429} and not waits and is_about_money(said)):
        return "The account behind the key has no quota left: raise it with the provider."
    if busy:
        return None
    if status in {401, 403}:
        return "Give a valid key for this server: name its variable in api_key_env among the judge's engine options."
    if status in {404, 405, 410}:
        return f"Check that the server serves {model!r} and that its address ends as it should (/v1)."
    return None


def fault_inside(raw: bytes, headers: Mapping[str, str], model: str, address: str = "") -> ServerFault | None:
    """The fault of an answer with status 200 that is an error; None if it is none."""
    try:
        body = quick_json(raw)
    except ValueError:
        return None
    error = error_in(body)
    return (
        None if error is None else fault_of(status_of(error), headers, orjson.dumps({"error": error}), model, address)
    )


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


def _content_error(status: int, said: str, model: str, says: str) -> JudgeFailure | None:
    """Errors caused by the prompt itself, which no other attempt can cure."""
    if status not in ABOUT_THE_REQUEST | {413, 500} or is_about_rate(said):
        return None
    if is_filtered(said) or status == 451:
        return ContentFiltered(
            f"The content filter of {model!r} refused the prompt. {says}",
            remedy="Lower the provider's filter for this account, or judge such material with a model of your own.",
        )
    if status == 413 or is_overflow(said):
        remedy = "Shorten the material or serve the judge with a longer context; nothing is cut silently."
        return ContextOverflow(f"The prompt does not fit into the context of {model!r}. {says}", remedy=remedy)
    return None


def _wait_seconds(headers: Mapping[str, str], complaint: str) -> float | None:
    """How long the server asks to wait: by header in seconds, as a date, with a unit, as a duration of ISO 8601 or in
    milliseconds, or in words."""
    milliseconds = (headers.get("retry-after-ms") or headers.get("Retry-After-Ms") or "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", milliseconds):
        return min(float(milliseconds) / 1_000, _LONGEST_WAIT)
    told = retry_after_seconds(headers.get("Retry-After") or headers.get("retry-after"))
    if told is not None:
        return told
    found = _IN_BODY.search(complaint) or re.search(r"retryDelay\W{1,5}(\d{1,9}(?:\.\d{1,9})?s)", complaint)
    return _duration(found.group(1)) if found else None


def _duration(text: str) -> float:
    if text[:1] in "Pp":
        return _iso_seconds(text)
    seconds = 0.0
    for number, unit in _DURATION.findall(text):
        milli = unit.lower().startswith(("ms", "milli"))
        seconds += float(number) * (0.001 if milli else _UNITS[unit[0].lower()])
    return min(seconds, _LONGEST_WAIT)


def _iso_seconds(text: str) -> float:
    """Of a duration of ISO 8601 without months and years."""
    try:
        return min(_ISO_DURATION.validate_python(text.upper()).total_seconds(), _LONGEST_WAIT)
    except ValidationError:  # longer than 999,999,999 days
        return _LONGEST_WAIT


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header, given as seconds, with a unit ("2s"), as a duration ("PT2S"), as a date, or as a moment
    since 1970, in seconds from now; None if unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        number = float(text)
        return _until(number) if number >= _MOMENT else min(number, _LONGEST_WAIT)
    if re.fullmatch(rf"{_ISO}|(?:{_DURATION.pattern}\s?)+", text, re.IGNORECASE):
        return _duration(text)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(text)
            return _until((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def _until(moment: float) -> float:
    """From now to a moment in seconds or milliseconds since 1970."""
    seconds = moment / 1_000 if moment >= 1_000 * _MOMENT else moment
    return min(max(seconds - time.time(), 0.0), _LONGEST_WAIT)
