"""Stored verdicts under another aggregation or rubric version: the same verdicts, another reward, no model asked."""

from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.outcome import Outcome
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric, RubricReference


class Rescored(Frozen):
    """``difference`` is the new reward minus the old one, None where either is."""

    judgment: str
    rubric_before: RubricReference | None
    rubric: RubricReference
    reward_before: float | None
    difference: float | None
    outcome: Outcome


def rescore(judgment: Judgment, rubric: Rubric, before: Rubric | None) -> Rescored:
    """Aggregate the verdicts of ``judgment`` under ``rubric``.

    ``before`` is the rubric that it was judged under, where known: a criterion whose question changed since then has
    no verdict to reuse. Raises BadInput that names the criteria which would need a judge.
    """
    unasked = _unasked(judgment, rubric, before)
    if unasked:
        raise BadInput(
            f"{rubric.name} asks what {judgment.id} was not judged on: {', '.join(unasked)}.",
            remedy="Score the submission again under this rubric, or rescore with a version that has the same criteria.",
        )
    verdicts = [
        verdict.model_copy(update={"points": rubric.by_id[verdict.criterion].points})
        for verdict in judgment.verdicts
        if verdict.criterion in rubric.by_id
    ]
    outcome = reward(rubric, verdicts, judgment.response_characters)
    known = outcome.reward is not None and judgment.reward is not None
    return Rescored(
        judgment=judgment.id,
        rubric_before=judgment.rubric,
        rubric=rubric.reference,
        reward_before=judgment.reward,
        difference=(outcome.reward or 0.0) - (judgment.reward or 0.0) if known else None,
        outcome=outcome,
    )


def _unasked(judgment: Judgment, rubric: Rubric, before: Rubric | None) -> list[str]:
    judged = {verdict.criterion for verdict in judgment.verdicts}
    unasked = [leaf.id for leaf in rubric.leaves if leaf.id not in judged]
    if before is not None:
        unasked += [
            leaf.id
            for leaf in rubric.leaves
            if leaf.id in before.by_id and before.by_id[leaf.id].question_digest != leaf.question_digest
        ]
    return sorted(set(unasked))
