"""Bodies are counted while they come in, before anything parses them."""

from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.errors import TooLarge
from judge_server.server.problems import problem_response

LINES = ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")


def sends_lines(scope: Scope) -> bool:
    """Whether the body is declared to be JSON Lines."""
    declared = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return declared.split(b";")[0].strip().lower().decode("latin-1") in LINES


class BodyLimit:
    """Answers 413 as soon as a body is, or declares itself, larger than ``max_bytes``. Lines sent to a path of
    ``streamed`` are let through: its route counts what it takes, and never has the whole in memory."""

    def __init__(self, app: ASGIApp, max_bytes: int, streamed: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["path"] in self.streamed and sends_lines(scope)):
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if declared is not None and int(declared) <= self.max_bytes:
            await self.app(scope, receive, send)  # the HTTP parser holds the body to what it declared
            return
        counted = None if declared is not None else await self._counted(receive)
        if counted is None:
            await problem_response(self._fault())(scope, receive, send)
            return

        async def replayed() -> Message:
            return counted.popleft() if counted else await receive()

        await self.app(scope, replayed, send)

    async def _counted(self, receive: Receive) -> deque[Message] | None:
        """A body of unknown length, whole; None where it is too large."""
        messages: deque[Message] = deque()
        seen = 0
        while not messages or messages[-1].get("more_body", False):
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                return None
            messages.append(message)
        return messages

    def _fault(self) -> TooLarge:
        return TooLarge(
            f"The body is larger than {self.max_bytes} bytes.",
            remedy="Split the batch, or raise max_body_bytes in the server's settings.",
            max_bytes=self.max_bytes,
        )
