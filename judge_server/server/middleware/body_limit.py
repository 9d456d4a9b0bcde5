"""Bodies are counted while they come in, before anything parses them: each one, and all that are under way."""

from collections import deque
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.errors import Overloaded, TooLarge, UnsupportedEncoding
from judge_server.server.problems import problem_response

_RETRY_AFTER_SECONDS = 2.0
LINES = ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")


def sends_lines(scope: Scope) -> bool:
    """Whether the body is declared to be JSON Lines."""
    declared = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return declared.split(b";")[0].strip().lower().decode("latin-1") in LINES


class BodyLimit:
    """Answers 413 as soon as a body is, or declares itself, larger than ``max_bytes``, and 429 where those of all
    requests under way would be larger than ``most_under_way``. Lines sent to a path of ``streamed`` are let through:
    its route counts what it takes, and never has the whole in memory."""

    def __init__(
        self, app: ASGIApp, max_bytes: int, most_under_way: int, streamed: frozenset[str] = frozenset()
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.most_under_way = max(most_under_way, max_bytes)
        self.streamed = streamed
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["path"] in self.streamed and sends_lines(scope)):
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        body = _Body()
        try:
            try:
                if declared is not None:  # the HTTP parser holds the body to what it declared
                    self._hold(body, int(declared))
                else:
                    receive = await self._counted(body, receive)
            except (TooLarge, Overloaded) as fault:
                await problem_response(fault)(scope, receive, send)
                return
            await self.app(scope, receive, send)
        finally:
            self.under_way -= body.held

    async def _counted(self, body: "_Body", receive: Receive) -> Receive:
        """A body of unknown length, read as a whole, and then given out again. Raises TooLarge, or Overloaded."""
        messages: deque[Message] = deque()
        while not messages or messages[-1].get("more_body", False):
            message = await receive()
            self._hold(body, len(message.get("body", b"")))
            messages.append(message)

        async def replayed() -> Message:
            return messages.popleft() if messages else await receive()

        return replayed

    def _hold(self, body: "_Body", size: int) -> None:
        """Count so many bytes more of a body. Raises TooLarge, or Overloaded."""
        if body.held + size > self.max_bytes:
            raise self._fault()
        if size and self.under_way + size > self.most_under_way:
            raise Overloaded(
                f"The bodies of all requests under way are larger than {self.most_under_way} bytes.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )
        self.under_way += size
        body.held += size

    def _fault(self) -> TooLarge:
        return TooLarge(
            f"The body is larger than {self.max_bytes} bytes.",
            remedy="Split the batch, or raise max_body_bytes in the server's settings.",
            max_bytes=self.max_bytes,
        )


@dataclass(slots=True)
class _Body:
    """``held``: bytes that are counted of it."""

    held: int = 0


class RefuseCompressed:
    """Answers 415 to a body with a Content-Encoding."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            encoding = next((value for name, value in scope["headers"] if name == b"content-encoding"), b"")
            if encoding.strip().lower() not in (b"", b"identity"):
                refusal = UnsupportedEncoding(
                    "The body has a Content-Encoding, and is not unpacked here.", remedy="Send it uncompressed."
                )
                await problem_response(refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)
