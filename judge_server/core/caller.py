"""The sender of a request: its scopes and limits.

The authentication middleware sets the caller of a request; scheduling, durable jobs and records read it.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, get_args

from pydantic import Field

from judge_server.core.errors import Forbidden
from judge_server.core.model import Frozen

Scope = Literal["score", "author", "label", "admin", "metrics", "read_all"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PriorityClass = Literal["training", "interactive", "batch", "audit"]
PRIORITY_CLASSES: Final[tuple[PriorityClass, ...]] = get_args(PriorityClass)


class ClassLimit(Frozen):
    """Limits of one priority class. None: what ``max_under_way`` or ``max_questions`` sets for all classes."""

    submissions: int | None = Field(default=None, ge=1)
    questions: int | None = Field(default=None, ge=1)


class Allowance(Frozen):
    """Limits of one caller; None means no limit of its own.

    ``requests_per_second`` is the long-run rate, ``burst`` the number of requests at once (default: one second's
    worth). ``submissions_under_way`` and ``submissions_per_request`` count submissions. ``most_urgent`` is the highest
    priority class that the caller may ask for. ``judges``: the only ones to which its texts may be shown; empty: all.
    """

    requests_per_second: float | None = Field(default=None, gt=0, le=1e6)
    burst: int | None = Field(default=None, ge=1, le=1_000_000)
    submissions_under_way: int | None = Field(default=None, ge=1)
    submissions_per_request: int | None = Field(default=None, ge=1)
    most_urgent: PriorityClass = "training"
    judges: tuple[str, ...] = ()

    @property
    def largest_request(self) -> int | None:
        """The largest number of submissions in one request that can ever be admitted."""
        limits = [limit for limit in (self.submissions_per_request, self.submissions_under_way) if limit is not None]
        return min(limits, default=None)

    def priority(self, asked: str | None, default: PriorityClass) -> str:
        """The priority class to use: the requested one, or else the default, capped at what is allowed.

        Raises Forbidden if a more urgent class was requested.
        """
        highest = PRIORITY_CLASSES.index(self.most_urgent)
        if asked is None:
            return PRIORITY_CLASSES[max(highest, PRIORITY_CLASSES.index(default))]
        if asked in PRIORITY_CLASSES[:highest]:
            raise Forbidden(
                f"priority: this API key may not ask for {asked}.",
                remedy=f"Ask for {' or '.join(PRIORITY_CLASSES[highest:])}, or leave priority out.",
            )
        return asked


UNLIMITED: Final = Allowance()


@dataclass(frozen=True)
class Caller:
    """``name`` is the API key's name, never the key itself. The scope ``admin`` includes all others."""

    name: str
    scopes: frozenset[Scope]
    allowance: Allowance = UNLIMITED

    def may(self, *scopes: Scope) -> bool:
        """Whether the caller has one of these scopes."""
        return "admin" in self.scopes or not self.scopes.isdisjoint(scopes)


NOBODY: Final = Caller(name="nobody", scopes=frozenset())
ANYONE: Final = Caller(name="anyone", scopes=frozenset(SCOPES))

current_caller: ContextVar[Caller] = ContextVar("current_caller", default=ANYONE)


def caller_name() -> str:
    """The name under which work is counted and kept."""
    return current_caller.get().name
