"""CPU time of this process for one judge call, against a judge that answers at once.

python -m benchmarks.model_overhead [--requests 10000] [--in-flight 64]

The floor is aiohttp and orjson alone, sending the same bytes and decoding the same answer.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import uvloop

from judge_server.models.capability_probe import first_dialect
from judge_server.models.openai_options import OpenAIOptions
from judge_server.models.openai_wire import chat_body
from judge_server.models.protocol import Labels, Prompt, Request, Segment, Turn
from judge_server.models.registry import open_model

# About 1,500 tokens, of which three quarters are shared by all criteria on one response.
SENTENCE = "The patient has had a dull headache since Monday, worse in the morning, and takes 400 mg of ibuprofen. "
MATERIAL = Segment(SENTENCE * 47, "conversation", trusted=False)
RESPONSE = Segment(SENTENCE * 12, "response", trusted=False)


def requests(count: int, fresh: bool) -> list[Request]:
    """One request for each criterion; ``fresh`` writes every text anew, so that nothing is shared."""

    def segment(of: Segment, number: int) -> Segment:
        return Segment(f"{of.text} {number}", of.part, of.trusted) if fresh else of

    return [
        Request(
            Prompt(
                (
                    Turn("system", (Segment("You grade one response against one criterion. ", "instructions", True),)),
                    Turn(
                        "user",
                        (
                            segment(MATERIAL, number),
                            Segment("\n", "response", True),
                            segment(RESPONSE, number),
                            Segment(f"\nCriterion: names red flag {number}.", "criterion", False),
                        ),
                    ),
                ),
                ("shared",),
            ),
            Labels(("Yes", "No")),
        )
        for number in range(count)
    ]


async def timed(work: list[Callable[[], Awaitable[object]]], in_flight: int) -> tuple[float, float]:
    """CPU milliseconds of this process for one call, and calls per second."""
    waiting = iter(work)

    async def worker() -> None:
        for call in waiting:
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return 1_000 * cpu / len(work), len(work) / wall


async def measure(address: str, count: int, in_flight: int) -> None:
    print(f"{count} one-token requests of {len(SENTENCE) * 59} characters, {in_flight} in flight")
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:
        options = OpenAIOptions()
        bodies = [chat_body(request, "stub", first_dialect(options), {}) for request in requests(count, fresh=False)]

        async def raw(body: bytes) -> object:
            async with session.post(f"{address}/chat/completions", data=body) as response:
                return orjson.loads(await response.read())

        _show("aiohttp and orjson alone", *await timed([lambda body=body: raw(body) for body in bodies], in_flight))
    model = open_model(f"openai:stub@{address}", {"max_in_flight": in_flight})
    await model.start()
    for title, fresh in (("openai model, shared material", False), ("openai model, every text new", True)):
        work = [lambda request=request: model.complete(request) for request in requests(count, fresh)]
        _show(title, *await timed(work, in_flight))
    await model.close()


def _show(title: str, cpu_milliseconds: float, per_second: float) -> None:
    print(f"{title:32} {cpu_milliseconds:6.3f} ms CPU per request {per_second:8,.0f} requests/s")


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU time of one judge call over HTTP.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, default=64)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "benchmarks.stub_judge"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stub:
        try:
            assert stub.stdout is not None
            address = stub.stdout.readline().strip()
            uvloop.run(measure(address, arguments.requests, arguments.in_flight))
        finally:
            stub.terminate()


if __name__ == "__main__":
    main()
