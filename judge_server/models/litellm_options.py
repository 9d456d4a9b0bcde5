"""What can be set about a model that is reached through LiteLLM."""

from typing import Any

from pydantic import Field, SecretStr, field_validator

from judge_server.core.model import Frozen


class Fallback(Frozen):
    """Another model, asked where the first one failed."""

    model: str = Field(min_length=1)
    api_key: SecretStr | None = None
    api_base: str | None = None


class LiteLLMOptions(Frozen):
    """``timeout_seconds`` bounds one attempt. Keys that are not given here are those LiteLLM finds for the provider. A
    fallback is a model's name, or its name with a key and an address of its own."""

    api_key: SecretStr | None = None
    api_base: str | None = None
    fallbacks: tuple[Fallback, ...] = ()
    num_retries: int = Field(2, ge=0, le=10)
    timeout_seconds: float = Field(60.0, gt=0, le=3_600)
    start_timeout_seconds: float = Field(30.0, gt=0, le=600)
    max_in_flight: int = Field(32, ge=1, le=4_096)
    top_logprobs: int = Field(20, ge=0, le=20)
    effort_without_thinking: str | None = None
    effort_with_thinking: str = "medium"
    context_tokens: int | None = Field(None, ge=1)
    mock_response: str | None = None

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [{"model": entry} if isinstance(entry, str) else entry for entry in value]

    @property
    def fallback_names(self) -> str:
        return ", ".join(fallback.model for fallback in self.fallbacks)
