"""Answers that are no success, as errors of the tree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from judge_client import errors
from judge_client.backoff import retry_after_seconds
from judge_client.errors import JudgeClientError
from judge_client.flow import Reply

_ELSEWHERE = "This is no answer of a judge-server but of another service: correct url (JUDGE_URL)."
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
        document = json.loads(reply.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def error_of(reply: Reply) -> JudgeClientError:
    """The error that an answer of 300 or more means."""
    document = problem_of(reply)
    slug = str(document.get("type", "")).removeprefix(_PREFIX) if "type" in document else None
    detail = document.get("detail") or f"The server answered {reply.status} without a problem document."
    foreign = slug is None and reply.status in (404, 405)
    return _kind(slug, reply.status)(
        f"{str(detail).removesuffix('.')}." if foreign else str(detail),
        remedy=_ELSEWHERE if foreign else _text(document, "remedy"),
        slug=slug,
        status=reply.status,
        retry_after_seconds=retry_after_seconds(reply.headers.get("retry-after")),
        problem=document,
    )


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
