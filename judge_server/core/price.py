"""What the calls of a judge's model cost."""

from typing import Protocol

from pydantic import Field, model_validator

from judge_server.core.model import Frozen

_MILLION = 1_000_000


class Spent(Protocol):
    """Tokens and calls that were used."""

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def cached_tokens(self) -> int: ...

    @property
    def completion_tokens(self) -> int: ...

    @property
    def calls(self) -> int: ...


class Price(Frozen):
    """In US dollars: ``prompt``, ``cached`` and ``completion`` for a million tokens, ``call`` for each call. ``cached``
    is the price of prompt tokens that the provider's prefix cache knew, by default that of all others."""

    prompt: float = Field(default=0.0, ge=0, le=1e6)
    cached: float | None = Field(default=None, ge=0, le=1e6)
    completion: float = Field(default=0.0, ge=0, le=1e6)
    call: float = Field(default=0.0, ge=0, le=1e6)

    @model_validator(mode="after")
    def _costs_something(self) -> "Price":
        if not (self.prompt or self.cached or self.completion or self.call):
            raise ValueError("a price names at least one of prompt, cached, completion and call")
        return self

    def of(self, usage: Spent) -> float:
        """Dollars."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        prompt = (usage.prompt_tokens - cached) * self.prompt + cached * (
            self.prompt if self.cached is None else self.cached
        )
        return (prompt + usage.completion_tokens * self.completion) / _MILLION + usage.calls * self.call
