"""Errors on pages are pages: what happened, what to do, and for somebody who is not signed in the way there."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response

from judge_server.server.pages.rendering import page, sent_to

_UNAUTHORIZED: Final = 401
_TOLD: Final = ("title", "detail", "remedy")


def error_page(request: Request, status: int, problem: Mapping[str, Any]) -> Response:
    """The page for a problem document."""
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = f"{request.scope['path']}{query}" if request.method == "GET" else _page_before(request)
    signin = "/signin" + (f"?{urlencode({'next': wanted})}" if wanted not in ("", "/") else "")
    if status == _UNAUTHORIZED and request.method == "GET":
        return sent_to(request, signin)
    told = {name: problem.get(name) for name in _TOLD}
    if problem.get("scopes"):
        told["remedy"] = (
            "Ask whoever runs this server for a key with this scope (judge-server keys create makes one), sign out, "
            "and sign in with it."
        )
    return page(
        request, "error.html", status=status, number=status, signin=signin if status == _UNAUTHORIZED else "", **told
    )


def _page_before(request: Request) -> str:
    """The page whose form this is, as the browser says; empty if it says nothing."""
    root = request.app.state.root_path
    given = urlsplit(request.headers.get("referer", ""))
    path = given.path.removeprefix(root) if root else given.path
    return path + (f"?{given.query}" if given.query else "")
