"""Requests whose state lives in one process are answered by the process that has it.

Calibrations, orders to engines and ROLL's tasks belong to one process, a group that is collected over several requests
to the one that its caller and name select.
"""

import asyncio
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.caller import Caller, current_caller
from judge_server.core.errors import JudgeServerError
from judge_server.server.problems import problem_response
from judge_server.server.processes.sharing import Sharing
from judge_server.util.parsing import parse_json

_OF_ONE: Final = ("/v1/admin/", "/v1/calibrations", "/calibrations", "/trainers/roll/")
_ONE: Final = ""  # the topic of all that one process has
_COLLECTED: Final = "/v1/score/group"
_KIND: Final = "request"
_PATIENCE_SECONDS: Final = 30.0
_PLAIN: Final = (
    *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers"),
    *("client", "server"),
)


class ToOwner:
    """The innermost middleware: callers and bodies have been checked."""

    def __init__(self, app: ASGIApp, shared: Sharing) -> None:
        self.app = app
        self._shared = shared
        shared.answer(_KIND, self.answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_belong_elsewhere(scope["path"]):
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        topic = _ONE if scope["path"] != _COLLECTED else _group_in(body)
        if topic is None or self._shared.owns(topic):
            await self.app(scope, _replayed(body, receive), send)
            return
        try:
            question = _sendable(scope, body)
            status, headers, content = await _while_there(receive, self._shared, topic, question)
        except JudgeServerError as fault:
            await problem_response(fault)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def answer(self, question: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Another process's request, answered here: status, headers and body."""
        scope, body, caller = question
        started: list[Message] = []
        content = bytearray()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                content.extend(message.get("body", b""))

        before = current_caller.set(caller)
        try:
            await self.app(scope | {"app": self._shared.application}, _replayed(body, _for_ever), send)
        finally:
            current_caller.reset(before)
        return started[0]["status"], list(started[0]["headers"]), bytes(content)


def _group_in(body: bytes) -> str | None:
    """The group that the request is a part of, as a topic; None if the group is whole."""
    if b'"expected"' not in body:
        return None
    try:
        given = parse_json(body)
    except ValueError:
        return None  # the route says what is wrong
    if not isinstance(given, dict) or given.get("expected") is None:
        return None
    return f"{current_caller.get().name}\0{given.get('group')}"


def _may_belong_elsewhere(path: str) -> bool:
    return path == _COLLECTED or path.startswith(_OF_ONE)


def _sendable(scope: Scope, body: bytes) -> tuple[dict[str, Any], bytes, Caller]:
    plain = {name: scope[name] for name in _PLAIN if name in scope}
    return plain | {"state": {}}, body, current_caller.get()


async def _while_there(receive: Receive, shared: Sharing, topic: str, question: Any) -> Any:
    """The answer, unless the client leaves first: then the owner stops, too."""
    asking = asyncio.ensure_future(shared.ask_owner(topic, _KIND, question, _PATIENCE_SECONDS))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise asyncio.CancelledError
        return asking.result()
    finally:
        asking.cancel()
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    content = bytearray()
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(content)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return given.pop() if given else await receive()

    return replay


async def _for_ever() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}
