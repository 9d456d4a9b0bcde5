"""Bodies as standard JSON in UTF-8: what cannot be read is a 400 that names the place."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from judge_server.util.parsing import parse_json


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return parse_json(await self.body())
        except ValueError as fault:
            raise HTTPException(400, f"The body cannot be read: {fault}.") from None


class StrictRoute(APIRoute):
    """A route whose JSON body is refused where it is no JSON: NaN, Infinity, other encodings, endless nesting."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly
