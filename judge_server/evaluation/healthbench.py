"""HealthBench's arithmetic, as simple-evals publishes it: yes or no for each criterion, points met over the positive
points, unclipped for one response; by tag over the criteria with that tag (arXiv 2505.08775).

The length adjustment is HealthBench Professional's (2604.27470): ``s - penalty * (characters - 2000) / 500``.
"""

from collections.abc import Sequence
from typing import Final, Literal

from judge_server.core.aggregation import LengthAdjustment, points_score
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict
from judge_server.evaluation.scored_response import OVERALL

Subset = Literal["all", "hard", "consensus", "professional"]
ADJUSTMENTS: Final[dict[Subset, LengthAdjustment]] = {
    "all": LengthAdjustment(penalty=0.0299),
    "hard": LengthAdjustment(penalty=0.0392),
    "consensus": LengthAdjustment(penalty=0.0020),
    "professional": LengthAdjustment(penalty=0.0147),
}
_MET: Final = 0.5


def decided_scores(rubric: Rubric, verdicts: Sequence[Verdict], tags: Sequence[str]) -> dict[str, float]:
    """The score overall and by tag. ``tags``: those of the row, which get the overall score. A tag without positive
    points has none. Empty if a criterion has no verdict, because simple-evals asks until it has one, or if no
    criterion has positive points."""
    met = {one.criterion: one.value >= _MET for one in verdicts if one.value is not None}
    if any(leaf.id not in met for leaf in rubric.leaves):
        return {}
    decided = [(leaf.points, float(met[leaf.id])) for leaf in rubric.leaves]
    overall = points_score(decided)
    if overall is None:
        return {}
    by_tag: dict[str, list[tuple[float, float]]] = {}
    for leaf, pair in zip(rubric.leaves, decided, strict=True):
        for tag in leaf.tags:
            by_tag.setdefault(tag, []).append(pair)
    scored = {tag: points_score(pairs) for tag, pairs in by_tag.items()}
    return {
        OVERALL: overall,
        **dict.fromkeys(tags, overall),
        **{tag: score for tag, score in scored.items() if score is not None},
    }
