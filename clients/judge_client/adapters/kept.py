"""One Rewarder for each configuration in each process, for trainers that call a plain function.

It is not made anew for every sample: then connections would not be kept, and failures counted by nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from judge_client.configuration import VARIABLES, environment
from judge_client.errors import BadSample
from judge_client.on_failure import Kind, OnFailure
from judge_client.rewarder import Rewarder
from judge_client.sample import encode
from judge_client.scored import Scored

_KEPT: dict[tuple[type[Rewarder], bytes], Any] = {}
R = TypeVar("R", bound=Rewarder)


@dataclass(frozen=True)
class Profile(Generic[R]):
    """What a trainer can bear when a judge fails, and what it gets where the user says nothing. ``kind``: for samples
    that are messages and plain text, or for decoded text (``decoded.py``)."""

    trainer: str
    kind: type[R]
    bears: Collection[Kind]
    default: OnFailure = OnFailure.RAISE

    def rewarder(self, settings: Mapping[str, Any]) -> R:
        """The Rewarder with these arguments; None stands for the environment. Raises BadConfiguration."""
        around = [environment(f"JUDGE_{name}") for name in VARIABLES]
        try:
            key = self.kind, encode([self.trainer, sorted(settings.items()), around], "settings")
        except BadSample:
            self._made(settings)  # which says what is wrong with the setting
            raise
        if key not in _KEPT:
            _KEPT.setdefault(key, self._made(settings))
        kept: R = _KEPT[key]
        return kept

    def _made(self, settings: Mapping[str, Any]) -> R:
        policy = OnFailure.choose(
            settings.get("on_failure"), default=self.default, bears=self.bears, trainer=self.trainer
        )
        return self.kind(**{**settings, "on_failure": policy})


def number_of(scored: Scored) -> float:
    """The reward, if the profile's policies always leave one."""
    if scored.reward is None:
        raise AssertionError("A policy that leaves no reward passed the profile: please report it.")
    return scored.reward
