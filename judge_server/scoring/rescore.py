"""Recompute rewards from stored verdicts under another aggregation or rubric version, without asking a model."""

from collections.abc import Iterator, Sequence

from judge_server.core.criterion import Criterion, Group
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.outcome import Outcome
from judge_server.core.reward import reward
from judge_server.core.rubric import SUSPICIONS, Rubric, RubricReference
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.guard.guard import DEGENERATE, VETOED, counted_characters, worst_verdicts
from judge_server.util.canonical import canonical_json


class Rescored(Frozen):
    """``difference`` is the new reward minus the old one, None if either is."""

    judgment: str
    rubric_before: RubricReference | None
    rubric: RubricReference
    reward_before: float | None
    difference: float | None
    outcome: Outcome


def rescore(judgment: Judgment, rubric: Rubric, before: Rubric | None) -> Rescored:
    """Aggregate the verdicts of ``judgment`` under ``rubric``.

    ``before`` is the rubric that it was judged under: a criterion whose question or conditions changed since then has
    no verdict to reuse. Raises BadInput that names the criteria which would need a judge, or if the earlier questions
    are unknown."""
    unasked = _unasked(judgment, rubric, _known_before(judgment, rubric, before))
    if unasked:
        raise BadInput(
            f"{rubric.name} asks what {judgment.id} was not judged on: {', '.join(unasked)}.",
            remedy="Score the submission again under this rubric, or rescore with a version that asks the same.",
        )
    refused = _refused(judgment, rubric)
    verdicts = list(_reused(judgment, rubric, refused))
    flags = (refused,) if refused else ()
    outcome = reward(rubric, verdicts, counted_characters(rubric, flags, judgment.response_characters))
    known = outcome.reward is not None and judgment.reward is not None
    return Rescored(
        judgment=judgment.id,
        rubric_before=judgment.rubric,
        rubric=rubric.reference,
        reward_before=judgment.reward,
        difference=(outcome.reward or 0.0) - (judgment.reward or 0.0) if known else None,
        outcome=outcome,
    )


def _known_before(judgment: Judgment, rubric: Rubric, before: Rubric | None) -> Rubric:
    if before is not None:
        return before
    if judgment.rubric is None or judgment.rubric.digest != rubric.digest:
        raise BadInput(
            f"The rubric that {judgment.id} was judged under is not known here, so its questions cannot be compared.",
            remedy="Publish that rubric version first, or score the submission again.",
        )
    return rubric


def _refused(judgment: Judgment, rubric: Rubric) -> str | None:
    """Why the response gets the lowest reward regardless of its stored verdicts: no judge saw it, or ``rubric`` vetoes
    one of its flags. Raises BadInput if only a veto kept the judge from it and ``rubric`` allows all its flags."""
    if DEGENERATE in judgment.flags:
        return DEGENERATE
    if rubric.guard.vetoed(judgment.flags):
        return VETOED
    if VETOED not in judgment.flags:
        return None
    suspicions = [flag for flag in judgment.flags if flag in SUSPICIONS]
    if set(suspicions) <= set(rubric.guard.allow):
        raise BadInput(
            f"{rubric.name} allows {', '.join(suspicions)}, but {judgment.id} was vetoed for it: no judge saw it.",
            remedy="Score the submission again under this rubric.",
        )
    return VETOED


def _reused(judgment: Judgment, rubric: Rubric, refused: str | None) -> Iterator[Verdict]:
    """The verdicts with the points of ``rubric``; the worst ones if the response is ``refused``."""
    own = [verdict for verdict in judgment.verdicts if verdict.criterion in rubric.by_id]
    if refused:
        applicable = {verdict.criterion for verdict in own if verdict.status is not VerdictStatus.NOT_APPLICABLE}
        yield from worst_verdicts(rubric, frozenset(applicable), f"the response is {refused}")
        return
    for verdict in own:
        yield verdict.model_copy(update={"points": rubric.by_id[verdict.criterion].points})


def _unasked(judgment: Judgment, rubric: Rubric, before: Rubric) -> list[str]:
    judged = {verdict.criterion for verdict in judgment.verdicts}
    asked, asks = dict(_questions(before.criteria)), dict(_questions(rubric.criteria))
    return sorted(name for name in asks if name not in judged or asked.get(name) != asks[name])


def _questions(criteria: Sequence[Criterion], conditions: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf's question and conditions, including those of its enclosing groups."""
    for criterion in criteria:
        when = {path: comparison.model_dump() for path, comparison in criterion.when.items()}
        here = f"{conditions}{canonical_json(when)}" if when else conditions
        if isinstance(criterion, Group):
            yield from _questions(criterion.criteria, here)
        else:
            yield criterion.id, f"{criterion.question_digest} {here}"
