"""Who sends a request: known by an API key before any of its body is read."""

import base64
import binascii
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from judge_server.core.caller import Caller, current_caller
from judge_server.core.errors import JudgeServerError, Unauthorized
from judge_server.server.middleware.key_ring import KeyRing
from judge_server.server.middleware.rate_limit import RateLimit
from judge_server.server.problems import problem_response

_MISSING: Final = "Send a key as Authorization: Bearer jsk_…, as X-API-Key, or as the password of HTTP Basic."


class Authentication:
    """Demands a key for every path but the ``public`` ones, and makes its owner the request's caller. The key ring is
    the application's ``state.keys``."""

    def __init__(self, app: ASGIApp, public: frozenset[str]) -> None:
        self.app = app
        self.public = public
        self.rate = RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.public:
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
            scope.setdefault("state", {})["caller"] = caller.name
            self.rate.take(caller.name, caller.allowance)
        except JudgeServerError as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        before = current_caller.set(caller)
        try:
            await self.app(scope, receive, send)
        finally:
            current_caller.reset(before)

    async def _caller(self, scope: Scope) -> Caller:
        presented = presented_key(scope["headers"])
        if presented is None:
            raise Unauthorized("This needs an API key.", remedy=_MISSING)
        keys: KeyRing = scope["app"].state.keys
        return (await keys.find(presented)).caller


def presented_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The key in ``Authorization`` (a bearer token, or the password of Basic), else the one in ``X-API-Key``."""
    given = dict(headers)
    scheme, _, credentials = given.get(b"authorization", b"").partition(b" ")
    credentials = credentials.strip()
    if scheme.lower() == b"bearer":
        return credentials.decode("latin-1")
    if scheme.lower() == b"basic":
        return _password(credentials)
    key = given.get(b"x-api-key")
    return None if key is None else key.decode("latin-1").strip()


def _password(credentials: bytes) -> str:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")
    except binascii.Error:
        return ""
    return password or user
