"""Connections to model servers. A request over a kept one needs few of the objects that a session makes for it.

A session of aiohttp builds headers, a task that writes and a response object for every request. Over a connection that
is kept and idle, the request is written as bytes here, and aiohttp's own parser reads the reply; the connections, their
limits, TLS and proxies are aiohttp's, and a session opens them.
"""

import logging
import re
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError

from judge_server.models.fleet import UNHEARD_SECONDS
from judge_server.util.time_limit import within

_LOG = logging.getLogger(__name__)
LARGEST_ANSWER_BYTES = 2_000_000
Place = tuple[str | None, int | None]
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"(?:https?)://(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?(?:/[\w.-]+)+", re.ASCII)


class ServerReply(NamedTuple):
    """``place``: host and port. ``kept``: the server keeps the connection. ``content``: None if it is longer than
    LARGEST_ANSWER_BYTES."""

    status: int
    headers: Mapping[str, str]
    kept: bool
    place: Place
    content: bytes | None

    @classmethod
    def of(
        cls, status: int, headers: Mapping[str, str], version: Any, place: Place, content: bytes | None
    ) -> "ServerReply":
        kept = version != aiohttp.HttpVersion10 and headers.get("Connection", "").casefold() != "close"
        return cls(status, headers, kept, place, content)


class KeptConnection(ResponseHandler):
    """``lost`` is told when it is gone: whether the server ended it, other than after seconds without a call. ``idle``:
    it is kept, and no request is under way: what comes then would be taken for the answer to the next one.
    ``unasked`` is told of that."""

    lost: Callable[[bool], None] | None = None
    unasked: Callable[[], None] | None = None
    heard_at = float("-inf")
    idle = False

    @property
    def unread(self) -> bool:
        """Whether a whole further answer came, or more of one."""
        return bool(self._buffer or self._tail)

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        if not self.idle or not data:
            super().data_received(data)
        elif self.unasked is not None:
            self.unasked()
            self.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.lost is not None:  # our own ``close`` has taken the transport away before
            self.lost(self.transport is not None and time.monotonic() - self.heard_at < UNHEARD_SECONDS)
        super().connection_lost(exc)


class KeptConnections(aiohttp.TCPConnector):
    """``alive`` now, and ``breaks`` so far, by host and port: a server ended a connection, or left none alive.
    ``talkative``: those that sent what nobody had asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(KeptConnection, loop=self._loop)  # type: ignore[assignment]  # it names its own class
        self.alive: Counter[Place] = Counter()
        self.breaks: Counter[Place] = Counter()
        self.talkative: set[Place] = set()
        self._keys: dict[tuple[str, Place], Any] = {}

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float | None
    ) -> ServerReply | None:
        """The reply to a request over an idle connection; None, and nothing was sent, if there is none. Raises
        aiohttp.ClientError, OSError, and TimeoutError after ``seconds``."""
        target = _target(url)
        key = None if target is None else self._keys.get((target.scheme, target.place))
        connection = None if key is None else await self._get(key, [])
        if connection is None or target is None:
            return None
        try:
            with within(seconds):
                reply = await _exchanged(connection, target, _head(target, tuple(headers.items())), body)
        except HttpProcessingError as fault:
            connection.close()
            raise aiohttp.ClientPayloadError(fault.message) from fault
        except BaseException:
            connection.close()
            raise
        connection.release()  # closes it unless the whole reply was read and the server keeps it
        return reply

    async def _get(self, key: Any, traces: Any) -> aiohttp.connector.Connection | None:
        while (kept := await super()._get(key, traces)) is not None:
            protocol: Any = kept.protocol
            if not protocol.should_close:
                protocol.idle = False
                return kept
            kept.close()
        return None

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        place = key.host, key.port
        if protocol.unread:
            self._note_unasked(place)
        protocol.idle = True
        super()._release(key, protocol, should_close=should_close or place in self.talkative)

    async def _create_connection(self, req: Any, *rest: Any, **named: Any) -> Any:
        place = req.url.host, req.url.port
        self.breaks[place] += not self.alive[place]
        made: Any = await super()._create_connection(req, *rest, **named)
        self.alive[place] += 1
        made.lost, made.unasked = partial(self._note_lost, place), partial(self._note_unasked, place)
        if req.proxy is None:
            self._keys[req.url.scheme, place] = req.connection_key
        return made

    def _note_unasked(self, place: Place) -> None:
        """The model is recognised again before further answers count. That of the last request may have come too early
        to be noticed, so connections to this server are used once from now on."""
        self.breaks[place] += 1
        self.talkative.add(place)
        _LOG.error("%s:%s sent what nobody had asked for: its last answer may be to another question", *place)

    def _note_lost(self, place: Place, ended: bool) -> None:
        self.alive[place] -= 1
        self.breaks[place] += ended


async def bounded(content: aiohttp.StreamReader) -> bytes | None:
    """The whole body; None if it is too long."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > LARGEST_ANSWER_BYTES:
            return None
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _exchanged(connection: Any, target: "_Target", head: bytes, body: bytes) -> ServerReply:
    protocol, transport = connection.protocol, connection.transport
    if transport is None or transport.is_closing():
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True)
    transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
    while True:
        message, content = await protocol.read()
        if not 100 <= message.code < 200 or message.code == 101:  # others announce a further reply
            reply = ServerReply.of(message.code, message.headers, message.version, target.place, await bounded(content))
            if protocol.unread:  # which of the two is the answer to this request?
                raise aiohttp.ClientPayloadError("The server answered twice.")
            return reply


class _Target(NamedTuple):
    """An address without anything that would have to be quoted."""

    scheme: str
    place: Place
    host: str
    path: str


@lru_cache(maxsize=1_024)
def _target(url: str) -> _Target | None:
    """None for an address that a session has to write: with a password, a query, or characters to be quoted."""
    if _PLAIN.fullmatch(url) is None or "/." in url:
        return None
    parts = urllib.parse.urlsplit(url)
    usual = _PORTS[parts.scheme]
    host = parts.netloc.removesuffix(f":{usual}").lower()
    return _Target(parts.scheme, (parts.hostname, parts.port or usual), host, parts.path)


@lru_cache(maxsize=1_024)
def _head(target: _Target, headers: tuple[tuple[str, str], ...]) -> bytes:
    """The request up to the number of bytes of its body."""
    lines = (("Host", target.host), *headers, ("Accept", "*/*"))
    written = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"POST {target.path} HTTP/1.1\r\n{written}Content-Length: ".encode()
