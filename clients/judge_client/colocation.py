"""A judge that shares its accelerator with the training: its engine sleeps between the calls of this client."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from judge_client import calls
from judge_client.configuration import plain_number, whole_number
from judge_client.errors import BadConfiguration, Momentary
from judge_client.exchange import Call
from judge_client.flow import Flow

T = TypeVar("T")
_LOG = logging.getLogger("judge_client")
_HELD_SECONDS = 3_600.0  # after which a process that died holds the engine no longer
_numbers = count(1)


class Colocation:
    """``level`` of the sleep, as vLLM counts: 1 keeps the weights in main memory, 2 drops them; None: nobody is sent to
    sleep. Raises BadConfiguration for any other."""

    def __init__(self, level: int | None) -> None:
        given = plain_number("sleep_level", whole_number("JUDGE_SLEEP_LEVEL") if level is None else level)
        if given not in (None, 1, 2):
            raise BadConfiguration(
                f"sleep_level: {given} is no level.",
                remedy="Give 1 (weights wait in main memory) or 2 (weights are read again).",
            )
        self.level = None if given is None else int(given)

    def awake(self, flow: Flow[T], ask: Callable[[Call[Any]], Flow[Any]]) -> Flow[T]:
        """The flow with the engine awake. Every call holds the engine by itself, so that it sleeps only once nobody
        scores any more, in whatever process. A server that does not answer for a moment is left to the flow; raises
        what the server refuses for good."""
        if self.level is None:
            return (yield from flow)
        holder = f"{socket.gethostname()}:{os.getpid()}:{next(_numbers)}"
        try:
            yield from ask(calls.wake(holder=holder, holder_seconds=_HELD_SECONDS))
        except Momentary as fault:
            _LOG.warning("the judge could not be woken: %s", fault)
        try:
            found = yield from flow
        except Exception:
            yield from self._sleep(holder, ask)
            raise
        yield from self._sleep(holder, ask)
        return found

    def _sleep(self, holder: str, ask: Callable[[Call[Any]], Flow[Any]]) -> Flow[None]:
        try:
            yield from ask(calls.sleep(holder=holder, level=self.level))
        except Momentary as fault:
            _LOG.warning("the judge could not be sent to sleep and keeps its memory: %s", fault)
