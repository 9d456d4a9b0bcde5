"""Criteria that a program decides. ``KINDS`` maps each specification to the function that decides it.

``prepare`` finds errors in a rubric's checks before anything is judged; ``decide`` gives the verdict. No text makes
``decide`` raise or hang: an undecidable check gives a typed verdict without a value.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from judge_server.core import check
from judge_server.core.caller import caller_name
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadRubric
from judge_server.core.rubric import Rubric
from judge_server.core.step import Step
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.judging.checks import (
    citations,
    given,
    language,
    mathematics,
    numeric,
    patch,
    similarity,
    structure,
    text,
)
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, NotAtOnceError, at_once
from judge_server.util.apart import NotDone, apart
from judge_server.util.lru import BoundedCache
from judge_server.util.turns import FairThreads

_LOG = logging.getLogger(__name__)
_THREADS = FairThreads(2, "check", caller_name)
LONG_CHARACTERS = 20_000
_PROCESSES = FairThreads(2, "check-math", caller_name)  # each thread waits for one math process


@dataclass(frozen=True, slots=True)
class Kind:
    """``find`` decides; ``prepare`` raises ValueError for an invalid specification, ``require`` MissingDependency for a
    package that is not installed; ``pool`` runs checks that are too slow for the event loop: those on responses of at
    least ``slow_from`` characters. ``apart``: those on submissions of more than ``LONG_CHARACTERS`` are carried out in
    the process for long texts, where callers take turns: a thread would hold the interpreter, and callers would wait
    for the one who filled the pool."""

    find: Callable[[Any, CheckInput], CheckFinding]
    prepare: Callable[[Any], None] = lambda spec: None
    require: Callable[[Any], None] = lambda spec: None
    pool: Executor = _THREADS
    slow_from: int = 10_000
    apart: bool = True


KINDS: dict[type[check.CheckBase], Kind] = {
    check.RegexCheck: Kind(text.find_regex, text.prepare_regex),
    check.ContainsCheck: Kind(text.find_contains),
    check.LengthCheck: Kind(text.find_length),
    check.ExactMatchCheck: Kind(text.find_exact_match, text.prepare_exact_match),
    check.NumericCheck: Kind(numeric.find, numeric.prepare),
    check.MathCheck: Kind(
        mathematics.find_math, require=mathematics.require_packages, pool=_PROCESSES, slow_from=0, apart=False
    ),
    check.JsonCheck: Kind(structure.find_json, structure.prepare_json),
    check.TagsCheck: Kind(structure.find_tags),
    check.LanguageCheck: Kind(language.find, language.prepare, slow_from=0),
    check.CitationsCheck: Kind(citations.find),
    check.RepetitionCheck: Kind(text.find_repetition),
    check.SimilarityCheck: Kind(similarity.find_similarity, require=similarity.require_packages, slow_from=0),
    check.ToolCallCheck: Kind(structure.find_tool_calls, structure.prepare_tool_calls),
    check.MentionsCheck: Kind(given.find_mention),
    check.SameNumbersCheck: Kind(given.find_numbers),
    check.DiffCheck: Kind(patch.find),
    check.ToolSchemaCheck: Kind(structure.find_tool_schema),
}

_prepared: BoundedCache[str, bool] = BoundedCache(4_096)


def prepare(rubric: Rubric) -> None:
    """Raises BadRubric, with the criterion and the remedy, if a check of ``rubric`` cannot be carried out, and
    MissingDependency if a package for it is not installed. Rubrics that pass are remembered."""
    if _prepared.get(rubric.digest):
        return
    check_specifications(rubric)
    _remember(rubric)


async def prepare_unblocking(rubric: Rubric) -> None:
    """As ``prepare``; long schemas are checked in the process for long texts."""
    if _prepared.get(rubric.digest):
        return
    try:
        with at_once():
            check_specifications(rubric)
    except NotAtOnceError:
        try:
            await apart(caller_name(), check_specifications, rubric)
        except NotDone as fault:
            raise BadRubric(f"The rubric's checks cannot be read: {fault}.", remedy="Use simpler schemas.") from None
    _remember(rubric)


def _remember(rubric: Rubric) -> None:
    for leaf in rubric.leaves:
        if isinstance(leaf, CheckCriterion):
            KINDS[type(leaf.check)].require(leaf.check)
    _prepared.put(rubric.digest, True)


def check_specifications(rubric: Rubric) -> None:
    """Raises BadRubric as ``prepare`` does, also where the packages for a check are not installed."""
    for leaf in rubric.leaves:
        if isinstance(leaf, CheckCriterion):
            prepare_criterion(leaf)


def prepare_criterion(criterion: CheckCriterion) -> None:
    """As ``check_specifications``, for one criterion."""
    try:
        KINDS[type(criterion.check)].prepare(criterion.check)
    except ValueError as fault:
        raise BadRubric(
            f"Criterion {criterion.id!r}, check {criterion.check.kind}: {fault}.", criterion=criterion.id
        ) from None


async def decide(criterion: CheckCriterion, submission: Submission, step: Step | None = None) -> Verdict:
    """The verdict on ``criterion``, computed inline if that is cheap, else in a thread or process; what turns out to be
    costly because of its schemas is done again in the process. With ``step``, that
    step's text is read and the verdict carries its index and span."""
    kind = KINDS[type(criterion.check)]
    if len(submission.response_text) < kind.slow_from:
        with suppress(NotAtOnceError), at_once():
            return decide_now(criterion, submission, step)
    elif not kind.apart or submission.characters <= LONG_CHARACTERS:
        return await asyncio.get_running_loop().run_in_executor(kind.pool, decide_now, criterion, submission, step)
    try:
        return await apart(caller_name(), decide_now, criterion, submission, step)
    except NotDone as fault:
        return _undecided(criterion, CheckFailed(f"The check was not carried out: {fault}."), step)


def decide_now(criterion: CheckCriterion, submission: Submission, step: Step | None = None) -> Verdict:
    """As ``decide``, but blocking. No submission makes it raise, except NotAtOnceError within ``at_once``."""
    try:
        check_input = CheckInput.of(criterion, submission, step)
        finding = KINDS[type(criterion.check)].find(criterion.check, check_input)
    except NotAtOnceError:
        raise
    except CheckFailed as fault:
        return _undecided(criterion, fault, step)
    except Exception as fault:  # noqa: BLE001 - any library error on a hostile text becomes a typed verdict
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
    mathematics.close()


def _undecided(criterion: CheckCriterion, fault: CheckFailed, step: Step | None) -> Verdict:
    return Verdict(
        criterion=criterion.id,
        status=fault.verdict_status,
        source="check",
        points=criterion.points,
        error=Failure(type=fault.type, detail=str(fault)),
        **(step.place() if step else {}),
    )
