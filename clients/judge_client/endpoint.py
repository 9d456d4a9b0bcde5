"""What the clients and the Rewarder share: a server, and how it is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from judge_client.backoff import Backoff
from judge_client.configuration import (
    Address,
    Terms,
    options_of,
    plain_number,
    refuse_unknown,
    seconds_of,
    whole_number,
)
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
        patience_seconds: float | None = None,
        connections: int = DEFAULT_CONNECTIONS,
    ) -> None:
        self.terms = (terms or Terms()).with_environment()
        self.conduct = Conduct(Limits(), _backoff(attempts, patience_seconds))
        self.connection = Connection(Address.of(url, api_key), _at_least_one("connections", connections))

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
        **unknown: Any,
    ) -> Terms:
        """What one call asks for, else what holds for all. Raises BadConfiguration for any other option."""
        refuse_unknown("This call", unknown, options_of(self.terms_with))
        ours = self.terms
        return Terms(
            ours.rubric if rubric is None else rubric,
            ours.judge if judge is None else judge,
            ours.deadline_seconds if deadline_seconds is None else deadline_seconds,
            ours.priority if priority is None else priority,
        )


def _backoff(attempts: int | None, patience_seconds: float | None) -> Backoff:
    """Arguments, else JUDGE_ATTEMPTS and JUDGE_PATIENCE_SECONDS, else the defaults. Raises BadConfiguration."""
    tries = whole_number("JUDGE_ATTEMPTS") if attempts is None else attempts
    given = plain_number("patience_seconds", patience_seconds)
    patience = seconds_of("JUDGE_PATIENCE_SECONDS") if given is None else given
    patience = Backoff.patience_seconds if patience is None else patience
    if not (math.isfinite(patience) and 0 <= patience <= 86_400):
        raise BadConfiguration(f"patience_seconds: {patience} is not in [0, 86400].", remedy="Give seconds.")
    return Backoff(None if tries is None else _at_least_one("attempts", tries), patience)


def _at_least_one(name: str, given: Any) -> int:
    number = plain_number(name, given)
    if number is None or number < 1 or number != int(number):
        raise BadConfiguration(f"{name}: {given} is not enough.", remedy="Give 1 or more.")
    return int(number)
