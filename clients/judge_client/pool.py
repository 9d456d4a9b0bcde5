"""httpx behind two small doors: the only file that knows it. It is imported when the first request goes out.

No more requests than there are connections ever reach httpx, whose pool looks through all that wait whenever one ends.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from judge_client.configuration import Address
from judge_client.errors import BadConfiguration
from judge_client.flow import Reply, Request, Send, TransportFault
from judge_client.fork import ForkAware
from judge_client.shards import CONNECTIONS, Shards

if TYPE_CHECKING:
    import httpx

Client = TypeVar("Client")
_CONNECT_SECONDS = 10.0
_TOO_SLOW = TransportFault("the answer took too long", sent=True, timed_out=True)


@cache
def _security() -> Any:
    """Reading the authorities' certificates takes longer than most requests: once for each process."""
    import httpx

    return httpx.create_ssl_context()


def _options(address: Address) -> dict[str, Any]:
    import httpx

    headers = {"User-Agent": "judge-client"}
    if address.api_key is not None:
        headers["Authorization"] = f"Bearer {address.api_key}"
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    proxied = not _on_loopback(address)
    return {"base_url": address.url, "headers": headers, "limits": limits, "verify": _security(), "trust_env": proxied}


def _on_loopback(address: Address) -> bool:
    """What is on this machine is never reached through a proxy."""
    host = urlsplit(address.url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _arguments(send: Send, left: float) -> dict[str, Any]:
    import httpx

    request: Request = send.request
    return {
        "method": request.method,
        "url": request.path,
        "params": {name: value for name, value in request.query.items() if value is not None} or None,
        "content": request.content,
        "headers": dict(request.headers),
        "timeout": httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS)),
    }


def _fault(fault: Exception, address: Address) -> TransportFault:
    """What httpx raised, in our words. Raises BadConfiguration for a request that can never be sent."""
    import httpx

    if isinstance(fault, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        raise BadConfiguration(
            f"{address.shown}: the request cannot be sent: {fault}.", remedy="Correct url and api_key."
        )
    told = f"{type(fault).__name__}: {fault}".rstrip(": ")
    if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER_FAILURE" in told:
        raise BadConfiguration(
            f"{address.shown} speaks plain HTTP, not TLS.", remedy="Write http:// in url (JUDGE_URL)."
        )
    unsent = isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    timed_out = isinstance(fault, httpx.TimeoutException)
    remedy = _remedy_of_certificate(told) or _remedy_of_proxy(address) or _remedy(told)
    return TransportFault(f"{address.shown}: {told}", sent=not unsent, timed_out=timed_out, remedy=remedy)


def _remedy(told: str) -> str | None:
    lowered = told.lower()
    if any(text in lowered for text in ("name or service not known", "getaddrinfo", "name resolution", "nodename")):
        return "The host name is not known here: correct url (JUDGE_URL)."
    if any(text in lowered for text in ("without sending a response", "readerror", "connection reset")):
        return "If the server speaks TLS, write https:// in url (JUDGE_URL); if it does not run, start it."
    return None


def _remedy_of_certificate(told: str) -> str | None:
    return "Set SSL_CERT_FILE to the certificate of the server's authority." if "certificate" in told.lower() else None


def _remedy_of_proxy(address: Address) -> str | None:
    """A request that the environment sends through a proxy may have failed there."""
    parts = urlsplit(address.url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or _on_loopback(address) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return (
        f"The environment sends it through the proxy {proxy.rpartition('@')[2]}: if the server is reached without one, "
        f"set NO_PROXY={parts.hostname}; else start it, or correct url (JUDGE_URL)."
    )


def _made(make: Callable[[], Client]) -> Client:
    """A client of httpx. Raises BadConfiguration for proxies and certificates of the environment that it cannot use."""
    try:
        return make()
    except OSError as fault:
        raise BadConfiguration(
            f"The certificates cannot be read: {fault}.", remedy="Correct SSL_CERT_FILE or SSL_CERT_DIR."
        ) from None
    except (ImportError, ValueError) as fault:
        raise BadConfiguration(
            f"The proxy of the environment cannot be used: {fault}",
            remedy="Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or set NO_PROXY to the judge-server's host.",
        ) from None


def _reply(response: httpx.Response, content: bytes) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


class BlockingPool(ForkAware):
    """Connections that all threads of a process share; a forked child begins its own."""

    def __init__(self, address: Address, connections: int) -> None:
        super().__init__()
        self.address = address
        self.connections = connections
        self._inherited: list[Any] = []
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self.connections)
        self._shards: Shards[httpx.Client] | None = None
        self._closing: Any = None

    def after_fork(self) -> None:
        if self._closing is not None:
            self._closing.detach()
        self._inherited.append(self._shards)  # kept, so that its sockets, which are the parent's, are left alone
        self._begin()

    def send(self, send: Send) -> Reply | TransportFault:
        """What comes within the time, which bounds each wait for the server and the whole of the body."""
        import httpx

        give_up = time.monotonic() + send.timeout_seconds
        if not self._places.acquire(timeout=send.timeout_seconds):
            return TransportFault("no connection was free in time", sent=False, timed_out=True)
        try:
            left = max(give_up - time.monotonic(), 0.001)
            with self._open().place() as pool, pool.stream(**_arguments(send, left)) as response:
                content = _body(response, give_up)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return _fault(fault, self.address)
        else:
            return _TOO_SLOW if content is None else _reply(response, content)
        finally:
            self._places.release()

    def _open(self) -> Shards[httpx.Client]:
        import httpx

        with self._lock:
            if self._shards is None:
                options = _made(lambda: _options(self.address))
                self._shards = Shards(lambda: _made(lambda: httpx.Client(**options)))
                self._closing = weakref.finalize(self, _close_all, self._shards)
            return self._shards

    def close(self) -> None:
        """A later call opens connections anew."""
        with self._lock:
            if self._closing is not None:
                self._closing()
            self._shards = self._closing = None


def _close_all(shards: Shards[httpx.Client]) -> None:
    for pool in shards.pools():
        pool.close()


def _body(response: httpx.Response, give_up: float) -> bytes | None:
    """None if the time is used up before the body has an end."""
    parts = []
    for part in response.iter_bytes():
        parts.append(part)
        if time.monotonic() > give_up:
            return None
    return b"".join(parts)


@dataclass
class Lease:
    """One event loop's connections, and how many use them."""

    shards: Shards[httpx.AsyncClient]
    places: asyncio.Semaphore
    users: int = 0


@dataclass(eq=False)
class AsyncPool(ForkAware):
    """Connections by event loop. They live as long as a call in that loop uses them, so that none outlives its loop."""

    address: Address
    connections: int
    _leases: dict[asyncio.AbstractEventLoop, Lease] = field(default_factory=dict)
    _inherited: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def after_fork(self) -> None:
        self._inherited.append(self._leases)
        self._leases = {}

    def hold(self) -> Lease:
        """The connections of the running loop, until ``release``. Calls of one loop at the same time share them."""
        import httpx

        loop = asyncio.get_running_loop()
        lease = self._leases.get(loop)
        if lease is None:
            self._leases = {other: kept for other, kept in self._leases.items() if not other.is_closed()}
            options = _made(lambda: _options(self.address))
            shards = Shards(lambda: _made(lambda: httpx.AsyncClient(**options)))
            lease = self._leases[loop] = Lease(shards, asyncio.Semaphore(self.connections))
        lease.users += 1
        return lease

    async def release(self) -> None:
        """The last to go closes the connections."""
        loop = asyncio.get_running_loop()
        lease = self._leases.get(loop)
        if lease is None:
            return  # a child that was forked meanwhile holds none
        lease.users -= 1
        if not lease.users:
            del self._leases[loop]
            for pool in lease.shards.pools():
                await pool.aclose()

    async def send(self, lease: Lease, send: Send) -> Reply | TransportFault:
        """What comes within the time."""
        import httpx

        try:
            return await asyncio.wait_for(self._answer(lease, send), send.timeout_seconds)
        except (TimeoutError, asyncio.TimeoutError):
            return _TOO_SLOW
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return _fault(fault, self.address)

    @staticmethod
    async def _answer(lease: Lease, send: Send) -> Reply:
        async with lease.places:
            with lease.shards.place() as pool:
                response = await pool.request(**_arguments(send, send.timeout_seconds))
        return _reply(response, response.content)
