"""A service that cannot start says so in one line with the remedy, not with a traceback."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.errors import JudgeServerError


class ReadableStart:
    """Puts the message of an error of ours in the place of its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        failed: list[Message] = []

        async def held_back(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self.app(scope, receive, held_back)
        except JudgeServerError as fault:
            if not failed:
                raise
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
        except BaseException:
            for message in failed:
                await send(message)
            raise
