"""Numbers that NeMo Gym and NeMo-RL expect beside a reward: statistics over rollouts, and the reward's components.

Source of the names: nemo-gym 0.5, ``reward_profile.py``. Rollouts whose judge failed are excluded and counted. NeMo-RL
requires that components sum to the reward: all of them are multiples of 2**-40, so they sum exactly in any order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from statistics import fmean, median, stdev
from typing import Any

from pydantic import Field

from judge_server.core.aggregation import Points, WeightedMean
from judge_server.core.criterion import Group, quoting
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict

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
        task = rollout.get(TASK, 0)
        tasks[task if isinstance(task, str | int) else str(task)].append(rollout)
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
            if name not in (TASK, ROLLOUT) and isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER:
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


ADJUSTMENT = "_adjustment"
_STEPS = 2.0**40
_LARGEST = 2.0**11
_LARGEST_NUMBER = 1e100  # larger ones are no figures of a rollout, and their squares overflow


def rounded(value: float) -> float:
    """The nearest multiple of 2**-40, which differs from ``value`` by less than 1e-12."""
    return round(value * _STEPS) / _STEPS if abs(value) < _LARGEST else value


def reward_components(rubric: Rubric, verdicts: tuple[Verdict, ...], reward: float) -> dict[str, float] | None:
    """What each criterion adds to the reward, and under ``_adjustment`` what clipping, gates and scales change. They
    sum to ``rounded(reward)``, with the same names for every judgment under ``rubric``. None if the aggregation is
    not a sum (nested groups, all, any, expressions)."""
    additive = isinstance(rubric.aggregate, Points | WeightedMean)
    if not additive or any(isinstance(criterion, Group) for criterion in rubric.criteria):
        return None
    values = _values(verdicts)
    decided = [leaf for leaf in rubric.leaves if leaf.id in values]
    signed = isinstance(rubric.aggregate, Points)
    weight = fsum(max(leaf.points, 0.0) if signed else abs(leaf.points) for leaf in decided)
    if weight <= 0:
        return None
    parts = {
        leaf.id: rounded((leaf.points if signed else abs(leaf.points)) * values.get(leaf.id, 0.0) / weight)
        for leaf in rubric.leaves
    }
    if fsum(abs(part) for part in parts.values()) + abs(reward) >= _LARGEST:
        return None
    return parts | {ADJUSTMENT: rounded(reward) - fsum(parts.values())}


def reward_evidence(
    rubric: Rubric, verdicts: tuple[Verdict, ...], components: Mapping[str, float]
) -> dict[str, list[dict[str, Any]]]:
    """For each criterion with ``evidence: quote``, the steps that hold its evidence, each with its place, its weight
    and its part of the criterion's component. Without evidence the list is empty."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted(quoting(rubric.leaves))}
    for verdict in verdicts:
        for one in verdict.evidence:
            part = {"value": components.get(verdict.criterion, 0.0) * one.weight}
            found[verdict.criterion].append(one.model_dump(mode="json", exclude_none=True) | part)
    return found


def _values(verdicts: tuple[Verdict, ...]) -> dict[str, float]:
    """The value of each decided criterion, averaged over its steps."""
    found: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.value is not None:
            found[verdict.criterion].append(verdict.value)
    return {criterion: fsum(values) / len(values) for criterion, values in found.items()}
