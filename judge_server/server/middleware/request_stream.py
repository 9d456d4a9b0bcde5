"""What arrives from the client of a request: its body, and its disconnection.

Bodies are bounded while they arrive, before anything parses them: the size of each, the memory that those of one caller
and of all callers take, and how slowly a client may send. A client that disconnects, or a server that stops, cancels
the work of the request down to the calls of the model.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.core.caller import current_caller
from judge_server.core.errors import Draining, Overloaded, TooLarge, TooSlow, UnsupportedEncoding
from judge_server.scheduling.processor_share import ProcessorShares, TimeShare, current_share
from judge_server.server.problems import ClientGone, problem_response
from judge_server.util.memory import collect_young, give_back
from judge_server.util.time_limit import within

_RETRY_AFTER_SECONDS = 2.0
_LARGE_BYTES = 1_000_000
_TIDY_SECONDS = 1.0  # without a large body
_UNTIDY_SECONDS = 30.0
LINES = ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")


def sends_lines(scope: Scope) -> bool:
    """Whether the body is declared to be JSON Lines."""
    declared = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return declared.split(b";")[0].strip().lower().decode("latin-1") in LINES


@dataclass(frozen=True, slots=True)
class Pace:
    """A body has ``grace_seconds`` and one second more for each ``bytes_a_second`` that arrived. Time in which the
    server does not read is not counted."""

    grace_seconds: float = 30.0
    bytes_a_second: int = 8_192

    def left(self, waited_seconds: float, size: int) -> float:
        return self.grace_seconds + size / self.bytes_a_second - waited_seconds


class BodyLimit:
    """Raises, from ``receive``, TooLarge for a body of more than ``max_bytes``, TooSlow for one that falls behind the
    ``pace``, and Overloaded if bodies under way take too much.

    A caller may hold as many bytes as are free of ``most_under_way``: alone one half of it, and of n callers who take
    all that they can each gets 1/(n + 1), so there is always room for one more (Choudhury and Hahne 1998, *Dynamic
    queue length thresholds*, with alpha = 1). JSON Lines sent to a path of ``streamed`` count only for the pace: their
    route never has the whole in memory. Bodies sent to ``public`` paths are not read.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        most_under_way: int,
        streamed: frozenset[str] = frozenset(),
        public: frozenset[str] = frozenset(),
        pace: Pace | None = None,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.most_under_way = max(most_under_way, 2 * max_bytes)
        self.streamed = streamed
        self.public = public
        self.pace = pace or Pace()
        self._held: Counter[str] = Counter()
        self._tidying: asyncio.TimerHandle | None = None
        self._untidy_since = 0.0

    @property
    def under_way(self) -> int:
        """Bytes of all bodies whose requests are not answered yet."""
        return self._held.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.public:
            await self.app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        caller = current_caller.get().name
        # What the request does from here on takes the time of its connection's holder: the caller or, on a server
        # without keys, the address. Reading the connection takes the same time.
        connection = scope.get("state", {}).get("connection")
        current_share.set(TimeShare(caller if connection is None else connection.holder))
        await turn_of(scope)
        body = _Body(caller, counted=not (scope["path"] in self.streamed and sends_lines(scope)))
        try:
            if body.counted and int(declared) > self.max_bytes:
                raise self._too_large()
            await self.app(scope, partial(self._next, body, receive), send)
        except (TooLarge, Overloaded, TooSlow) as fault:  # the application answers those that it meets
            await problem_response(fault)(scope, receive, send)
        finally:
            self._held[body.caller] -= body.held
            if not self._held[body.caller]:
                del self._held[body.caller]
            if body.size >= _LARGE_BYTES:
                self._tidy_later()

    def _tidy_later(self) -> None:
        """Once no large body has come for a moment, or after half a minute of them: meanwhile what one left is used
        for the next, and giving it back would keep everything that needs memory waiting for tens of milliseconds."""
        loop = asyncio.get_running_loop()
        if self._tidying is None:
            self._untidy_since = loop.time()
        else:
            self._tidying.cancel()
        latest = self._untidy_since + _UNTIDY_SECONDS
        self._tidying = loop.call_at(min(loop.time() + _TIDY_SECONDS, latest), self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        collect_young()
        asyncio.get_running_loop().run_in_executor(None, give_back)

    async def _next(self, body: "_Body", receive: Receive) -> Message:
        if body.complete:
            return await receive()
        started = time.monotonic()
        try:
            with within(self.pace.left(body.waited_seconds, body.size)):
                message = await receive()
        except TimeoutError:
            raise TooSlow(
                f"The body arrives at less than {self.pace.bytes_a_second} bytes a second.",
                remedy="Send it faster, or in several requests.",
            ) from None
        body.waited_seconds += time.monotonic() - started
        size = len(message.get("body", b""))
        body.size += size
        body.complete = not message.get("more_body", False)
        if body.counted:
            self._hold(body, size)
        return message

    def _hold(self, body: "_Body", size: int) -> None:
        """Count so many bytes more of a body. Raises TooLarge, or Overloaded."""
        if body.held + size > self.max_bytes:
            raise self._too_large()
        if size and self._held[body.caller] + size > self.most_under_way - self.under_way:
            raise Overloaded(
                "The bodies of the requests under way take too much memory.",
                remedy="Wait for Retry-After seconds, then send the request again; or send fewer requests at once.",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )
        self._held[body.caller] += size
        body.held += size

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The body is larger than {self.max_bytes} bytes.",
            remedy="Split the batch, or raise max_body_bytes in the server's settings.",
            max_bytes=self.max_bytes,
        )


async def turn_of(scope: Scope) -> None:
    """Begin a step of the caller's own if others are active, so that many requests at once wait for their turns."""
    shares: ProcessorShares | None = getattr(scope["app"].state, "shares", None) if "app" in scope else None
    if shares is not None and shares.contended:
        await asyncio.sleep(0)


@dataclass(slots=True)
class _Body:
    """``held``: its bytes that are counted; ``size``: those that arrived; ``waited_seconds``: for the client."""

    caller: str
    counted: bool
    held: int = 0
    size: int = 0
    waited_seconds: float = 0.0
    complete: bool = field(default=False)


class RefuseCompressed:
    """Answers 415 to a body with a Content-Encoding: a small compressed body can unpack to any size."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            encoding = next((value for name, value in scope["headers"] if name == b"content-encoding"), b"")
            if encoding.strip().lower() not in (b"", b"identity"):
                refusal = UnsupportedEncoding(
                    "Bodies with a Content-Encoding are not accepted.", remedy="Send the body uncompressed."
                )
                await problem_response(refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


T = TypeVar("T")
_PATIENCE_SECONDS = 2.0


class RequestTasks:
    """The tasks that run for requests."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Cancel all tasks; their callers get 503."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE_SECONDS)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``, and cancel it if the client disconnects. Raises ClientGone in that case, and Draining if the server
    stops first."""
    under_way: RequestTasks = request.app.state.working
    working = under_way.begin(work)
    watching = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.cancelled():
            raise Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)
        if working.done():
            return working.result()
        raise ClientGone
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


async def _hung_up(request: Request) -> None:
    """Return when the client disconnects, or when cancelled: the traceback of an error would keep the request with its
    body until the next collection of garbage."""
    try:
        while (await request.receive())["type"] != "http.disconnect":
            pass
    except asyncio.CancelledError:
        return
