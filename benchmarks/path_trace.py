"""Which files and functions of the project one scored submission passes: how far a reader has to follow it.

    python -m benchmarks.path_trace [--functions]

Starts the real server in this process over the instant stub judge, sends one submission to warm it up and traces three
more, `POST /v1/score` with an inline rubric of four criteria that no cache knows; what all three passed counts. A *file
entered* has a function that ran while the request was under way, in the event loop or in a worker thread; work that the
server repeats anyway does not count. A *hop* is a pair of a function and another file that called it, however often.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import aiohttp
import uvicorn

from benchmarks.stub_judge import InstantJudge

PACKAGE = Path(__file__).parents[1] / "judge_server"
_REPEATED_BY = frozenset({"run_periodically", "_every", "_keep_reading"})  # what these call serves no request
_AROUND_EVERY_STEP = PACKAGE / "scheduling" / "processor_share.py"  # it runs tasks as the event loop does
# They do what asyncio.timeout, and counters and histograms of prometheus_client, do elsewhere.
_AS_LIBRARIES_DO = PACKAGE / "util" / "time_limit.py", PACKAGE / "server" / "telemetry" / "counts.py"
_THREADS = PACKAGE / "util" / "turns.py", frozenset({"FairThreads._work", "settle"})  # as an executor's threads do
CRITERIA = 4
_TIMES = 3
_HOST = "127.0.0.1"
Place = tuple[str, str]  # file and function


@dataclass
class Trace:
    """``calls``: functions of the project that ran, each with the files of its callers; a function that the event loop,
    a thread for blocking work or a library at the bottom of a stack started has none."""

    calls: dict[Place, set[str]] = field(default_factory=dict)
    active: bool = False
    _files: dict[CodeType, str | None] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted({file for file, _ in self.calls}))

    @property
    def hops(self) -> tuple[tuple[str, Place], ...]:
        """From which file to which function of another file."""
        return tuple(
            sorted((caller, place) for place, callers in self.calls.items() for caller in callers - {place[0]})
        )

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        """For ``sys.setprofile``."""
        if event != "call" or not self.active:
            return
        file = self._file(frame.f_code)
        if file is None or _is_repeated(frame):
            return
        callers = self.calls.setdefault((file, frame.f_code.co_qualname), set())
        caller = frame.f_back
        while caller is not None and (known := self._file(caller.f_code)) is None:
            caller = caller.f_back
        if caller is not None and known is not None:
            callers.add(known)

    def _file(self, code: CodeType) -> str | None:
        """The code's file in the project; None for a library's, and for what a class body or a module runs."""
        if code not in self._files:
            path = Path(code.co_filename)
            runs_others = path == _AROUND_EVERY_STEP or (path == _THREADS[0] and code.co_qualname in _THREADS[1])
            own = path.is_relative_to(PACKAGE) and path not in _AS_LIBRARIES_DO
            inside = own and code.co_name != "<module>" and not runs_others
            self._files[code] = str(path.relative_to(PACKAGE)) if inside else None
        return self._files[code]


def _is_repeated(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _REPEATED_BY and PACKAGE in Path(frame.f_code.co_filename).parents:
            return True
        frame = frame.f_back
    return False


def submission(mark: str) -> dict[str, Any]:
    criteria = [{"id": f"c{number}", "statement": f"Names sign {number}."} for number in range(CRITERIA)]
    return {
        "prompt": "When does a headache need a doctor?",
        "response": f"[{mark}] When it is sudden and severe, or comes with fever, weakness or confusion.",
        "rubric": {"id": "bench/trace", "version": "1.0.0", "title": "Trace", "criteria": criteria},
    }


async def trace() -> Trace:
    """Submissions that no cache knows, traced."""
    found = Trace()
    threading.setprofile(found.profile)
    sys.setprofile(found.profile)
    try:
        async with _stub() as judge, _server(judge) as url, aiohttp.ClientSession() as session:
            await _post(session, url, "warm")
            seen = []
            for number in range(_TIMES):
                await asyncio.sleep(0.2)  # what the one before left to do must not count
                found.active = True
                await _post(session, url, f"traced {number}")
                found.active = False
                seen.append(found.calls)
                found.calls = {}
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    found.calls = _common(seen)
    return found


def _common(seen: Sequence[dict[Place, set[str]]]) -> dict[Place, set[str]]:
    """What every submission passed; work of the server's own falls into one of them only."""
    places = set(seen[0]).intersection(*seen[1:])
    return {place: set[str].intersection(*(calls[place] for calls in seen)) for place in places}


async def _post(session: aiohttp.ClientSession, url: str, mark: str) -> None:
    async with session.post(f"{url}/v1/score", json=submission(mark)) as response:
        answer = await response.json()
    assert response.status == 200, answer
    assert answer["usage"]["calls"] == CRITERIA, answer


@asynccontextmanager
async def _stub() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(lambda: InstantJudge(0.9, 0.0), _HOST, 0)
    async with server:
        yield f"http://{_HOST}:{server.sockets[0].getsockname()[1]}/v1"


@asynccontextmanager
async def _server(judge: str) -> AsyncIterator[str]:
    from judge_server.server.app import create_app
    from judge_server.server.http_protocol import BoundedHttp
    from judge_server.settings.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            judges={"judge": {"name": "judge", "model": f"openai:stub@{judge}"}},
            default_judge="judge",
            database_url=f"sqlite:///{folder}/trace.db",
            canary="off",
        )
        config = uvicorn.Config(
            create_app(settings), host=_HOST, port=0, http=BoundedHttp, ws="none", lifespan="on", log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            while not server.started:
                assert not serving.done(), "the server did not start"
                await asyncio.sleep(0.01)
            yield f"http://{_HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def main() -> None:
    parser = argparse.ArgumentParser(description="Files and functions that one scored submission passes.")
    parser.add_argument("--functions", action="store_true", help="list every function, with the files that call it")
    parser.add_argument("--json", action="store_true", help="the two numbers as JSON")
    arguments = parser.parse_args()
    found = asyncio.run(trace())
    if arguments.json:
        print(json.dumps({"files": len(found.files), "hops": len(found.hops)}))
        return
    for file in found.files:
        print(file)
        if arguments.functions:
            for (_, name), callers in sorted(item for item in found.calls.items() if item[0][0] == file):
                print(f"    {name}" + "".join(f"  <- {caller}" for caller in sorted(callers - {file})))
    print(f"{len(found.files)} files entered, {len(found.hops)} hops between files, {len(found.calls)} functions")


if __name__ == "__main__":
    main()
