"""A real OpenAI-compatible server on the loopback, whose behaviour is a function from a request's body to a Reply.

It runs on a thread of its own, so that tests of every kind can talk to it, also those that start other processes:

    with StubJudge() as judge:                       # answers every question, and obeys every schema
        open_model(judge.specification)
    with StubJudge(lambda body: Reply(500)) as judge: ...
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from benchmarks.stub_judge import answer, instance_of
from tests.yardstick import PATIENCE_SECONDS


@dataclass(frozen=True)
class Reply:
    """``body``: bytes, or anything that becomes JSON. ``until``: it is held back until this is set. ``drip_seconds``:
    between any two bytes. ``reset``: the connection ends instead of an answer; ``cut``: in the middle of one."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    until: threading.Event | None = None
    drip_seconds: float | None = None
    reset: bool = False
    cut: bool = False

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Behaviour = Callable[[dict[str, Any]], Reply]


def labels(**probabilities: float) -> Reply:
    """A one-token answer: ``labels(Yes=0.9, No=0.1)``."""
    return Reply(body=answer(max(probabilities, key=lambda label: probabilities[label]), probabilities))


def text(content: str) -> Reply:
    """An answer without probabilities."""
    return Reply(body=answer(content))


def wants_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON Schema that the request asks for, in whichever way."""
    wanted = body.get("response_format") or {}
    own = body.get("structured_outputs") or {}
    return own.get("json") or body.get("guided_json") or (wanted.get("json_schema") or wanted).get("schema")


def faithful(p_met: float = 0.9) -> Behaviour:
    """Yes with ``p_met``, and what a schema demands where one is given."""

    def behave(body: dict[str, Any]) -> Reply:
        schema = wants_schema(body)
        return text(json.dumps(instance_of(schema))) if schema else labels(Yes=p_met, No=1 - p_met)

    return behave


class StubJudge:
    """``tokens``: the ids of single tokens, for ``/tokenize``; ``tokenizer_info``: the answer of that route. ``bodies``
    and ``headers`` of the calls so far; ``disconnects``: calls whose caller left before the answer. ``decide``: the
    routes of decision models that it has, by format, and how they answer. ``sleeps``: it has vLLM's routes for
    that; then ``orders`` are their paths and queries, and ``calls_asleep`` came meanwhile. ``port``: a free one by
    default."""

    def __init__(
        self,
        behave: Behaviour | None = None,
        *,
        listing: Any = None,
        tokens: Mapping[str, int] | None = None,
        tokenizer_info: Any = None,
        decide: Mapping[str, Behaviour] | None = None,
        sleeps: bool = False,
        port: int = 0,
    ) -> None:
        self.behave = behave or faithful()
        self.listing = {"object": "list", "data": [{"id": "stub", "object": "model"}]} if listing is None else listing
        self.tokens = tokens
        self.tokenizer_info = tokenizer_info
        self.decide = decide or {}
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.sleeps = sleeps
        self.orders: list[str] = []
        self.asleep = False
        self.calls_asleep = 0
        self.disconnects = 0
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def specification(self) -> str:
        return f"openai:stub@{self.address}"

    @property
    def calls(self) -> int:
        return len(self.bodies)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Breaks every connection off and listens no more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_post("/tokenize", self._tokenize)
        application.router.add_get("/tokenizer_info", self._tokenizer_info)
        for path in ("/sleep", "/wake_up", "/collective_rpc") if self.sleeps else ():
            application.router.add_post(path, self._order)
        for form in self.decide:
            application.router.add_post(f"/v1/{form}", self._chat)
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _order(self, request: web.Request) -> web.Response:
        self.orders.append(request.path_qs)
        self.asleep = request.path == "/sleep" or request.query.get("tags") == "weights"
        return web.json_response({})

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response(self.listing)

    async def _tokenize(self, request: web.Request) -> web.Response:
        """As vLLM's: every text of ``tokens`` is one token, any other two. Without ``tokens`` there is no such
        route."""
        if self.tokens is None:
            return web.Response(status=404)
        text = json.loads(await request.read())["prompt"]
        return web.json_response({"tokens": [self.tokens[text]] if text in self.tokens else [0, 1]})

    async def _tokenizer_info(self, request: web.Request) -> web.Response:
        return web.Response(status=404) if self.tokenizer_info is None else web.json_response(self.tokenizer_info)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.calls_asleep += self.asleep
        reply = self.decide.get(request.path.removeprefix("/v1/"), self.behave)(body)
        try:
            return await _play(request, reply)
        except (asyncio.CancelledError, ConnectionError):
            self.disconnects += 1
            raise


async def _play(request: web.Request, reply: Reply) -> web.StreamResponse:
    await asyncio.sleep(reply.delay_seconds)
    while reply.until is not None and not reply.until.is_set():  # noqa: ASYNC110 - it is set in another thread
        await asyncio.sleep(0.01)
    if reply.reset:
        assert request.transport is not None
        request.transport.abort()
    headers = {"Content-Type": "application/json"} | dict(reply.headers)
    if reply.drip_seconds is None and not reply.cut:
        return web.Response(status=reply.status, body=reply.data, headers=headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(reply.data)
    await response.prepare(request)
    if reply.cut:
        await response.write(reply.data[: len(reply.data) // 2])
        assert request.transport is not None
        request.transport.abort()
        return response
    for byte in reply.data:
        await response.write(bytes([byte]))
        await asyncio.sleep(reply.drip_seconds or 0.0)
    return response
