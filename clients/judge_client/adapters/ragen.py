"""RAGEN: ``register()`` before its environments are made, and ``env_type: rubric`` in ``custom_envs``."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ragen.env import REGISTERED_ENV_CONFIGS, REGISTERED_ENVS
from ragen.env.base import BaseLanguageBasedEnv

from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.errors import BadConfiguration
from judge_client.rewarder import Rewarder
from judge_client.wire import value_of

_LINES = 'Write lines of {"prompt": …}.'
PROFILE = Profile("RAGEN", Rewarder, bears=("raise", "number"))


@dataclass
class RubricEnvConfig:
    """``dataset``: a file of JSON lines with ``prompt``, and ``reference``, ``facts``, ``rubric`` and ``judge``, each
    optional. ``success_from``: the reward from which an episode counts as a success. ``settings``: arguments of
    Rewarder."""

    dataset: str = ""  # RAGEN reads the defaults of every kind before it reads what was configured
    rubric: str | None = None
    success_from: float = 0.5
    settings: dict[str, Any] = field(default_factory=dict)


class RubricEnv(BaseLanguageBasedEnv):
    """One question, and one answer that is judged. The same seed asks the same question. Raises BadConfiguration."""

    def __init__(self, config: RubricEnvConfig) -> None:
        super().__init__()
        self.config = config
        self.rows = _rows(config.dataset)
        rubric = {} if config.rubric is None else {"rubric": config.rubric}
        self.rewarder = PROFILE.rewarder({**dict(config.settings), **rubric})
        self.row: dict[str, Any] = {}
        self.shown = ""

    def reset(self, seed: int | None = None, mode: str | None = None) -> str:
        self.row = random.Random(seed).choice(self.rows)  # noqa: S311 - a question by lot, no secret
        self.shown = self.row["prompt"]
        return self.shown

    def step(self, action: str) -> tuple[str, float, bool, dict[str, Any]]:
        """Observation, reward, True, and metrics. Raises JudgeFailed if the policy says so."""
        scored = self.rewarder.score_one(sample_of(action, prompt=self.row["prompt"], columns=self.row))
        reward = number_of(scored)
        self.shown = ""
        told = {"action_is_valid": bool(action.strip()), "success": reward >= self.config.success_from}
        return self.shown, reward, True, {**told, **scored.metrics_under("judge")}

    def render(self, mode: str = "text") -> str:
        return self.shown


@lru_cache
def _rows(dataset: str) -> Sequence[dict[str, Any]]:
    """Read once: RAGEN makes each environment of a batch by itself. Raises BadConfiguration if there is no row."""
    if not dataset:
        raise BadConfiguration("env_config: dataset is missing.", remedy='Name a file of lines {"prompt": …}.')
    try:
        lines = Path(dataset).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise BadConfiguration(f"dataset: {dataset}: {fault}.", remedy="Name a file of JSON lines in UTF-8.") from None
    rows = [_row(line, f"dataset: {dataset}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise BadConfiguration(f"dataset: {dataset} is empty.", remedy=_LINES)
    return rows


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = value_of(line)
    except ValueError as fault:
        raise BadConfiguration(f"{where} is no JSON: {fault}.", remedy=_LINES) from None
    if not isinstance(row, dict) or not row.get("prompt"):
        raise BadConfiguration(f"{where} has no prompt.", remedy=_LINES)
    return row


def register(name: str = "rubric") -> None:
    """Makes the environment known to RAGEN."""
    REGISTERED_ENVS[name] = RubricEnv
    REGISTERED_ENV_CONFIGS[name] = RubricEnvConfig
