"""Compressed bodies are not read: a small one can unpack to any size."""

from starlette.types import ASGIApp, Receive, Scope, Send

from judge_server.core.errors import UnsupportedEncoding
from judge_server.server.problems import problem_response


class PlainBodies:
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
