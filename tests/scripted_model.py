"""A model whose answers a test writes: another implementation of the Model Protocol."""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

from judge_server.core.judgment import Usage
from judge_server.models.protocol import Capabilities, Completion, Labels, Request, TokenProbability

Script = Callable[[Request], Completion]


class ScriptedModel:
    """``script`` answers each request, and may raise what a model may raise. Requests are kept in ``asked``.

    ``seconds``: how long an answer takes; ``lets_go``: a cancelled call goes on all the same until this is set.
    """

    name = "scripted"
    revision = "1"
    notice: str | None = None

    def __init__(
        self,
        script: Script,
        *,
        logprobs: bool = True,
        capacity: int = 64,
        seconds: float = 0.0,
        lets_go: asyncio.Event | None = None,
        name: str = "scripted",
        revision: str = "1",
    ) -> None:
        self.script = script
        self.name = name
        self.revision = revision
        self.capacity = capacity
        self.capabilities = Capabilities(logprobs=logprobs, structured=True)
        self.seconds = seconds
        self.lets_go = lets_go
        self.asked: list[Request] = []
        self.most_in_flight = 0
        self.cancelled = 0
        self.started = self.closed = False
        self._in_flight = 0

    async def start(self) -> None:
        self.started = True

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self.seconds:
                await asyncio.sleep(self.seconds)
            return self.script(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.lets_go:
                await self.lets_go.wait()
            raise
        finally:
            self._in_flight -= 1

    async def healthy(self) -> bool:
        return not self.closed

    async def close(self) -> None:
        self.closed = True


def labelled(**probabilities: float) -> Completion:
    """A one-token answer with these token probabilities: ``labelled(Yes=0.8, No=0.2)``."""
    candidates = tuple(TokenProbability(word, math.log(p)) for word, p in probabilities.items() if p > 0)
    return Completion(text=max(probabilities, key=probabilities.__getitem__), candidates=candidates, usage=_USAGE)


def spoken(content: Any) -> Completion:
    """A structured answer."""
    return Completion(text=content if isinstance(content, str) else json.dumps(content), usage=_USAGE)


def yes(probability: float) -> Script:
    """Says Yes with this probability in either mode."""

    def script(request: Request) -> Completion:
        if isinstance(request.answer, Labels):
            return labelled(Yes=probability, No=1 - probability)
        return spoken({"reason": "because", "verdict": "Yes" if probability >= 0.5 else "No"})

    return script


_USAGE = Usage(prompt_tokens=100, cached_tokens=60, completion_tokens=1, calls=1)
