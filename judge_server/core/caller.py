"""Who asks. The door sets the caller of a request; fair sharing, durable jobs and the records read it."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, get_args

from judge_server.core.allowance import UNLIMITED, Allowance

Scope = Literal["score", "author", "label", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """``name``: of the API key, never the key itself. ``scopes``: what it may do; ``admin`` stands for all of them.
    ``allowance``: what it may take."""

    name: str
    scopes: frozenset[Scope]
    allowance: Allowance = UNLIMITED

    def may(self, *scopes: Scope) -> bool:
        """Whether one of these scopes is its own."""
        return "admin" in self.scopes or not self.scopes.isdisjoint(scopes)


ANYONE: Final = Caller(name="anyone", scopes=frozenset(SCOPES))

current_caller: ContextVar[Caller] = ContextVar("current_caller", default=ANYONE)
