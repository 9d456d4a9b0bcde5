"""No training on nothing: a failure policy holds only for a trainer that has had a reward.

Until a sample of a URL has been judged, failures that would come again are answered with 422 instead of the policy's
number or mask; later they are if a whole request fails so, or several samples in a row. A run whose reward changed gets
no number in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from judge_server.core.errors import (
    BadInput,
    JudgeServerError,
    PrereleaseRefused,
    RewardChanged,
    RubricConflict,
    StoreUnavailable,
)
from judge_server.core.judgment import Judgment
from judge_server.server.dialects.trainer_request import TrainerRequest
from judge_server.server.problems import failure_of
from judge_server.store.store import Store
from judge_server.util.lru import BoundedCache

IN_A_ROW: Final = 8
_MOST_URLS: Final = 1_000
_GOES_BETTER: Final = frozenset({408, 429})
_NEVER_SUBSTITUTED: Final = (RewardChanged, RubricConflict, PrereleaseRefused)
_NEVER: Final = "No sample of this URL has been judged yet, so the training would begin without a reward"
_LASTING: Final = "No sample can be judged any more"

Found = Judgment | JudgeServerError


@dataclass(slots=True)
class _Contact:
    judged: bool = False
    in_a_row: int = 0


@dataclass(slots=True)
class FirstRewards:
    """What this process knows of the URLs that trainers call; of a named run, and of its siblings, the store knows
    more."""

    store: Store
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _urls: BoundedCache[tuple[str | None, ...], _Contact] = field(default_factory=lambda: BoundedCache(_MOST_URLS))

    async def check(self, trainer: TrainerRequest, found: Sequence[Found]) -> None:
        """Note what came of a request. Raises BadInput if its policy must not be applied, and what stops a run."""
        for one in found:
            if isinstance(one, _NEVER_SUBSTITUTED):
                raise one
        key = (trainer.profile.dialect, trainer.rubric, trainer.judge, trainer.run)
        contact = self._urls.get_or_make(key, _Contact)
        faults = [_lasting(one) for one in found]
        for fault in faults:
            contact.in_a_row = 0 if fault is None else contact.in_a_row + 1
        rewarded = any(isinstance(one, Judgment) and one.reward is not None for one in found)
        contact.judged = contact.judged or rewarded
        lasting = [fault for fault in faults if fault is not None]
        if not lasting or rewarded or trainer.policy.kind == "raise":
            return
        contact.judged = contact.judged or await self._known(trainer)
        if not contact.judged:
            raise _refusal(_NEVER, lasting, len(found))
        if (len(found) > 1 and len(lasting) == len(found)) or contact.in_a_row >= IN_A_ROW:
            raise _refusal(_LASTING, lasting, len(found))

    async def _known(self, trainer: TrainerRequest) -> bool:
        """Whether the run, or any process of this server since its start, has had a reward."""
        try:
            if trainer.run is not None:
                page = await self.store.judgments(limit=1, run=trainer.run, status="ok")
            elif trainer.rubric is not None:
                page = await self.store.judgments(limit=1, rubric=trainer.rubric, since=self.since, status="ok")
            else:
                return False
        except StoreUnavailable:
            return True  # nothing can be said, and a number was asked for
        return bool(page.items)


def _lasting(found: Found) -> JudgeServerError | None:
    """The fault of a sample that fails again however often it is sent."""
    if isinstance(found, Judgment):
        if found.reward is not None or found.error is None:
            return None
        found = failure_of(found.error)
    return found if 400 <= found.status < 500 and found.status not in _GOES_BETTER else None


def _refusal(why: str, lasting: Sequence[JudgeServerError], count: int) -> BadInput:
    first = lasting[0]
    return BadInput(
        f"{why}: on_error does not apply. {len(lasting)} of {count} samples failed; the first: {first.detail}",
        remedy=first.remedy,
        error_type=first.type,
    )
