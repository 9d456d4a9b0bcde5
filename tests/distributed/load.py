"""Sends single submissions at a bounded concurrency and notes every answer."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

RUBRIC = {
    "id": "test/one",
    "version": "1.0.0",
    "title": "One question",
    "criteria": [{"id": "polite", "statement": "Is polite.", "points": 1}],
}
_REFUSED = (429, 502, 503, 504)


@dataclass
class Load:
    """``answers``: the judgment of each number, of the last attempt. ``refusals``: statuses that said to send it again,
    and breaks of the connection; ``odd``: any other status."""

    address: str
    judge: str | None = None
    priority: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rewarded(self) -> dict[int, dict[str, Any]]:
        return {number: one for number, one in self.answers.items() if one["reward"] is not None}

    @property
    def _asked(self) -> dict[str, Any]:
        return {"judge": self.judge} | ({} if self.priority is None else {"priority": self.priority})

    async def send(self, numbers: range, at_once: int, seconds: float = 300.0) -> None:
        """Sends each until it is answered, as the client does; for at most ``seconds`` each."""
        places = asyncio.Semaphore(at_once)
        began = time.monotonic()
        limits = httpx.Limits(max_connections=at_once)
        async with httpx.AsyncClient(
            base_url=self.address, timeout=seconds, limits=limits, headers=self.headers
        ) as client:

            async def one(number: int) -> None:
                async with places:
                    await self._one(client, number, time.monotonic() + seconds)

            await asyncio.gather(*(one(number) for number in numbers))
        self.seconds = time.monotonic() - began

    async def _one(self, client: httpx.AsyncClient, number: int, give_up: float) -> None:
        while time.monotonic() < give_up:
            try:
                answer = await client.post("/v1/score", json={**submission(number), **self._asked})
            except httpx.TransportError as fault:
                self.refusals[type(fault).__name__] += 1
            else:
                if answer.status_code == 200:
                    judgment = answer.json()
                    self.answers[number] = judgment
                    if judgment["reward"] is not None:
                        return
                    self.refusals[judgment["error"]["type"] if judgment["error"] else judgment["status"]] += 1
                elif answer.status_code in _REFUSED:
                    self.refusals[str(answer.status_code)] += 1
                    self.types[answer.json()["type"].rpartition(":")[2]] += 1
                else:
                    self.odd.append(f"{answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(0.5)


def submission(number: int) -> dict[str, Any]:
    return {
        "prompt": f"Question {number // 8}: what is the capital of France?",
        "response": f"Thank you for asking. I would say it is Paris, and this is my answer number {number}.",
        "rubric": RUBRIC,
    }
