"""Rubric formats of other projects: one file a format, with functions to and from a Rubric."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from judge_server.authoring.interchange import healthbench, paperbench, rubrics_as_rewards
from judge_server.core.rubric import Rubric


@dataclass(frozen=True)
class Format:
    """``read`` converts a record to a rubric, ``write`` a rubric to a record; ``losses`` lists what ``write`` drops."""

    read: Callable[[Any, str, str], Rubric]
    write: Callable[[Rubric], Any]
    losses: Callable[[Rubric], list[str]]


FORMATS: Mapping[str, Format] = {
    "healthbench": Format(healthbench.read, healthbench.write, healthbench.losses),
    "rubrics-as-rewards": Format(rubrics_as_rewards.read, rubrics_as_rewards.write, rubrics_as_rewards.losses),
    "paperbench": Format(paperbench.read, paperbench.write, paperbench.losses),
}
