"""Errors on pages are pages: what happened, what to do, and for somebody who is not signed in the way there."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response

from judge_server.server.pages.rendering import page, sent_to

_UNAUTHORIZED: Final = 401
_TOLD: Final = ("title", "detail", "remedy")


def error_page(request: Request, status: int, problem: Mapping[str, Any]) -> Response:
    """The page for a problem document."""
    if status == _UNAUTHORIZED and request.method == "GET":
        return sent_to(request, "/signin")
    return page(request, "error.html", status=status, number=status, **{name: problem.get(name) for name in _TOLD})
