"""Refuse requests that a web page makes a browser send: cross-site requests, and requests under a foreign host name
(DNS rebinding)."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from judge_server.core.errors import Forbidden, JudgeServerError, UntrustedHost
from judge_server.server.problems import problem_response
from judge_server.settings.settings import Settings

_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_NAME: Final = 300
_ANYONE_MAY_ASK: Final = frozenset({"/healthz", "/readyz"})


def trusted_names(settings: Settings) -> frozenset[str] | None:
    """The host names to accept beside IP addresses and localhost; None accepts any."""
    if settings.trusted_hosts:
        return frozenset(name.lower() for name in (*settings.trusted_hosts, settings.host))
    if settings.demands_keys or not settings.on_loopback:
        return None
    return frozenset({settings.host.lower()})


class HostGuard:
    """Answers 421 to host names that are not in ``names`` (None: all are accepted), and 403 to a cross-site request
    that may change something. ``own``: names under which browsers reach this server through a proxy."""

    def __init__(self, app: ASGIApp, names: frozenset[str] | None, own: tuple[str, ...]) -> None:
        self.app = app
        self.names = names
        self.own = frozenset(name.lower() for name in own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await problem_response(refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> JudgeServerError | None:
        host = origin = site = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
        if self.names is not None and host and scope["path"] not in _ANYONE_MAY_ASK and not self._trusts(host):
            return UntrustedHost(
                "This server does not serve the name in the Host header.",
                remedy="Use its IP address, or add the name to trusted_hosts in the server's settings.",
            )
        if scope["method"] in _HARMLESS or self._own_site(host, origin, site):
            return None
        return Forbidden(
            "A page of another site sent this request.",
            remedy="Send it from a program; or, if this server is behind a proxy, add its name to trusted_hosts.",
        )

    def _own_site(self, host: bytes, origin: bytes, site: bytes) -> bool:
        if not origin:
            return site not in (b"cross-site", b"same-site")
        if origin == b"null":  # of a sandboxed page or one that hides its address: the other header says whose it is
            return site == b"same-origin"
        asked_by = origin.rpartition(b"://")[2]
        return asked_by.lower() == host.lower() or _name_of(asked_by) in self.own

    def _trusts(self, host: bytes) -> bool:
        name = _name_of(host)
        return name in (self.names or ()) or name == "localhost" or _is_address(name)


def _name_of(host: bytes) -> str:
    """The name without its port; empty if it is too long to be one."""
    if len(host) > _LONGEST_NAME:
        return ""
    text = host.decode("latin-1").lower()
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0].rstrip(".")


@lru_cache(256)
def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
