"""The figures that NeMo Gym asks a resources server for: statistics of every number in the verified rollouts.

Source of the names: nemo-gym 0.5, ``reward_profile.py``. Rollouts whose judge failed are left out and counted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from statistics import fmean, median, stdev
from typing import Any

from pydantic import Field

from judge_server.core.model import Frozen

TASK, ROLLOUT, FAILURE = "_ng_task_index", "_ng_rollout_index", "_ng_failure_class"


class AggregateMetrics(Frozen):
    """``key_metrics`` are the means among ``agent_metrics``."""

    group_level_metrics: list[dict[str, Any]] = Field(default_factory=list)
    agent_metrics: dict[str, Any] = Field(default_factory=dict)
    key_metrics: dict[str, Any] = Field(default_factory=dict)


def aggregate(rollouts: Sequence[Mapping[str, Any]]) -> AggregateMetrics:
    """Statistics by task and over all. ``std`` is the sample's standard deviation, 0 for a single rollout."""
    if not rollouts:
        return AggregateMetrics()
    sound = [rollout for rollout in rollouts if not rollout.get(FAILURE)]
    tasks: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for rollout in sound:
        tasks[rollout.get(TASK, 0)].append(rollout)
    groups = [
        {TASK: task, "num_rollouts": len(members), **_statistics(members)}
        for task, members in sorted(tasks.items(), key=lambda found: str(found[0]).zfill(12))
    ]
    overall = _statistics(sound) | {"judge_failed": (len(rollouts) - len(sound)) / len(rollouts)}
    means = {name: value for name, value in overall.items() if name.startswith("mean/")}
    return AggregateMetrics(group_level_metrics=groups, agent_metrics=overall, key_metrics=means)


def _statistics(rollouts: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    columns: dict[str, list[float]] = defaultdict(list)
    for rollout in rollouts:
        response = rollout.get("response")
        usage = response.get("usage") if isinstance(response, Mapping) else None
        for name, value in {**rollout, **(usage if isinstance(usage, Mapping) else {})}.items():
            if name not in (TASK, ROLLOUT) and isinstance(value, int | float) and isfinite(value):
                columns[name].append(float(value))
    measures: dict[str, Callable[[Sequence[float]], float]] = {
        "mean": fmean,
        "max": max,
        "min": min,
        "median": median,
        "std": _spread,
    }
    return {f"{measure}/{name}": of(values) for name, values in columns.items() for measure, of in measures.items()}


def _spread(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0
