"""Who asks. The door sets the caller of a request; fair sharing, durable jobs and the records read it."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, get_args

Scope = Literal["score", "author", "label", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """``name``: of the API key, never the key itself. ``scopes``: what it may do; ``admin`` stands for all of them."""

    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes


ANYONE: Final = Caller(name="anyone", scopes=frozenset(SCOPES))

current_caller: ContextVar[Caller] = ContextVar("current_caller", default=ANYONE)
