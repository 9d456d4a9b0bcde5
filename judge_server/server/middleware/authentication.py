"""API keys: the middleware that identifies the caller before the body is read, the keys that are valid, and each
caller's request rate."""

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from judge_server.core.api_key import ApiKey, id_in
from judge_server.core.caller import NOBODY, Allowance, Caller, current_caller
from judge_server.core.errors import AllowanceSpent, BadConfiguration, JudgeServerError, StoreUnavailable, Unauthorized
from judge_server.scheduling.processor_share import TimeShare, current_share
from judge_server.server.connections import Connection
from judge_server.server.middleware.permission import STATIC
from judge_server.server.middleware.request_stream import turn_of
from judge_server.server.middleware.session import cookie_in, opens
from judge_server.server.problems import problem_response
from judge_server.settings.settings import DEFAULT_DATABASE, Settings
from judge_server.store.api_key_records import ApiKeyRecords
from judge_server.store.location import Location
from judge_server.util.concurrency import run_periodically
from judge_server.util.deadline import wait_ends_at
from judge_server.wiring.storage import opened_store

_MISSING: Final = "Send a key as Authorization: Bearer jsk_…, as X-API-Key, or as the password of HTTP Basic."


class SharedRates(Protocol):
    """The token buckets of all processes of the server."""

    def take(self, caller: str, rate: float, burst: int) -> float:
        """Counts one request; the seconds until there is room for it, 0 if it was counted."""


class Authentication:
    """Requires a key for every path except ``public`` ones, and sets the current caller. Reads the key ring from the
    application's ``state.keys``. ``without_store``: paths whose keys are taken from memory, so that they answer while
    the database does not."""

    def __init__(
        self,
        app: ASGIApp,
        public: frozenset[str],
        without_store: frozenset[str] = frozenset(),
        shared: SharedRates | None = None,
    ) -> None:
        self.app = app
        self.public = public
        self.without_store = without_store
        self.rate = RateLimit(shared=shared)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] in self.public or scope["path"].startswith(STATIC):
            before = current_caller.set(self._known(scope))
            try:
                await self.app(scope, receive, send)
            finally:
                current_caller.reset(before)
            return
        connection: Connection | None = scope.get("state", {}).get("connection")
        if connection is not None:  # many requests at once wait for their turns before anything is known of them
            current_share.set(TimeShare(connection.holder))
            await turn_of(scope)
        try:
            caller = await self._caller(scope)
            scope.setdefault("state", {})["caller"] = caller.name
            self.rate.take(caller.name, caller.allowance)
            if connection is not None and connection.holder != caller.name:
                _take_over(connection, caller)
        except JudgeServerError as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        before = current_caller.set(caller)
        try:
            await self.app(scope, receive, send)
        finally:
            current_caller.reset(before)

    async def _caller(self, scope: Scope) -> Caller:
        presented = presented_key(scope["headers"])
        keys: KeyRing = scope["app"].state.keys
        if presented is not None:
            if scope["path"] in self.without_store and (key := keys.known(presented)) is not None:
                return key.caller
            return (await keys.find(presented)).caller
        opened = scope["type"] == "http" and opens(scope["method"], scope["path"])
        if opened and (session := scope["app"].state.sessions.read(cookie_in(scope["headers"]))):
            return (await keys.of_session(session.key_id)).caller
        raise Unauthorized("This route requires an API key.", remedy=_MISSING)

    @staticmethod
    def _known(scope: Scope) -> Caller:
        """Who asks for a public route, as far as the memory tells."""
        presented = presented_key(scope["headers"])
        keys: KeyRing = scope["app"].state.keys
        key = None if presented is None else keys.known(presented)
        return NOBODY if key is None else key.caller


def _take_over(connection: Connection, caller: Caller) -> None:
    """The connection is the caller's from now on. Raises AllowanceSpent if the caller has its share of them."""
    if not connection.pass_to(caller.name):
        raise AllowanceSpent(
            f"The API key {caller.name!r} has more connections open than its share.",
            remedy="Use fewer connections, or raise the limit of open files of the server.",
            retry_after_seconds=_CONNECTIONS_RETRY_SECONDS,
        )


def presented_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The key in ``Authorization`` (a bearer token, or the password of Basic), else the one in ``X-API-Key``."""
    given = dict(headers)
    scheme, _, credentials = given.get(b"authorization", b"").partition(b" ")
    credentials = credentials.strip()
    if scheme.lower() == b"bearer":
        return credentials.decode("latin-1")
    if scheme.lower() == b"basic":
        return _password(credentials)
    key = given.get(b"x-api-key")
    return None if key is None else key.decode("latin-1").strip()


def _password(credentials: bytes) -> str:
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")
    except binascii.Error:
        return ""
    return password or user


FRESH_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.5
_REMEMBER_USE_SECONDS: Final = 60.0
_CONNECTIONS_RETRY_SECONDS: Final = 2.0
_REFRESH_SECONDS: Final = 5.0
_LOG = logging.getLogger(__name__)
_CREATE = "judge-server keys create NAME --scope score makes one."


class KeyRing:
    """The valid API keys: those of the settings, and those of the database, which are read again every
    ``fresh_seconds``. Use it on the store's event loop only."""

    def __init__(
        self, configured: Iterable[ApiKey], records: ApiKeyRecords, fresh_seconds: float = FRESH_SECONDS
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._configured = {key.id: key for key in configured}
        self._records = records
        self._kept: dict[str, ApiKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._used: dict[str, datetime] = {}
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, presented: str) -> ApiKey:
        """The API key for what a client sent. Raises Unauthorized, or StoreUnavailable if it cannot be looked up."""
        key_id = id_in(presented)
        if key_id is None:
            raise Unauthorized("The API key is malformed.", remedy="A key begins with jsk_. " + _CREATE)
        key = self._configured.get(key_id) or await self._stored(key_id)
        if key is None or not key.opened_by(presented):
            raise Unauthorized("The API key is unknown.", remedy="Check it for missing characters. " + _CREATE)
        return self._valid(key)

    async def of_session(self, key_id: str) -> ApiKey:
        """The API key that a session began with. Raises as ``find``."""
        key = self._configured.get(key_id) or await self._stored(key_id)
        if key is None:
            raise Unauthorized("The API key of this session is unknown.", remedy="Sign in again.")
        return self._valid(key)

    def _valid(self, key: ApiKey) -> ApiKey:
        now = datetime.now(UTC)
        fault = key.fault(now)
        if fault is not None:
            raise Unauthorized(f"The API key {key.id} ({key.name}) {fault}.", remedy=_CREATE)
        self._used[key.id] = now
        return key

    def known(self, presented: str) -> ApiKey | None:
        """The valid key for what a client sent, from memory, which is refreshed meanwhile; None if it holds none."""
        key_id = id_in(presented)
        if key_id is None:
            return None
        if time.monotonic() - self._read_at > self._fresh_seconds and not self._reading.locked():
            self._refreshing = asyncio.create_task(self._refresh(), name="api-keys-refresh")
        key = self._configured.get(key_id) or self._kept.get(key_id)
        if key is None or not key.opened_by(presented) or key.fault(datetime.now(UTC)) is not None:
            return None
        return key

    async def _refresh(self) -> None:
        wait_ends_at.set(time.monotonic() + _REFRESH_SECONDS)
        with suppress(StoreUnavailable):
            await self.read()

    async def keep_use(self) -> None:
        """Store the time of each key's last use once a minute, until cancelled; then call ``close``."""
        await run_periodically(
            "the last use of API keys",
            self.close,
            partial(asyncio.sleep, _REMEMBER_USE_SECONDS),
            transient=StoreUnavailable,
        )

    async def close(self) -> None:
        """Store the times of last use that are not stored yet."""
        used, self._used = self._used, {}
        kept = {key_id: moment for key_id, moment in used.items() if key_id not in self._configured}
        try:
            await self._records.used(kept)
        except StoreUnavailable as fault:
            _LOG.warning("the last use of API keys could not be stored: %s", fault)

    async def _stored(self, key_id: str) -> ApiKey | None:
        age = time.monotonic() - self._read_at
        if age > self._fresh_seconds or (age > _LOOK_AGAIN_SECONDS and key_id not in self._kept):
            await self.read()
        return self._kept.get(key_id)

    async def read(self) -> None:
        """Read the keys from the store, once for all requests that wait."""
        wanted_at = time.monotonic()
        async with self._reading:
            if self._read_at >= wanted_at:
                return
            begun = time.monotonic()
            self._kept = {key.id: key for key in await self._records.all()}
            self._read_at = begun


async def require_keys(settings: Settings) -> None:
    """Raises BadConfiguration if keys are required and none is valid. Call it before models start, which takes
    long."""
    if not settings.demands_keys or _any_valid(settings.api_keys.values()):
        return
    async with opened_store(settings) as store:
        kept = await store.api_keys.all()
    if not _any_valid(kept):
        raise BadConfiguration(
            f"API keys are required on {settings.host}, and there is none.",
            remedy=f"judge-server keys create NAME --scope score{_of_database(settings)} makes one. Or set api_keys, "
            f"or {_without_keys(settings)}.",
        )


def _of_database(settings: Settings) -> str:
    """The flag with which ``keys create`` finds the server's database; nothing if it is the one that it finds anyway.
    An address may hold a password: then the file or the variable with it is named."""
    location = Location.of(settings.database_url or DEFAULT_DATABASE)
    if str(location) == str(Location.of(DEFAULT_DATABASE)):
        return ""
    if settings.file is not None:
        return f" --config {settings.file}"
    return f" --database {location}" if location.sqlite else " --database URL"


def _without_keys(settings: Settings) -> str:
    if settings.authentication == "required":
        return 'leave authentication = "required" out on a loopback address'
    return "bind to 127.0.0.1, or serve with --no-auth if the network keeps everybody else out"


def _any_valid(keys: Iterable[ApiKey]) -> bool:
    now = datetime.now(UTC)
    return any(key.fault(now) is None for key in keys)


@asynccontextmanager
async def key_ring(settings: Settings, records: ApiKeyRecords) -> AsyncIterator[KeyRing]:
    """The key ring of a running server."""
    ring = KeyRing(settings.api_keys.values(), records)
    if not (settings.demands_keys or settings.on_loopback):
        _LOG.warning("authentication is off: anybody who reaches %s:%d may do anything", settings.host, settings.port)
    await ring.read()
    keeping = asyncio.create_task(ring.keep_use(), name="api-keys")
    try:
        yield ring
    finally:
        keeping.cancel()
        await ring.close()


class RateLimit:
    """A token bucket for each caller, kept as one number: when it will be full again. ``shared``: the buckets of all
    processes, if there are several."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, shared: SharedRates | None = None) -> None:
        self._clock = clock
        self._shared = shared
        self._full_at: dict[str, float] = {}

    def take(self, caller: str, allowance: Allowance) -> None:
        """Count one request. Raises AllowanceSpent with the seconds after which there is room for one."""
        rate = allowance.requests_per_second
        if rate is None:
            return
        burst = allowance.burst or max(int(rate), 1)
        excess = self._take(caller, rate, burst) if self._shared is None else self._shared.take(caller, rate, burst)
        if excess > 1e-9:
            raise AllowanceSpent(
                f"The API key {caller!r} may send {rate:g} requests a second, {burst} of them at once.",
                remedy="Wait for Retry-After seconds, or send more submissions in one request.",
                retry_after_seconds=excess,
            )

    def _take(self, caller: str, rate: float, burst: int) -> float:
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now) + 1 / rate
        excess = full_at - now - burst / rate
        if excess <= 1e-9:
            self._full_at[caller] = full_at
            return 0.0
        return excess
