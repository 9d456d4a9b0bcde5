"""HTTP/1.1 over a socket with bounds that uvicorn does not have: on request heads, trailers, pipelined requests, bodies
that continue after the response, and clients that do not read.

uvicorn's parser takes heads and trailers of any size, waits for them without a timeout, appends trailers to the headers
of their request, and queues every pipelined request; while one waits it does not notice that the client hung up. It
has a setting for none of these.
"""

import logging
from asyncio import BufferedProtocol, Future, TimerHandle, Transport
from time import perf_counter
from typing import Any, ClassVar, Final, Literal

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from judge_server.scheduling.processor_share import TimeShare
from judge_server.server.connections import Connections
from judge_server.util.log_throttle import LogThrottle

_log = logging.getLogger(__name__)
_invalid = LogThrottle()


def _refusal(status: str, text: str) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}"
    ).encode()


_FRAMING: Final = (b"content-length", b"transfer-encoding")
_PART_BYTES: Final = 65_536
# After a large part, while other callers are active: parts that follow each other at once would keep the event loop
# from giving the interpreter's lock to the threads that others wait for.
_PART_PAUSE_SECONDS: Final = 0.001
_FULL: Final = _refusal("503 Service Unavailable", "The server has no room for another connection.\n").replace(
    b"connection: close", b"connection: close\r\nretry-after: 2"
)
_TOO_LARGE: Final = _refusal("431 Request Header Fields Too Large", "The request's headers are too large.\n")
_MALFORMED: Final = _refusal("400 Bad Request", "The request is not valid HTTP.\n")


class BoundedHttp(HttpToolsProtocol):
    """Answers 431 to a head of more than ``most_bytes``, and closes a connection

    - whose head takes more than ``patience_seconds``,
    - that sends more than ``most_bytes`` of chunk framing or trailers without any body; trailers are dropped,
    - that pipelines more than ``most_pipelined`` requests, or more than ``most_bytes`` of one's body,
    - that goes on sending its body for more than ``patience_seconds`` after the response; until then it is read slowly,
    - that reads less than ``slowest_bytes`` a second of a response that waits to be sent.

    A connection beyond ``most_connections`` takes the place of an idle one, or is answered 503 and closed, so that
    files are left for other uses.
    """

    most_connections = 1_000_000

    most_bytes = 65_536
    most_pipelined = 8
    patience_seconds = 30.0
    slowest_bytes = 1_024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: Literal["head", "body", "nothing"] = "head"
        self._resuming = False
        self._head_bytes = 0
        self._framing_bytes = 0
        self._progress = False
        self._body_came = False
        self._waiting: TimerHandle | None = None
        self._sending: TimerHandle | None = None
        self._unsent = 0
        self._running: RequestResponseCycle | None = None
        self._all = Connections.of(self.loop)
        self._counted = False
        self._answered = self.loop.time()
        self.holder = ""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.holder = f"address {self.client[0] if self.client else ''}"
        self._all.most = self.most_connections
        self._counted = self._all.enter(self)
        if not self._counted:
            self.transport.write(_FULL)
            self.transport.close()
            more = _invalid.of("full")
            if more is not None:
                _log.warning("%d connections are open, and more are refused%s", self.most_connections, more)
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._leave()
        if self._sending is not None:
            self._sending.cancel()
        for cycle in (self._running, *(queued for queued, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes | memoryview) -> None:
        self._unset_keepalive_if_required()
        self._progress = self._body_came = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as ended:
            self._stay_at_http(bytes(data)[ended.args[0] :])
            return
        except httptools.HttpParserError:
            if self.transport.is_closing():
                return
            self._refuse(_MALFORMED)
            more = _invalid.of("malformed")
            if more is not None:
                _log.info("a client sent what is not valid HTTP%s", more)
            return
        if self.transport.is_closing():
            return
        if self._reading == "head":
            self._count_head(len(data))
        elif self._reading == "body":
            self._count_framing(len(data))
            if self._body_came and not self.pipeline:
                self.flow.pause_reading()  # until the application, in its caller's turn, has read this part
            if self._running is not None and self._running.response_complete and not self.transport.is_closing():
                self.flow.pause_reading()
                self._all.rest(self)

    def _stay_at_http(self, rest: bytes) -> None:
        """There is no protocol to upgrade to. The parser stops after the head of a request that asks for one, as if it
        had no body; another one reads its body and what follows."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        if self._reading == "body":
            self._resuming = True
            framing = [b": ".join(header) for header in self.headers if header[0] in _FRAMING]
            self.parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"", b""]))
            self._resuming = False
        if rest:
            self.data_received(rest)

    def on_message_begin(self) -> None:
        if self._resuming:
            return
        if self.transport.is_closing():
            raise ConnectionAbortedError  # ends the parsing of what was received
        super().on_message_begin()
        self._progress = True
        self._reading = "head"
        self._head_bytes = self._framing_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading == "head":  # later ones are trailers, which no part of this server reads
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._resuming:
            return
        self._reading = "body"
        self._stop_waiting()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.most_bytes:
            self._refuse(_TOO_LARGE)
        elif len(self.pipeline) >= self.most_pipelined:
            self.transport.close()
        elif not self.transport.is_closing():
            self.scope.setdefault("state", {})["connection"] = self
            super().on_headers_complete()
            self.flow.resume_reading()  # it is paused while a request waits, and then nobody hears the client hang up

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._progress = self._body_came = True
        if self.pipeline and len(self.cycle.body) + len(body) > self.most_bytes:
            self.transport.close()
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and any(name in _FRAMING for name, _ in self.headers):
            return  # only its head is complete
        self._progress = True
        self._reading = "nothing"
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._answered = self.loop.time()
        if self._reading == "body" and not self.transport.is_closing():
            self._wait()  # for the rest of a body that nobody reads

    @property
    def idle_since(self) -> float | None:
        busy = self._running is not None and not self._running.response_complete
        return None if busy else self._answered

    def pass_to(self, caller: str) -> bool:
        return not self._counted or self._all.pass_to(self, caller)

    def give_up(self) -> None:
        self._counted = False
        self.transport.close()

    def read_on(self) -> None:
        self.flow.resume_reading()

    def _leave(self) -> None:
        if self._counted:
            self._counted = False
            self._all.leave(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._sending is None:
            self._watch_sending()

    def _watch_sending(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._sending = self.loop.call_later(self.patience_seconds, self._check_sending)

    def _check_sending(self) -> None:
        self._sending = None
        left = self.transport.get_write_buffer_size()
        if left and self._unsent - left < self.slowest_bytes * self.patience_seconds:
            self.transport.abort()
        elif left:
            self._watch_sending()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.most_bytes:
            self._refuse(_TOO_LARGE)
        elif self._waiting is None:
            self._wait()

    def _count_framing(self, size: int) -> None:
        """Bytes without any body among them are chunk sizes, their extensions, or trailers."""
        self._framing_bytes = 0 if self._progress else self._framing_bytes + size
        if self._framing_bytes > self.most_bytes:
            self._refuse(_TOO_LARGE)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.patience_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _refuse(self, answer: bytes) -> None:
        """Close the connection; answer first, unless the client would take it for the response to another request."""
        self._stop_waiting()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            alone = True
        else:
            alone = self._reading == "body" and not self.pipeline and not cycle.response_started
        if alone:
            self.transport.write(answer)
        self.transport.close()


class SmallReads(BufferedProtocol):
    """A connection that is read in parts of ``_PART_BYTES`` into one buffer, which all connections share. uvloop reads
    256 KB into a new one each time: many bodies at once would take more memory and longer passes of the event loop.

    To read a part takes the time of the connection's holder. While others are active, that of a holder who used more
    waits for its turn: many connections that send at the same moment would hold the loop for a whole pass."""

    http: ClassVar = BoundedHttp
    _buffer: ClassVar = bytearray(_PART_BYTES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._http = self.http(*args, **kwargs)
        self._part = memoryview(self._buffer)
        self._shares = Connections.of(self._http.loop).shares
        self._waiting: list[bytes] = []  # parts that came before the turn; reading rests meanwhile
        self.connection_lost = self._http.connection_lost  # type: ignore[method-assign]  # without a call in between
        self.eof_received = self._http.eof_received  # type: ignore[method-assign]
        self.pause_writing = self._http.pause_writing  # type: ignore[method-assign]
        self.resume_writing = self._http.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self._http.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._part

    def buffer_updated(self, nbytes: int) -> None:
        shares, share = self._shares, TimeShare(self._http.holder)
        turn = shares.turn(share) if shares.contended and not self._waiting else None
        if turn is None and not self._waiting:
            self._read(self._part[:nbytes], share)
            return
        self._waiting.append(bytes(self._part[:nbytes]))
        self._http.flow.pause_reading()
        if turn is not None:
            turn.add_done_callback(self._read_in_turn)

    def _read_in_turn(self, _turn: "Future[None]") -> None:
        parts, self._waiting = self._waiting, []
        if not self._http.transport.is_closing():
            self._http.flow.resume_reading()
            self._read(b"".join(parts), TimeShare(self._http.holder))

    def _read(self, part: bytes | memoryview, share: TimeShare) -> None:
        started = perf_counter()
        self._http.data_received(part)
        pause = _PART_PAUSE_SECONDS if len(part) >= _PART_BYTES // 2 else 0.0
        self._shares.count(share, started, perf_counter(), pause)
