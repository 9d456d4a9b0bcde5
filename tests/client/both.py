"""The same flow through the blocking and the asynchronous client."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from judge_client import AsyncClient, Client

Ask = Callable[..., Any]


def blocking(url: str, method: str, *arguments: Any, **options: Any) -> Any:
    with Client(url, **_construction(options)) as client:
        return getattr(client, method)(*arguments, **options)


def on_a_loop(url: str, method: str, *arguments: Any, **options: Any) -> Any:
    async def ask() -> Any:
        async with AsyncClient(url, **_construction(options)) as client:
            return await getattr(client, method)(*arguments, **options)

    return asyncio.run(ask())


def _construction(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options.pop(name) for name in ("attempts", "connections", "api_key") if name in options}


both_ways = pytest.mark.parametrize("ask", [blocking, on_a_loop])
