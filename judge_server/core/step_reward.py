"""Rewards of single steps, for criteria of scope ``step``."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import fsum

from judge_server.core.aggregate import points_score
from judge_server.core.cause import cause
from judge_server.core.criterion import AnyLeaf
from judge_server.core.outcome import StepReward
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure, Verdict

_WITHOUT_POINTS = Failure(type="undefined_reward", detail="No criterion that was judged on this step has points.")


def step_rewards(rubric: Rubric, verdicts: Mapping[str, Sequence[Verdict]]) -> Iterator[StepReward]:
    """One reward for every step that was judged, in order, or the typed reason why it has none. ``verdicts`` by
    criterion. The rubric's policy for missing verdicts does not reach here: a step is decided as a whole or not."""
    steps: dict[int, list[tuple[AnyLeaf, Verdict]]] = defaultdict(list)
    for leaf in rubric.leaves:
        for verdict in verdicts[leaf.id]:
            if verdict.step is not None and (verdict.decided or verdict.missing):
                steps[verdict.step].append((leaf, verdict))
    for index, found in sorted(steps.items()):
        placed = next((verdict for _, verdict in found if verdict.span), found[0][1])
        missing = [verdict for _, verdict in found if verdict.missing]
        value = None if missing else _step_value(found)
        yield StepReward(
            index=index,
            span=placed.span,
            message=placed.message,
            field=placed.field,
            value=value,
            error=cause(missing, (), _WITHOUT_POINTS) if value is None else None,
        )


def _step_value(found: Sequence[tuple[AnyLeaf, Verdict]]) -> float | None:
    """Points earned on one step over the points to be had there (over their absolute sum, where all are negative)."""
    decided = [(leaf.points, verdict.value) for leaf, verdict in found if verdict.value is not None]
    value = points_score(decided)
    if value is not None:
        return value
    total = fsum(abs(points) for points, _ in decided)
    return fsum(points * value for points, value in decided) / total if total else None
