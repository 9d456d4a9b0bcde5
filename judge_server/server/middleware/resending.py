"""In the HTTP proxy of Ray Serve: what a replica that died left unanswered.

Scoring is asked again, as its verdicts come from the store where they were stored; anything else gets 503 with
Retry-After. Serve itself would answer 500. The proxy loads it by ``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH``.
"""

from typing import Final

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.errors import Draining
from judge_server.server.problems import problem_response

CALLBACK: Final = "judge_server.server.middleware.resending.middleware"
_REPEATABLE: Final = "/v1/score"
_TRIES: Final = 4


def middleware() -> list[Middleware]:
    """Serve's callback."""
    return [Middleware(ResendUnanswered)]


class ResendUnanswered:
    """Keeps the body of a request to ``/v1/score…`` until the answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        attempt = _Attempt(receive, send)
        repeatable = scope["method"] in ("GET", "HEAD") or scope["path"].startswith(_REPEATABLE)
        for _ in range(_TRIES if repeatable else 1):
            await self._app(dict(scope), attempt.receive, attempt.send)
            if attempt.begun or attempt.left:
                return
            attempt.rewind()
        lost = Draining("The replica that had this request stopped.", remedy="Send it again.", retry_after_seconds=1.0)
        await problem_response(lost)(scope, receive, send)


class _Attempt:
    """``begun``: an answer is on its way; ``left``: the client has gone."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.begun = self.left = False
        self._receive = receive
        self._send = send
        self._heard: list[Message] = []
        self._next = 0

    def rewind(self) -> None:
        self._next = 0

    async def receive(self) -> Message:
        if self._next < len(self._heard):
            self._next += 1
            return self._heard[self._next - 1]
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.left = True
        elif not self.begun:
            self._heard.append(message)
            self._next += 1
        return message

    async def send(self, message: Message) -> None:
        self.begun = True
        self._heard.clear()
        self._next = 0
        await self._send(message)
