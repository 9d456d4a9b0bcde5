"""Rewards of single steps, for criteria of scope ``step``."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import fsum

from judge_server.core.aggregate import points_score
from judge_server.core.criterion import AnyLeaf
from judge_server.core.outcome import StepReward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict


def step_rewards(rubric: Rubric, verdicts: Mapping[str, Sequence[Verdict]]) -> Iterator[StepReward]:
    """One reward for every step that was judged, in order. ``verdicts`` by criterion."""
    steps: dict[int, list[tuple[AnyLeaf, Verdict]]] = defaultdict(list)
    for leaf in rubric.leaves:
        for verdict in verdicts[leaf.id]:
            if verdict.step is not None and (verdict.decided or verdict.missing):
                steps[verdict.step].append((leaf, verdict))
    for index, found in sorted(steps.items()):
        span = next((verdict.span for _, verdict in found if verdict.span), None)
        yield StepReward(index=index, span=span, value=_step_value(found))


def _step_value(found: Sequence[tuple[AnyLeaf, Verdict]]) -> float | None:
    """Points earned on one step over the points to be had there (over their absolute sum, where all are negative)."""
    if any(verdict.missing for _, verdict in found):
        return None
    decided = [(leaf.points, verdict.value) for leaf, verdict in found if verdict.value is not None]
    value = points_score(decided)
    if value is not None:
        return value
    total = fsum(abs(points) for points, _ in decided)
    return fsum(points * value for points, value in decided) / total if total else None
