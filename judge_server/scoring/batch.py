"""Many submissions at once: in order, and one bad item never spoils the others."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from judge_server.core.errors import BadInput, BadSubmission, JudgeServerError, NotFound
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.submission import Coordinates, Submission
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Terms
from judge_server.scoring.scorer import Scorer


async def score_batch(
    scorer: Scorer, items: Sequence[Any], terms: Terms, defaults: Mapping[str, Any] | None = None
) -> list[Judgment]:
    """One judgment for each item: a Submission or the plain data of one, whose absent fields ``defaults`` fill."""
    return list(await asyncio.gather(*(score_item(scorer, item, terms, defaults) for item in items)))


async def score_item(scorer: Scorer, item: Any, terms: Terms, defaults: Mapping[str, Any] | None = None) -> Judgment:
    """A judgment in any case: what is wrong with the item itself becomes a failed judgment with a typed error."""
    coordinates = Coordinates()
    try:
        submission = item if isinstance(item, Submission) else parse_submission(item, defaults)
        coordinates = submission.coordinates
        return await scorer.score(submission, terms)
    except (BadInput, NotFound) as fault:
        return failed_judgment(fault, coordinates)


def parse_submission(item: Any, defaults: Mapping[str, Any] | None = None) -> Submission:
    """Plain data → Submission. Raises BadSubmission that names every field at fault."""
    if isinstance(item, Mapping):
        given = {name: value for name, value in (defaults or {}).items() if value is not None}
        absent = {name: value for name, value in given.items() if item.get(name) is None}
        item = {**item, **absent}
    try:
        return Submission.model_validate(item)
    except ValidationError as fault:
        raise BadSubmission(describe(fault), remedy="Correct the fields named.") from None


def describe(fault: ValidationError, limit: int = 5) -> str:
    """The faults of a validation, each with its field, without repeating what was sent."""
    lines = [
        f"{'.'.join(str(part) for part in error['loc']) or 'submission'}: {error['msg']}"
        for error in fault.errors(include_url=False, include_input=False, include_context=False)
    ]
    unique = list(dict.fromkeys(lines))
    more = [f"and {len(unique) - limit} more"] if len(unique) > limit else []
    return "; ".join([*unique[:limit], *more])


def failed_judgment(fault: JudgeServerError, coordinates: Coordinates) -> Judgment:
    """A judgment about an item that could not be judged; it is not stored."""
    return Judgment(
        id="",
        reward=None,
        status=JudgmentStatus.FAILED,
        coverage=0.0,
        submission=coordinates,
        error=Failure(type=fault.type, detail=str(fault)),
        created_at=datetime.now(UTC),
    )
