"""Judge models behind HTTP servers: one address or a fleet of them. The only importer of aiohttp.

``ModelServer`` sends requests; ``OpenAIServer`` asks chat completions with it, and ``decision_server`` typed questions.
openai_wire writes requests and openai_reply reads answers; capability_probe determines what the server can do; fleet
chooses the address, the retries and the waits.
"""

import asyncio
import io
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, Self

import aiohttp
from aiohttp.client_proto import ResponseHandler

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable, UnusableVerdict
from judge_server.models.capability_probe import BY_TOKEN_ID, CapabilityProbe, first_dialect
from judge_server.models.control_strings import require_single_tokens, strings_in, strings_of_files
from judge_server.models.event_stream import joined
from judge_server.models.failover import CallLimits, Failover
from judge_server.models.fleet import UNHEARD_SECONDS, Address, Fleet
from judge_server.models.hedging import Hedging
from judge_server.models.openai_fault import CallOutcome, ServerFault, fault_inside, fault_of
from judge_server.models.openai_options import OpenAIOptions, certificates, read_specification
from judge_server.models.openai_reply import ModelListing, completion_of, json_in, listing_of, merged, tokens_in
from judge_server.models.openai_wire import favouring, unblocking_chat_body
from judge_server.models.prompt_lists import MOST_PROMPTS, PromptLists
from judge_server.models.prompt_tokens import token_ids
from judge_server.models.protocol import Capabilities, Completion, LabelBatch, Labels, Prompt, Reach, Request
from judge_server.models.registry import read_options
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.util.proxy import proxy_of, via

LARGEST_ANSWER_BYTES = 2_000_000
_FRESH_SECONDS = 5.0
_LISTING_SECONDS = 2.0
_KEEP_ALIVE_SECONDS = 4.0  # common servers close idle connections after 5 s; a reused one would then fail
_LARGE_BODY_BYTES = 1 << 20  # above this size aiohttp expects a file, which it sends in chunks
_Place = tuple[str | None, int | None]


def create(rest: str, options: Mapping[str, Any]) -> "OpenAIServer":
    """A model from ``NAME@ADDRESS,ADDRESS``. Raises BadConfiguration."""
    name, addresses = read_specification(rest)
    return OpenAIServer(name, addresses, read_options(OpenAIOptions, "openai", options))


class _Connection(ResponseHandler):
    """``lost`` is told when it is gone: whether the server ended it, other than after seconds without a call."""

    lost: Callable[[bool], None] | None = None
    heard_at = float("-inf")

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.lost is not None:  # our own ``close`` has taken the transport away before
            self.lost(self.transport is not None and time.monotonic() - self.heard_at < UNHEARD_SECONDS)
        super().connection_lost(exc)


class _Connections(aiohttp.TCPConnector):
    """``alive`` now, and ``breaks`` so far, by host and port: a server ended a connection, or left none alive."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(_Connection, loop=self._loop)  # type: ignore[assignment]  # it names its own class
        self.alive: Counter[_Place] = Counter()
        self.breaks: Counter[_Place] = Counter()

    async def _create_connection(self, req: Any, *rest: Any, **named: Any) -> Any:
        place = req.url.host, req.url.port
        self.breaks[place] += not self.alive[place]
        made: Any = await super()._create_connection(req, *rest, **named)
        self.alive[place] += 1
        made.lost = partial(self._note_lost, place)
        return made

    def _note_lost(self, place: _Place, ended: bool) -> None:
        self.alive[place] -= 1
        self.breaks[place] += ended


class ModelServer:
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
        self._proxies = {url: proxy_of(url) for url in addresses}
        self._fleet = Fleet(addresses)
        self._hedging = Hedging.of(options.hedge, options.hedge_share, len(addresses))
        self._failover: Failover[bytes, bytes] = Failover(self._fleet, self._post, self._hedging)
        self._session: aiohttp.ClientSession | None = None
        self._connections: _Connections | None = None
        self._answered_at = float("-inf")
        seconds = options.timeout_seconds
        self._timeout = aiohttp.ClientTimeout(seconds, sock_connect=min(options.connect_timeout_seconds, seconds))

    @property
    def capacity(self) -> int:
        """``max_in_flight`` for each address, and fewer while servers refuse calls for load."""
        most = self._options.max_in_flight * len(self._fleet.addresses)
        return int(min(most, self._fleet.calls_at_a_time))

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
                return (await _bounded(response) or b"") if response.status == 200 else b""
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

    def call_only(self, address: Address) -> None:
        """Send further calls there, without hedging."""
        self._fleet = self._fleet.only(address)
        self._failover = Failover(self._fleet, self._post)

    async def declared(self) -> frozenset[str] | None:
        """What the listings of all addresses say of the model."""
        listings = await self._listings()
        known = [listing for listing in listings if listing is not None]
        return frozenset[str]().union(*(one.facts for one in known)) if len(known) == len(listings) else None

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
                raw = await _bounded(response)
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
        data = body if len(body) < _LARGE_BODY_BYTES else io.BytesIO(body)
        url, proxy = f"{address.url}{path or self.path}", self._proxies[address.url]
        try:
            post = self._opened().post(url, data=data, timeout=timeout, proxy=proxy, allow_redirects=False)
            async with post as response:
                raw = await _bounded(response)
                if raw is None:
                    raise UnusableVerdict(f"The model server's answer is longer than {LARGEST_ANSWER_BYTES} bytes.")
                if response.status == 407 and proxy is not None:
                    raise aiohttp.ClientHttpProxyError(response.request_info, (), status=407)
                if not 200 <= response.status < 300:
                    return fault_of(response.status, response.headers, raw, self.name)
                raw = raw if raw.startswith(b"{") else joined(raw)
                self._note_connection(address, response)
                suspect = b'"error"' in raw or (url.endswith("completions") and b'"choices"' not in raw)
                return (fault_inside(raw, response.headers, self.name) if suspect else None) or raw
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

    def _note_connection(self, address: Address, response: aiohttp.ClientResponse) -> None:
        """A server that keeps connections, but has ended one, may have been replaced in between."""
        breaks = 0 if self._connections is None else self._connections.breaks[response.url.host, response.url.port]
        if address.keeps_connections and breaks != address.breaks:
            self._fleet.interrupt(address, severed=True)
        address.breaks = breaks
        said = response.headers.get("Connection", "").casefold()
        address.keeps_connections = response.version != aiohttp.HttpVersion10 and said != "close"

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
        most, jar = self.capacity + 8, aiohttp.DummyCookieJar()
        self._connections = _Connections(limit=most, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=self._tls)
        return aiohttp.ClientSession(connector=self._connections, headers=headers, cookie_jar=jar, trust_env=False)


class OpenAIServer(ModelServer):
    """A Model on servers with ``/chat/completions``."""

    def __init__(self, name: str, addresses: tuple[str, ...], options: OpenAIOptions) -> None:
        super().__init__(name, addresses, options)
        self._dialect = first_dialect(options)
        self._label_ids: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._lists: PromptLists | None = None

    async def start(self) -> None:
        """Connect and probe what the server can do. Raises ModelUnavailable if no address answers."""
        if self._session is not None:
            return
        self._session = self._open_session()
        try:
            await self.relearn()
        except BaseException:
            await self.close()
            raise

    async def relearn(self) -> None:
        """Probe what the server can do. Raises ModelUnavailable if no address answers."""
        listing = ModelListing.merged([found for found in await self._listings() if found])
        learned = await CapabilityProbe(self._ask_probe, self._token_ids, self.name, self._options).learn()
        strings = await self._control_strings()
        self._dialect = replace(learned.dialect, strings=strings)
        broken = f"strings {strings.digest[:12]}" if strings.digest != UNKNOWN.digest else ""
        self.revision = " ".join(filter(None, (*listing.identity, learned.fingerprint, broken)))
        context_tokens = self._options.context_tokens or listing.context_tokens
        relisting = learned.dialect.relisting != "none"
        self._lists = await self._takes_lists() if learned.logprobs and self._options.prompt_lists else None
        batch = MOST_PROMPTS if self._lists else 0
        self.capabilities = Capabilities(
            learned.logprobs, learned.structured, context_tokens, relisting, learned.limits, label_batch=batch
        )

    async def complete(self, request: Request) -> Completion:
        answer, relisting = request.answer, self._dialect.relisting
        if isinstance(answer, LabelBatch):
            if self._lists is None:
                raise UnusableVerdict("The model server takes no list of prompts.")
            return await self._lists.complete(request, answer)
        if not isinstance(answer, Labels) or not answer.every or relisting == "none":
            return await self._complete(request)
        token_ids = await self._token_ids(answer.words) if relisting in BY_TOKEN_ID else ()
        favoured = favouring(relisting, answer.words, token_ids)
        first, second = await asyncio.gather(self._complete(request), self._complete(request, favoured))
        return merged(first, second)

    async def _complete(self, request: Request, favoured: Mapping[str, Any] | None = None) -> Completion:
        body = await unblocking_chat_body(request, self.name, self._dialect, self._options.extra_body, favoured)
        answer = await self._answer(body, request.prompt, request.deadline)
        if isinstance(answer, ServerFault):
            raise answer.error
        return completion_of(answer, thinking=request.thinking_tokens is not None)

    async def _send_list(self, body: bytes, prompt: Prompt, deadline: float | None) -> bytes | ServerFault:
        post = partial(self._post, path="/completions")
        return await self._answer(body, prompt, deadline, Failover(self._fleet, post, self._hedging))

    async def _takes_lists(self) -> PromptLists | None:
        """How to send lists of prompts, if the server answers one with the probabilities of chat completions."""
        tokens = await token_ids(self._options.tokenizer, self._tokenize, self._dialect.strings)
        if tokens is None:
            return None
        lists = PromptLists(self.name, self._dialect, self._options.extra_body, tokens, self._send_list)
        return lists if await lists.agrees_with(self._complete, self._options.start_timeout_seconds) else None

    async def _token_ids(self, words: Sequence[str]) -> tuple[int, ...]:
        """The single tokens that say one of ``words``, with and without a leading space; none if no server reports
        them."""
        if tuple(words) not in self._label_ids:
            spellings = [text for word in words for text in (word, f" {word}")]
            found = await asyncio.gather(*(self._tokenized(text) for text in spellings))
            self._label_ids[tuple(words)] = tuple(dict.fromkeys(ids[0] for ids in found if len(ids) == 1))
        return self._label_ids[tuple(words)]


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body; None if it is too long, and then the connection is closed."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > LARGEST_ANSWER_BYTES:
            response.close()
            return None
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
