"""The end of a server: nothing new is let in, what is under way is finished, and nobody waits for ever."""

import asyncio
import time
from collections.abc import Callable

from fastapi import FastAPI

from judge_server.wiring.service import Service

_LOOK_AGAIN_SECONDS = 0.05


async def drain(app: FastAPI, seconds: float, hurried: Callable[[], bool]) -> None:
    """Answer 503 to whatever wants a judge, end what no request waits for (jobs and audits stand in the store), and
    wait for what is under way until ``seconds`` have passed or somebody is ``hurried``. What is left then is cancelled,
    and its callers are told to come again."""
    service: Service = app.state.service
    service.scorer.admission.draining = True
    give_up_at = time.monotonic() + seconds
    suspending = asyncio.gather(*(one.close() for one in app.state.unhurried))

    def over() -> bool:
        return (suspending.done() and _finished(service)) or time.monotonic() >= give_up_at or hurried()

    while not over():  # noqa: ASYNC110 - a signal sets no event
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    await service.groups.close()
    await app.state.working.end()


def _finished(service: Service) -> bool:
    return not service.scorer.admission.under_way and not service.groups.collection.waiting
