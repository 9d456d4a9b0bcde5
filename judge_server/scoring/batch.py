"""Score many submissions, in order. An item that fails does not affect the others."""

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from judge_server.core.caller import current_caller
from judge_server.core.coordinates import Coordinates
from judge_server.core.errors import BadSubmission, JudgeServerError, StoreUnavailable
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.run import equal_rewards
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Terms
from judge_server.scoring.scorer import Scorer
from judge_server.util.canonical import canonical_json
from judge_server.util.concurrency import together
from judge_server.util.room import Room

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_SECONDS = 5.0


async def score_batch(
    scorer: Scorer,
    items: Sequence[Any],
    terms: Terms,
    defaults: Mapping[str, Any] | None = None,
    room: Room | None = None,
) -> list[Judgment]:
    """One judgment for each item: a Submission, or its plain data with absent fields taken from ``defaults``.
    ``room``: for the weight of the caller's submissions that are judged at the same moment."""
    judgments = await together([score_item(scorer, item, terms, defaults, room) for item in items])
    for rewarded in _groups(items, judgments):
        rewards = [one.reward for one in rewarded if one.reward is not None]
        scorer.observers.grouped(rewarded[0].rubric, equal=equal_rewards(min(rewards), max(rewards)))
    return judgments


def _groups(items: Sequence[Any], judgments: Sequence[Judgment]) -> Iterator[list[Judgment]]:
    """Judgments with a reward of one group, or else of one prompt, at one step; at least two."""
    found: dict[tuple[Hashable, ...], list[Judgment]] = defaultdict(list)
    if len(items) > 1:
        for item, judgment in zip(items, judgments, strict=True):
            if judgment.reward is not None:
                place = judgment.submission
                found[place.run, place.step, place.group or _prompt_of(item)].append(judgment)
    return (one for one in found.values() if len(one) > 1)


def _prompt_of(item: Any) -> str:
    if isinstance(item, Submission):
        return item.prompt if isinstance(item.prompt, str) else item.prompt_key
    prompt = item["prompt"]
    return prompt if isinstance(prompt, str) else canonical_json(prompt)


async def score_item(
    scorer: Scorer, item: Any, terms: Terms, defaults: Mapping[str, Any] | None = None, room: Room | None = None
) -> Judgment:
    """Always a judgment: an invalid item, or a judgment that cannot be stored, gives a failed one with a typed
    error."""
    try:
        submission = parse_submission(item, defaults)
        if room is None:
            return await scorer.score(submission, terms)
        async with room.of(current_caller.get().name, submission.weight):
            return await scorer.score(submission, terms)
    except JudgeServerError as caught:
        fault = caught
    except Exception:  # noqa: BLE001 - an internal error on one item must not lose the others
        _LOG.exception("an item of a batch could not be judged")
        fault = JudgeServerError("The server failed on this item; see its log.")
    coordinates = item.coordinates if isinstance(item, Submission) else readable_coordinates(item)
    return failed_judgment(fault, coordinates)


def parse_submission(item: Any, defaults: Mapping[str, Any] | None = None) -> Submission:
    """Plain data → Submission. Raises BadSubmission that names every invalid field."""
    given = {name: value for name, value in (defaults or {}).items() if value is not None}
    if isinstance(item, Submission):
        absent = {name: value for name, value in given.items() if getattr(item, name) is None}
        return item.model_copy(update=absent) if absent else item
    rubric = None
    if isinstance(item, Mapping):
        absent = {name: value for name, value in given.items() if item.get(name) is None}
        if isinstance(absent.get("rubric"), Rubric):
            rubric = absent.pop("rubric")  # checked already, which would cost as much as all the rest
        item = {name: value for name, value in {**item, **absent}.items() if rubric is None or name != "rubric"}
    try:
        submission = Submission.model_validate(item)
    except ValidationError as fault:
        raise BadSubmission(f"{describe(fault)}.", remedy="Correct these fields.") from None
    return submission if rubric is None else submission.model_copy(update={"rubric": rubric})


def describe(fault: ValidationError, limit: int = 8, whole: str = "submission") -> str:
    """Validation errors by field, without repeating the values sent. ``whole``: what errors of no field are about."""
    found: dict[tuple[str, ...], list[str]] = {}
    for error in fault.errors(include_url=False, include_input=False, include_context=False):
        place = tuple(str(part) for part in error["loc"] if not _is_alternative(part))
        found.setdefault(place, []).append(
            _shortened(error["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list"), 500)
        )
    # an error inside a field is more specific than "not a string"
    inner = {place[:depth] for place in found for depth in range(1, len(place))}
    lines = [
        f"{'.'.join(_shortened(part, 60) for part in place) or whole}: {' or '.join(dict.fromkeys(messages))}"
        for place, messages in found.items()
        if place not in inner
    ]
    more = [f"and {len(lines) - limit} more"] if len(lines) > limit else []
    return "; ".join([*lines[:limit], *more])


def _is_alternative(part: int | str) -> bool:
    """Whether this part of an error location is not a field but one of the types that the field may have."""
    return part in ("str", "Rubric") or (isinstance(part, str) and part.startswith(("tuple[", "function-")))


def _shortened(text: str, most: int) -> str:
    """Names of unknown fields come from the sender: they may be long or invalid Unicode."""
    return (text if len(text) <= most else text[:most] + "...").encode("utf-8", "backslashreplace").decode()


def readable_coordinates(item: Any) -> Coordinates:
    """The valid ones of an item's coordinates, even if the item is invalid, so that its sender can identify it."""
    if not isinstance(item, Mapping):
        return Coordinates()
    read = Coordinates()
    for name in Coordinates.model_fields:
        if item.get(name) is not None:
            with suppress(ValidationError):
                read = Coordinates.model_validate(read.model_dump(exclude_none=True) | {name: item[name]})
    return read


def require_store(judgments: Sequence[Judgment]) -> None:
    """Raises StoreUnavailable if every judgment failed because of the store."""
    causes = [judgment.error for judgment in judgments]
    if causes and all(cause is not None and cause.type == StoreUnavailable.type for cause in causes):
        detail = next(cause.detail for cause in causes if cause is not None)
        raise StoreUnavailable(detail, retry_after_seconds=_RETRY_AFTER_SECONDS)


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
