"""Create a Model from a specification such as ``vllm:Qwen/Qwen3.5-9B`` and its options. A provider's module is imported
only when it is used."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar

from pydantic import ValidationError

from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen
from judge_server.core.price import Price
from judge_server.models.protocol import Model

OptionsT = TypeVar("OptionsT", bound=Frozen)


def read_options(kind: type[OptionsT], provider: str, options: Mapping[str, Any]) -> OptionsT:
    """``options`` as a value of ``kind``. Raises BadConfiguration that names the option, what is wrong and the known
    options; the values are never in the message because they may be secrets."""
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        known = sorted(kind.model_fields)
        problems = [
            _problem(".".join(str(part) for part in found["loc"]), found["type"], found["msg"], known)
            for found in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise BadConfiguration(
            f"The options of the {provider} model cannot be used: {'; '.join(problems)}.",
            remedy=f"The {provider} model knows these options: {', '.join(known)}.",
        ) from None


def _problem(field: str, kind: str, message: str, known: list[str]) -> str:
    if kind != "extra_forbidden":
        return f"{field}: {message}" if field else message
    near = get_close_matches(field, known, n=1)
    return f"there is no option {field!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


Factory = Callable[[str, Mapping[str, Any]], Model]

# provider → (module, factory taking the part behind the colon and the engine options)
PROVIDERS = {
    "vllm": "judge_server.models.vllm_engine",
    "openai": "judge_server.models.openai_server",
    "decide": "judge_server.models.decision_server",
    "litellm": "judge_server.models.litellm_provider",
    "baseline": "judge_server.models.baseline",
    "recorded": "judge_server.models.replay",
}
_WITH_PRICES = frozenset({"litellm", "decide"})


def listed_price(specification: str) -> Price | None:
    """What the provider's price table says of a model; None without a table, or if the model is not in it. Raises
    MissingDependency if the provider's package is not installed."""
    provider, _, rest = specification.partition(":")
    if provider not in _WITH_PRICES:
        return None
    found: Price | None = import_module(PROVIDERS[provider]).listed_price(rest)
    return found


def open_model(specification: str, options: Mapping[str, Any] | None = None) -> Model:
    """A model that is not started yet. Raises BadConfiguration for an unknown provider or unusable options, and
    MissingDependency if the provider's package is not installed."""
    provider, _, rest = specification.partition(":")
    module = PROVIDERS.get(provider)
    if module is None:
        raise BadConfiguration(
            f"{specification!r} does not start with a known model provider.",
            remedy="Write vllm:NAME_OR_PATH, openai:NAME@http://HOST:PORT/v1, decide:NAME@http://HOST:PORT/v1, "
            "litellm:PROVIDER/NAME, baseline or recorded:FILE.",
        )
    factory: Factory = import_module(module).create
    return factory(rest, options or {})
