"""Sends alarms to the operator's webhook, signed so that the receiver can verify the sender."""

import hashlib
import hmac
import time
from types import TracebackType
from typing import Final, Self

import httpx

from judge_server.core.monitor import Transition
from judge_server.util.proxy import proxy_of

_TIMEOUT_SECONDS: Final = 10.0


class WebhookRefused(Exception):
    """The webhook did not accept a transition. The message gives the reason and never the address, which may hold a
    secret."""


class Webhook:
    """``url`` comes only from the settings. A body is signed as ``t=SECONDS,v1=HEX``: HMAC-SHA256 under ``secret`` of
    the seconds since 1970, a full stop, and the body. Redirects are not followed."""

    def __init__(self, url: str, secret: str | None, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._url = url
        self._secret = secret
        proxy = proxy_of(url)
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            follow_redirects=False,
            proxy=proxy,
            transport=None if proxy else httpx.AsyncHTTPTransport(),  # httpx itself sends loopback through a proxy
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def tell(self, transition: Transition) -> None:
        """Returns after a 2xx response. Raises WebhookRefused."""
        body = body_of(transition)
        headers = {"Content-Type": "application/json", "X-Judge-Server-Event": transition.id}
        if self._secret is not None:
            headers["X-Judge-Server-Signature"] = signature(body, self._secret, int(time.time()))
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise WebhookRefused(type(fault).__name__) from None
        if not answer.is_success:
            raise WebhookRefused(f"HTTP {answer.status_code}")


def body_of(transition: Transition) -> bytes:
    """``{"id", "event": "raised" | "cleared", "at", "finding"}`` as JSON."""
    finding = transition.finding.model_dump_json()
    event = "raised" if transition.raised else "cleared"
    head = f'{{"id":"{transition.id}","event":"{event}","at":"{transition.at.isoformat()}"'
    return f'{head},"finding":{finding}}}'.encode()


def signature(body: bytes, secret: str, seconds: int) -> str:
    """``t=SECONDS,v1=HEX``."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"
