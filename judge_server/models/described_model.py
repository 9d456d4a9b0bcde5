"""A model that runs in another process, as far as it is known here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from judge_server.core.errors import ModelUnavailable
from judge_server.models.protocol import Capabilities, Model
from judge_server.util.canonical import canonical_json

IN_PROCESS: Final = ("vllm:",)
"""How specifications of models begin that run inside a process of ours, which others then ask."""


def model_key(specification: str, options: Mapping[str, Any]) -> str:
    """Judges with equal keys share a model."""
    return f"{specification}\0{canonical_json(dict(options))}"


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a started model says of itself."""

    revision: str
    notice: str | None
    capacity: int
    capabilities: Capabilities

    @classmethod
    def of(cls, model: Model) -> "ModelDescription":
        return cls(model.revision, model.notice, model.capacity, model.capabilities)


class DescribedModel:
    """The part of a Model that its description answers. ``_known`` is set when the other process has started it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: ModelDescription | None = None

    @property
    def _described(self) -> ModelDescription:
        if self._known is None:
            raise ModelUnavailable(f"The model {self.name!r} is not started.", remedy="Start it first.")
        return self._known

    @property
    def revision(self) -> str:
        return self._described.revision

    @property
    def notice(self) -> str | None:
        return self._described.notice

    @property
    def capabilities(self) -> Capabilities:
        return self._described.capabilities
