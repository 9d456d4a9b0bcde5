"""Flows run against a server: blocking, or on the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from judge_client.configuration import Address
from judge_client.flow import Flow, Pause, Send, Step, Together
from judge_client.pool import AsyncPool, BlockingPool, Lease
from judge_client.waiting import waits

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
                step = flow.send(self._do(step))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def _do(self, step: Step) -> Any:
        if isinstance(step, Send):
            with waits.noted(self.address.shown):
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
        lease = self._waiting.hold()
        try:
            result: T = await _Driver(self._waiting, lease).drive(flow)
            return result
        finally:
            await self._waiting.release()

    def hold(self) -> None:
        """Keeps the running loop's connections open between calls, until ``release``."""
        self._waiting.hold()

    async def release(self) -> None:
        await self._waiting.release()

    def close(self) -> None:
        """Closes what blocking calls left open; a later call opens connections anew."""
        self._blocking.close()


class _Driver:
    """Runs flows on one event loop."""

    def __init__(self, pool: AsyncPool, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease

    async def drive(self, flow: Generator[Step, Any, Any]) -> Any:
        try:
            step = next(flow)
            while True:
                step = flow.send(await self._do(step))
        except StopIteration as end:
            return end.value
        finally:
            flow.close()

    async def _do(self, step: Step) -> Any:
        if isinstance(step, Send):
            with waits.noted(self._pool.address.shown):
                return await self._pool.send(self._lease, step)
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        return await self._side_by_side(step)

    async def _side_by_side(self, step: Together) -> list[Any]:
        """So many at once; the first error cancels the others, and nobody is left behind."""
        places = asyncio.Semaphore(step.at_most)

        async def one(flow: Generator[Step, Any, Any]) -> Any:
            async with places:
                return await self.drive(flow)

        tasks = [asyncio.ensure_future(one(flow)) for flow in step.flows]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
