"""What the clients and the Rewarder share: a server, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from judge_client.backoff import Backoff
from judge_client.configuration import Address, Terms, whole_number
from judge_client.connection import DEFAULT_CONNECTIONS, Connection
from judge_client.deadline import Deadline
from judge_client.errors import BadConfiguration
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow
from judge_client.scoring import Conduct
from judge_client.splitting import Limits

T = TypeVar("T")


class Endpoint:
    """A server and the terms of asking it. Picklable; a copy begins without open connections."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        terms: Terms | None = None,
        attempts: int | None = None,
        connections: int = DEFAULT_CONNECTIONS,
    ) -> None:
        self.terms = (terms or Terms()).with_environment()
        tries = whole_number("JUDGE_ATTEMPTS", Backoff.attempts) if attempts is None else attempts
        for name, number in (("attempts", tries), ("connections", connections)):
            if number < 1:
                raise BadConfiguration(f"{name}: {number} is not enough.", remedy="Give 1 or more.")
        self.conduct = Conduct(Limits(), Backoff(attempts=tries))
        self.connection = Connection(Address.of(url, api_key), connections)

    @property
    def url(self) -> str:
        return self.connection.address.url

    def ask(self, call: Call[T]) -> Flow[T]:
        """A call under this endpoint's deadline."""
        return exchange(call, Deadline.after(self.terms.deadline_seconds), self.conduct.backoff)

    def terms_with(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        judge: str | None = None,
        deadline_seconds: float | None = None,
        priority: str | None = None,
    ) -> Terms:
        """What one call asks for, else what holds for all."""
        ours = self.terms
        return Terms(
            ours.rubric if rubric is None else rubric,
            ours.judge if judge is None else judge,
            ours.deadline_seconds if deadline_seconds is None else deadline_seconds,
            ours.priority if priority is None else priority,
        )
