"""A server below a path of a proxy, such as /judge: the proxy may pass the prefix on, or remove it."""

from starlette.types import ASGIApp, Receive, Scope, Send


class PathPrefix:
    """Removes ``prefix`` from the paths of requests. It is the outermost middleware: nothing else knows of it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.prefix and scope["path"].startswith(f"{self.prefix}/"):
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {
                **scope,
                "path": scope["path"].removeprefix(self.prefix),
                "raw_path": raw.removeprefix(self.prefix.encode()),
            }
        await self.app(scope, receive, send)
