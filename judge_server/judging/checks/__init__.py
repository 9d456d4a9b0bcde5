"""Criteria that a program decides. ``KINDS`` is the whole table: a specification, what carries it out, and where.

``prepare`` finds what is wrong with a rubric's checks before anything is judged; ``decide`` gives the verdict. No text,
however hostile, makes ``decide`` raise or hang: what cannot be decided is a typed verdict without a value.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from judge_server.core import check
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadRubric
from judge_server.core.rubric import Rubric
from judge_server.core.step import Step
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.judging.checks import (
    citations,
    contains,
    exact_match,
    json_text,
    language,
    length,
    math_process,
    mathematics,
    numeric,
    regex,
    repetition,
    similarity,
    tags,
    tool_call,
)
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import CheckFailed, Finding

_LOG = logging.getLogger(__name__)
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="check")
_PROCESSES = ThreadPoolExecutor(2, thread_name_prefix="check-math")  # each waits for one math process


@dataclass(frozen=True, slots=True)
class Kind:
    """``find`` carries the check out; ``prepare`` raises ValueError for a specification that cannot be; ``pool`` runs
    what is too slow for the event loop: responses of at least ``slow_from`` characters."""

    find: Callable[[Any, CheckInput], Finding]
    prepare: Callable[[Any], None] = lambda spec: None
    pool: Executor = _THREADS
    slow_from: int = 10_000


KINDS: dict[type[check.CheckBase], Kind] = {
    check.RegexCheck: Kind(regex.find, regex.prepare),
    check.ContainsCheck: Kind(contains.find),
    check.LengthCheck: Kind(length.find),
    check.ExactMatchCheck: Kind(exact_match.find, exact_match.prepare),
    check.NumericCheck: Kind(numeric.find, numeric.prepare),
    check.MathCheck: Kind(mathematics.find, pool=_PROCESSES, slow_from=0),
    check.JsonCheck: Kind(json_text.find, json_text.prepare),
    check.TagsCheck: Kind(tags.find),
    check.LanguageCheck: Kind(language.find, language.prepare, slow_from=0),
    check.CitationsCheck: Kind(citations.find),
    check.RepetitionCheck: Kind(repetition.find),
    check.SimilarityCheck: Kind(similarity.find, slow_from=0),
    check.ToolCallCheck: Kind(tool_call.find, tool_call.prepare),
}

_PREPARED_AT_MOST = 4_096
_prepared: OrderedDict[str, None] = OrderedDict()


def prepare(rubric: Rubric) -> None:
    """Raises BadRubric, naming the criterion and the remedy, where a check of ``rubric`` cannot be carried out.
    Remembers the rubrics that can."""
    if rubric.digest in _prepared:
        return
    for leaf in rubric.leaves:
        if isinstance(leaf, CheckCriterion):
            prepare_criterion(leaf)
    _prepared[rubric.digest] = None
    while len(_prepared) > _PREPARED_AT_MOST:
        _prepared.popitem(last=False)


def prepare_criterion(criterion: CheckCriterion) -> None:
    """Raises BadRubric as ``prepare`` does, for one criterion."""
    try:
        KINDS[type(criterion.check)].prepare(criterion.check)
    except ValueError as fault:
        raise BadRubric(
            f"Criterion {criterion.id!r}, check {criterion.check.kind}: {fault}.", criterion=criterion.id
        ) from None


async def decide(criterion: CheckCriterion, submission: Submission, step: Step | None = None) -> Verdict:
    """The verdict on ``criterion``: at once where that is cheap, else from a thread or a process. With ``step``,
    that step's text is read and the verdict carries its index and span."""
    kind = KINDS[type(criterion.check)]
    if len(submission.read.text) < kind.slow_from:
        return decide_now(criterion, submission, step)
    return await asyncio.get_running_loop().run_in_executor(kind.pool, decide_now, criterion, submission, step)


def decide_now(criterion: CheckCriterion, submission: Submission, step: Step | None = None) -> Verdict:
    """``decide``, blocking until the verdict is there. Never raises for anything in the submission."""
    try:
        material = CheckInput.of(criterion, submission, step)
        finding = KINDS[type(criterion.check)].find(criterion.check, material)
    except CheckFailed as fault:
        return _undecided(criterion, fault, step)
    except Exception as fault:  # noqa: BLE001 - whatever a library raises on a hostile text becomes a typed verdict
        _LOG.warning("check %s of criterion %s failed", criterion.check.kind, criterion.id, exc_info=True)
        return _undecided(criterion, CheckFailed(f"The check raised {type(fault).__name__}."), step)
    value = 1.0 - finding.value if criterion.check.negate else finding.value
    reason = f"{finding.reason} (negated)" if criterion.check.negate else finding.reason
    return Verdict(
        criterion=criterion.id,
        status=VerdictStatus.OK,
        source="check",
        points=criterion.points,
        value=value,
        met=value,
        reason=reason,
        **(step.place() if step else {}),
    )


def close() -> None:
    """End the processes that checks started; they start again when needed."""
    math_process.close()


def _undecided(criterion: CheckCriterion, fault: CheckFailed, step: Step | None) -> Verdict:
    return Verdict(
        criterion=criterion.id,
        status=fault.verdict_status,
        source="check",
        points=criterion.points,
        error=Failure(type=fault.type, detail=str(fault)),
        **(step.place() if step else {}),
    )
