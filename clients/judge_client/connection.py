"""Flows run against a server: blocking, or on the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from judge_client.configuration import Address
from judge_client.flow import Flow, Pause, Send, Step, Together, TransportFault
from judge_client.pool import AsyncPool, BlockingPool

T = TypeVar("T")
DEFAULT_CONNECTIONS = 256


class Connection:
    """Safe for threads, forks and event loops; a copy, also through pickle, begins without open connections."""

    def __init__(self, address: Address, connections: int = DEFAULT_CONNECTIONS) -> None:
        self.address = address
        self.connections = connections
        self._blocking = BlockingPool(address, connections)
        self._waiting = AsyncPool(address, connections)

    def __getstate__(self) -> dict[str, Any]:
        return {"address": self.address, "connections": self.connections}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Connection.__init__(self, **state)

    def run(self, flow: Flow[T]) -> T:
        """What the flow returns; blocks."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except TransportFault as fault:
                    step = flow.throw(fault)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _do(self, step: Step) -> Any:
        if isinstance(step, Send):
            return self._blocking.send(step)
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        return self._in_threads(step)

    def _in_threads(self, step: Together) -> list[Any]:
        with ThreadPoolExecutor(max_workers=step.at_most, thread_name_prefix="judge-client") as threads:
            futures = [threads.submit(self.run, flow) for flow in step.flows]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise

    async def arun(self, flow: Flow[T]) -> T:
        """What the flow returns."""
        async with self._waiting.lease() as lease:

            async def do(step: Step) -> Any:
                if isinstance(step, Send):
                    return await self._waiting.send(lease, step)
                if isinstance(step, Pause):
                    return await asyncio.sleep(step.seconds)
                return await _side_by_side(step, drive)

            async def drive(driven: Generator[Step, Any, Any]) -> Any:
                try:
                    step = next(driven)
                    while True:
                        try:
                            outcome = await do(step)
                        except TransportFault as fault:
                            step = driven.throw(fault)
                        else:
                            step = driven.send(outcome)
                except StopIteration as end:
                    return end.value
                finally:
                    driven.close()

            result: T = await drive(flow)
            return result

    def held(self) -> AbstractAsyncContextManager[Any]:
        """Keeps the running loop's connections open between calls."""
        return self._waiting.lease()

    def close(self) -> None:
        """Blocking calls after this open connections anew."""
        self._blocking.close()


async def _side_by_side(step: Together, drive: Any) -> list[Any]:
    """The flows, so many at once; the first error cancels the others, and nobody is left behind."""
    places = asyncio.Semaphore(step.at_most)

    async def one(flow: Generator[Step, Any, Any]) -> Any:
        async with places:
            return await drive(flow)

    tasks: list[Awaitable[Any]] = [asyncio.ensure_future(one(flow)) for flow in step.flows]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()  # type: ignore[attr-defined]  # they are tasks, which the list's type does not say
        await asyncio.gather(*tasks, return_exceptions=True)
