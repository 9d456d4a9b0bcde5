"""The connections to the servers of one model: one address or a fleet of them. The only importer of aiohttp
beside ``server_connections``.

``openai_server`` asks chat completions with it, and ``decision_server`` typed questions. fleet chooses the address,
failover the retries and the waits, and membership follows addresses that come and go.
"""

import asyncio
import io
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any, Self

import aiohttp

from judge_server.core.errors import CannotSleep, DeadlineExceeded, ModelUnavailable, UnusableVerdict
from judge_server.models.control_strings import require_single_tokens, strings_in, strings_of_files
from judge_server.models.event_stream import joined
from judge_server.models.failover import CallLimits, Failover
from judge_server.models.fleet import Address, Fleet
from judge_server.models.hedging import Hedging
from judge_server.models.membership import LOOKED_UP, Membership
from judge_server.models.openai_fault import ANSWERED, CallOutcome, ServerFault, fault_inside, fault_of
from judge_server.models.openai_options import OpenAIOptions, certificates, members
from judge_server.models.openai_reply import ModelListing, json_in, listing_of, no_answer, tokens_in
from judge_server.models.protocol import Capabilities, Prompt, Reach
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.models.server_connections import LARGEST_ANSWER_BYTES, KeptConnections, ServerReply, bounded
from judge_server.models.sleeping import SleepLevel
from judge_server.util.concurrency import together
from judge_server.util.proxy import Proxies, via

_FRESH_SECONDS = 5.0
_LISTING_SECONDS = 2.0
_SLEEP_SECONDS = 300.0  # weights may be read again from a disk
_KEEP_ALIVE_SECONDS = 4.0  # common servers close idle connections after 5 s; a reused one would then fail
_LARGE_BODY_BYTES = 1 << 20  # above this size aiohttp expects a file, which it sends in chunks
_END_BYTES = 64
_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*[^\s\]]')  # at least one


class ModelServer(ABC):
    """The connections to the addresses of one model, all of which must serve the same. ``path`` is what requests are
    posted to."""

    path = "/chat/completions"

    def __init__(self, name: str, addresses: tuple[str, ...], options: OpenAIOptions) -> None:
        self.name = name
        self.revision = ""
        self.notice: str | None = None
        self.capabilities = Capabilities(logprobs=False, structured=False)
        self._options = options
        self._tls = certificates(options)
        self._proxies = Proxies()
        written = members(addresses, options)
        known = [url for url in addresses if not url.startswith(LOOKED_UP)]
        self._fleet = Fleet(known, preemptible=[url for url, preemptible in written.items() if preemptible])
        self._membership = Membership(self._fleet, written, options.lookup_seconds)
        changing = self._membership.named
        self._hedging = Hedging.of(options.hedge, options.hedge_share, 0 if changing else len(addresses))
        self._failover: Failover[bytes, bytes] = Failover(self._fleet, self._post, self._hedging)
        self._session: aiohttp.ClientSession | None = None
        self._connections: KeptConnections | None = None
        self._answered_at = float("-inf")
        seconds = options.timeout_seconds
        self._timeout = aiohttp.ClientTimeout(seconds, sock_connect=min(options.connect_timeout_seconds, seconds))

    async def start(self) -> None:
        """Connect and find out what the server can do. Raises ModelUnavailable if no address answers."""
        if self._session is not None:
            return
        self._session = self._open_session()
        try:
            await self._membership.start()
            await self.relearn()
        except BaseException:
            await self.close()
            raise

    @abstractmethod
    async def relearn(self) -> None:
        """Find out what the server can do. Raises ModelUnavailable if no address answers."""

    @property
    def capacity(self) -> int:
        """``max_in_flight`` for each address, and fewer while servers refuse calls for load."""
        most = self._options.max_in_flight * len(self._fleet.addresses)
        return int(min(most, sum([address.limit for address in self._fleet.addresses])))

    @property
    def reach(self) -> Reach:
        hedging = self._hedging
        return Reach(self._fleet.circuits_open, hedging.hedged if hedging else 0, hedging.won if hedging else 0)

    async def _answer(
        self, body: bytes, prompt: Prompt, deadline: float | None, failover: Failover[bytes, bytes] | None = None
    ) -> bytes | ServerFault:
        """The body of a good answer, or the fault of the last attempt."""
        limits = CallLimits(self._options.transport_attempts, deadline)
        answer = await (failover or self._failover).ask(body, prompt.prefix[0] if prompt.prefix else None, limits)
        if not isinstance(answer, ServerFault):
            self._answered_at = time.monotonic()
        return answer

    async def _tokenized(self, text: str) -> list[int]:
        """By the first address that has ``/tokenize`` as vLLM, SGLang and llama.cpp do; empty if none has."""
        asked = {"prompt": text, "content": text, "add_special_tokens": False, "add_special": False}
        return await self._tokenize(asked)

    async def _tokenize(self, asked: Mapping[str, Any]) -> list[int]:
        for address in self._fleet.addresses:
            if ids := tokens_in(await self._beside_v1(address, "tokenize", {"model": self.name, **asked})):
                return ids
        return []

    async def _control_strings(self) -> ControlStrings:
        """What to break in outside text: the strings of the configured tokenizer, or those that a server reports (vLLM
        with ``--enable-tokenizer-info-endpoint``); unknown without both."""
        added = self._options.control_strings
        if self._options.tokenizer is not None:
            known = await asyncio.to_thread(strings_of_files, self._options.tokenizer)
            await require_single_tokens(known, self._tokenized)
            return ControlStrings(known, added)
        for address in self._fleet.addresses:
            if found := strings_in(json_in(await self._beside_v1(address, "tokenizer_info"))):
                return ControlStrings(found, added)
        return ControlStrings(None, added) if added else UNKNOWN

    async def _beside_v1(self, address: Address, name: str, asked: Mapping[str, Any] | None = None) -> bytes:
        """The answer of a server's own route beside ``/v1``; empty if it has none."""
        url = f"{address.url.removesuffix('/v1')}/{name}"
        method, reach = "GET" if asked is None else "POST", self._beside(address)
        try:
            async with self._opened().request(method, url, json=asked, **reach) as response:
                return (await bounded(response.content) or b"") if response.status == 200 else b""
        except (aiohttp.ClientError, OSError):
            return b""

    @property
    def interruptions(self) -> int:  # see ``Replaceable``
        return self._fleet.interruptions

    @property
    def severed(self) -> int:
        return self._fleet.severed

    def parts(self, *, interrupted: bool = False) -> tuple[Self, ...]:
        """One model for each address, or for those that were interrupted since they were last asked for."""
        chosen = [one for one in self._fleet.addresses if one.interrupted or not interrupted]
        return tuple(self._part(address) for address in chosen)

    def _part(self, address: Address) -> Self:
        address.interrupted = False
        part = copy(self)
        part.call_only(address)
        return part

    async def _ask_each(self, body: bytes, deadline: float) -> dict[str, bytes | ServerFault]:
        """What each address says to one attempt, by its URL."""

        async def asked(address: Address) -> tuple[str, bytes | ServerFault]:
            alone = Failover(self._fleet.only(address), self._post)
            return address.url, await alone.ask(body, None, CallLimits(1, deadline))

        return dict(await together([asked(address) for address in self._fleet.addresses]))

    @property
    def barred(self) -> bool:
        return any(address.barred for address in self._fleet.addresses)

    def bar(self, barred: bool) -> None:  # see ``ModelAddress``
        for address in self._fleet.addresses:
            address.barred = barred

    def call_only(self, address: Address) -> None:
        """Send further calls there, without hedging."""
        self._fleet = self._fleet.only(address)
        self._failover = Failover(self._fleet, self._post)

    async def declared(self) -> frozenset[str] | None:
        """What the listings of all addresses say of the model."""
        listings = await self._listings()
        known = [listing for listing in listings if listing is not None]
        return frozenset[str]().union(*(one.facts for one in known)) if len(known) == len(listings) else None

    async def sleep(self, level: SleepLevel) -> None:
        """By vLLM's own routes, at every address."""
        await self._everywhere(f"sleep?level={level}")

    async def wake(self, level: SleepLevel) -> None:
        if level == 1:
            await self._everywhere("wake_up")
            return
        await self._everywhere("wake_up?tags=weights")
        await self._everywhere("collective_rpc", {"method": "reload_weights"})
        await self._everywhere("wake_up?tags=kv_cache")

    async def _everywhere(self, name: str, asked: Mapping[str, Any] | None = None) -> None:
        await together([self._ordered(address, name, asked or {}) for address in self._fleet.addresses])

    async def _ordered(self, address: Address, name: str, asked: Mapping[str, Any]) -> None:
        url = f"{address.url.removesuffix('/v1')}/{name}"
        reach = self._beside(address) | {"timeout": aiohttp.ClientTimeout(_SLEEP_SECONDS)}
        try:
            async with self._opened().post(url, json=asked, **reach) as response:
                status = response.status
        except (aiohttp.ClientError, OSError) as fault:
            raise self._connection_fault(address, fault).error from None
        if status in (404, 405):
            raise CannotSleep(
                f"The model server at {address.url} cannot sleep.",
                remedy="Start vLLM with --enable-sleep-mode, and with VLLM_SERVER_DEV_MODE=1 for its routes.",
            )
        if status >= 300:
            raise ModelUnavailable(
                f"The model server at {address.url} answered {status} to {name}.", remedy="Its log says more."
            )

    async def healthy(self) -> bool:
        """Whether a call was answered recently, or else whether an available address lists its models."""
        if self._session is None:
            return False
        if time.monotonic() - self._answered_at < _FRESH_SECONDS:
            return True
        return self._fleet.usable and any(await self._listings())

    async def close(self) -> None:
        """End every call in flight by closing its connection, which makes engines stop generating."""
        session, self._session = self._session, None
        await self._membership.close()
        if session is not None:
            await session.close()

    async def _ask_probe(self, body: bytes, bounds: CallLimits) -> bytes | ServerFault:
        return await self._failover.ask(body, None, bounds)

    async def _listings(self) -> list[ModelListing | None]:
        """Each address's listing of this model; None for an address that does not answer or answers 5xx."""
        return await asyncio.gather(*(self._listing(address) for address in self._fleet.addresses))

    async def _listing(self, address: Address) -> ModelListing | None:
        try:
            async with self._opened().get(f"{address.url}/models", **self._beside(address)) as response:
                raw = await bounded(response.content)
                return listing_of(raw or b"", self.name) if response.status < 500 else None
        except (aiohttp.ClientError, OSError):
            return None

    def _beside(self, address: Address) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=_LISTING_SECONDS)
        return {"proxy": self._proxies[address.url], "timeout": timeout, "allow_redirects": False}

    async def _post(
        self, address: Address, body: bytes, deadline: float | None, path: str | None = None
    ) -> bytes | ServerFault:
        """One attempt on one address."""
        timeout = self._timeout
        if deadline is not None and (left := max(deadline - time.monotonic(), 0.001)) < self._options.timeout_seconds:
            timeout = aiohttp.ClientTimeout(total=left, sock_connect=min(self._options.connect_timeout_seconds, left))
        url = f"{address.url}{path or self.path}"
        try:
            reply = await self._reply(url, body, timeout, self._proxies[address.url])
            raw = reply.content
            if raw is None:
                raise UnusableVerdict(f"The model server's answer is longer than {LARGEST_ANSWER_BYTES} bytes.")
            if reply.status not in ANSWERED:
                return fault_of(reply.status, reply.headers, raw, self.name, address.url)
            raw = raw if raw.startswith(b"{") else joined(raw)
            self._note_connection(address, reply)
            return self._fault_in(raw, reply.headers, address, chat=url.endswith("completions")) or raw
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError) and deadline is not None and time.monotonic() > deadline - 0.005:
                raise DeadlineExceeded("The judge model did not answer before the deadline.") from None
            return self._connection_fault(address, error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._session is not None or task is None or task.cancelling():
                raise
            closed = aiohttp.ClientConnectionError()  # while waiting for a connection
            return self._connection_fault(address, closed)

    def _fault_in(self, raw: bytes, headers: Mapping[str, str], address: Address, *, chat: bool) -> ServerFault | None:
        """The fault of an answer with status 200: an error inside, or no answer of a model at all, such as a page of a
        proxy or half an object. That counts as a lost call, because a server that ends, or what stands in its place,
        answers everything so."""
        torn = raw[-_END_BYTES:].rstrip()[-1:] not in (b"}", b"]")
        bare = chat and not _CHOICES.search(raw)
        if not torn and not bare and b'"error"' not in raw:
            return None
        if inside := fault_inside(raw, headers, self.name, address.url):
            return inside
        unusable = no_answer(raw, chat=chat) if torn or bare else None
        if unusable is None:
            return None
        return ServerFault(unusable, CallOutcome.FAILED, again=True, lost=True)

    async def _reply(self, url: str, body: bytes, bound: aiohttp.ClientTimeout, proxy: str | None) -> ServerReply:
        session = self._opened()
        if self._connections is not None and proxy is None and len(body) < _LARGE_BODY_BYTES:
            reply = await self._connections.post(url, session.headers, body, bound.total)
            if reply is not None:
                return reply
        data = body if len(body) < _LARGE_BODY_BYTES else io.BytesIO(body)
        post = session.post(url, data=data, timeout=bound, proxy=proxy, allow_redirects=False)
        async with post as response:
            content = await bounded(response.content)
            if content is None:
                response.close()
            if response.status == 407 and proxy is not None:
                raise aiohttp.ClientHttpProxyError(response.request_info, (), status=407)
            place = response.url.host, response.url.port
            return ServerReply.of(response.status, response.headers, response.version, place, content)

    def _note_connection(self, address: Address, reply: ServerReply) -> None:
        """A server that keeps connections, but has ended one, may have been replaced in between."""
        breaks = 0 if self._connections is None else self._connections.breaks[reply.place]
        if address.keeps_connections and breaks != address.breaks:
            self._fleet.interrupt(address, severed=True)
        address.breaks = breaks
        address.keeps_connections = reply.kept

    def _connection_fault(self, address: Address, error: Exception) -> ServerFault:
        again, elsewhere = self._session is not None, False
        remedy = "Check that the server runs and that its address is right."
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            what, again = "has a certificate that is not trusted", False
            remedy = "Set the option tls_ca_file to its authority, or switch tls_verify off."
        elif isinstance(error, aiohttp.ConnectionTimeoutError):
            what = f"accepted no connection within {self._options.connect_timeout_seconds:g} s"
        elif isinstance(error, TimeoutError):
            # It may still be computing: asking the same address again would only add to its load.
            what, elsewhere = f"did not answer within {self._options.timeout_seconds:g} s", True
            remedy = "Raise timeout_seconds, lower max_in_flight or add addresses."
        elif isinstance(error, aiohttp.ClientHttpProxyError):
            what = f"was not reached: the proxy answered {error.status}"
        elif isinstance(error, aiohttp.ClientConnectorDNSError):
            what = f"was not reached: the name {error.host} is not found"
            remedy = "Check the name, and what this machine asks for names (DNS)."
        elif isinstance(error, aiohttp.ClientConnectorError):
            what = "accepts no connection"
        else:
            what = "closed the connection"
        place = f"{address.url}{via(self._proxies[address.url])}"
        failure = ModelUnavailable(f"The model server at {place} {what}.", remedy=remedy)
        lost = not isinstance(error, TimeoutError) or isinstance(error, aiohttp.ConnectionTimeoutError)
        return ServerFault(failure, CallOutcome.FAILED, again=again, elsewhere=elsewhere, lost=lost)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise ModelUnavailable(f"The model {self.name!r} is not started or was closed.", remedy="Start it first.")
        return self._session

    def _open_session(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "judge-server"}
        if self._options.api_key is not None:
            headers["Authorization"] = f"Bearer {self._options.api_key.get_secret_value()}"
        jar = aiohttp.DummyCookieJar()
        most = 0 if self._membership.named else self.capacity + 8  # 0: as many as calls, which the scheduler bounds
        self._connections = KeptConnections(limit=most, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=self._tls)
        return aiohttp.ClientSession(connector=self._connections, headers=headers, cookie_jar=jar, trust_env=False)
