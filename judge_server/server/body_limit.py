"""Bodies are counted while they come in, before anything parses them."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.errors import TooLarge
from judge_server.server.problems import problem_response


class BodyLimit:
    """Answers 413 as soon as a body is, or declares itself, larger than ``max_bytes``."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > self.max_bytes:
            await problem_response(self._fault())(scope, receive, send)
            return
        seen = 0
        answered = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise self._fault()
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except TooLarge as fault:
            if answered:
                raise
            await problem_response(fault)(scope, receive, send)

    def _fault(self) -> TooLarge:
        return TooLarge(
            f"The body is larger than {self.max_bytes} bytes.",
            remedy="Split the batch, or raise max_body_bytes in the server's settings.",
        )
