"""Budgets: how much money, or how many tokens, an API key or a training run may spend on judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, Field, model_validator

from judge_server.core.caller import current_caller
from judge_server.core.model import Frozen
from judge_server.util.wording import money

PayerKind = Literal["key", "run"]
PayerName = Annotated[str, Field(min_length=1, max_length=200)]


class Payer(NamedTuple):
    """Whose calls they are: an API key by its name, or a run."""

    kind: PayerKind
    name: str


class Charge(NamedTuple):
    """What calls cost. ``dollars`` is 0 if no price of the model is known."""

    dollars: float = 0.0
    tokens: int = 0

    def plus(self, other: "Charge") -> "Charge":
        return Charge(self.dollars + other.dollars, self.tokens + other.tokens)


class BudgetTerms(Frozen):
    """The caps of one payer: ``dollars``, ``tokens`` of prompts and answers together, or both. From the share
    ``warn_at`` of a cap on, every judgment carries a warning."""

    kind: PayerKind
    name: PayerName
    dollars: float | None = Field(default=None, gt=0, le=1e12, allow_inf_nan=False)
    tokens: int | None = Field(default=None, ge=1, le=2**53)
    warn_at: float = Field(default=0.8, gt=0, le=1)

    @model_validator(mode="after")
    def _caps_something(self) -> "BudgetTerms":
        if self.dollars is None and self.tokens is None:
            raise ValueError("a budget names dollars or tokens: neither was given")
        return self

    @property
    def payer(self) -> Payer:
        return Payer(self.kind, self.name)


class Budget(BudgetTerms):
    """With what was spent ``since`` it was set."""

    spent_dollars: float = 0.0
    spent_tokens: int = 0
    since: AwareDatetime

    def after(self, charge: Charge) -> "Budget":
        spent = Charge(self.spent_dollars, self.spent_tokens).plus(charge)
        return self.model_copy(update={"spent_dollars": spent.dollars, "spent_tokens": spent.tokens})

    @property
    def share(self) -> float:
        """Of the cap that is nearer to its end; 1 and more: it is spent."""
        money = 0.0 if self.dollars is None else self.spent_dollars / self.dollars
        return money if self.tokens is None else max(money, self.spent_tokens / self.tokens)

    @property
    def text(self) -> str:
        """For people, such as: the budget of the run 'grpo-7': $8.10 of $10.00, 5,000 of 1,000,000 tokens."""
        spent = [] if self.dollars is None else [f"{money(self.spent_dollars)} of {money(self.dollars)}"]
        if self.tokens is not None:
            spent.append(f"{self.spent_tokens:,} of {self.tokens:,} tokens")
        return f"the budget of the {self.kind} {self.name!r}: {', '.join(spent)} are spent"


_current_run: ContextVar[str | None] = ContextVar("current_run", default=None)


@contextmanager
def paid_for(run: str | None) -> Iterator[None]:
    """Calls of judges inside the block are made for this run."""
    before = _current_run.set(run)
    try:
        yield
    finally:
        _current_run.reset(before)


def current_payers() -> tuple[Payer, ...]:
    """Who pays for a call that is made now: the caller's key and, if there is one, the run."""
    key, run = Payer("key", current_caller.get().name), _current_run.get()
    return (key,) if run is None else (key, Payer("run", run))
