"""From a specification such as ``vllm:Qwen/Qwen3.5-9B`` to a Model. An engine is imported only when asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from judge_server.core.errors import BadConfiguration
from judge_server.models.protocol import Model

Factory = Callable[[str, Mapping[str, Any]], Model]

# provider → (module, factory taking the part behind the colon and the engine options)
PROVIDERS = {
    "vllm": "judge_server.models.vllm_engine",
    "openai": "judge_server.models.openai_server",
    "litellm": "judge_server.models.litellm_provider",
    "baseline": "judge_server.models.baseline",
    "recorded": "judge_server.models.replay",
}


def open_model(specification: str, options: Mapping[str, Any] | None = None) -> Model:
    """A model that is not started yet. Raises BadConfiguration for an unknown provider or unusable options, and
    MissingDependency where the provider's package is not installed."""
    provider, _, rest = specification.partition(":")
    module = PROVIDERS.get(provider)
    if module is None:
        raise BadConfiguration(
            f"{specification!r} does not start with a known model provider.",
            remedy="Write vllm:NAME_OR_PATH, openai:NAME@http://HOST:PORT/v1, litellm:PROVIDER/NAME, baseline "
            "or recorded:FILE.",
        )
    factory: Factory = import_module(module).create
    return factory(rest, options or {})
