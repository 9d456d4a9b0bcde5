"""Answers that are no success, as errors of the tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from judge_client import errors
from judge_client.backoff import retry_after_seconds
from judge_client.errors import JudgeClientError
from judge_client.flow import Reply
from judge_client.wire import value_of

_ELSEWHERE = "This is no answer of a judge-server but of another service: correct url (JUDGE_URL)."
_PROXY = "This is no answer of a judge-server but of a proxy or another service"
FOREIGN = "foreign_answer"
_PREFIX = "urn:judge-server:error:"
_BY_STATUS: dict[int, type[JudgeClientError]] = {
    400: errors.BadInput,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    413: errors.TooLarge,
    422: errors.BadInput,
    429: errors.Overloaded,
    504: errors.DeadlineExceeded,
}


def problem_of(reply: Reply) -> dict[str, Any]:
    """The problem document of an answer; empty if a proxy answered in its own way."""
    try:
        document = value_of(reply.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def error_of(reply: Reply) -> JudgeClientError:
    """The error that an answer of 300 or more means; ``slug`` is ``foreign_answer`` if it is not of a judge-server."""
    document = problem_of(reply)
    named = str(document.get("type", ""))
    foreign = not named.startswith(_PREFIX)
    slug = FOREIGN if foreign else named.removeprefix(_PREFIX)
    detail = document.get("detail") or f"The server answered {reply.status} without a problem document."
    return _kind(slug, reply.status)(
        f"{str(detail).removesuffix('.')}." if foreign else str(detail),
        remedy=_remedy_of(reply) if foreign else _text(document, "remedy"),
        slug=slug,
        status=reply.status,
        retry_after_seconds=retry_after_seconds(reply.headers.get("retry-after")),
        problem=document,
    )


def _remedy_of(reply: Reply) -> str:
    """Of an answer that no judge-server gave."""
    if reply.status < 400:
        target = reply.headers.get("location", "elsewhere")
        return f"The address leads to {target[:200]}: write the address of the judge-server itself in url (JUDGE_URL)."
    if reply.status in (401, 403, 407):
        return f"{_PROXY}, which asks for credentials of its own: correct url (JUDGE_URL), or give them to the proxy."
    if b"https" in reply.content[:2_000].lower() and reply.status == 400:
        return "The server speaks TLS: write https:// in url (JUDGE_URL)."
    if reply.status in (502, 503, 504):
        return f"{_PROXY}: start the judge-server behind it, or correct url (JUDGE_URL)."
    return _ELSEWHERE


def _text(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    return found if isinstance(found, str) else None


def _kind(slug: str | None, status: int) -> type[JudgeClientError]:
    named = _BY_SLUG.get(slug or "")
    if named is not None:
        return named
    return _BY_STATUS.get(status) or (errors.ServerFailure if status >= 500 else errors.Refused)


def _answered(kind: type[JudgeClientError]) -> Iterator[type[JudgeClientError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from _answered(special)


_BY_SLUG = {kind.type: kind for family in (errors.Momentary, errors.Refused) for kind in _answered(family)}
