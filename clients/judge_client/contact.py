"""What fails before any judgment has succeeded, or fails permanently, is raised whatever ``on_failure`` says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from judge_client.errors import JudgeFailed, Refused, UnreadableAnswer, slugs_of
from judge_client.fork import ForkAware
from judge_client.problem import FOREIGN
from judge_client.scored import Scored, judge_failed

PERMANENT_IN_A_ROW = 8
FIRST_CONTACT_SECONDS = 30.0
LONGEST_WITHOUT_SECONDS = 120.0
OF_THE_SERVER = frozenset(
    {
        *("bad_envelope", "missing_reference", "judge_not_allowed", "budget_spent", "unknown_run", "unknown_budget"),
        *("cohort_closed", "cohort_conflict", "unsupported_encoding", "untrusted_host"),
    }
)
"""Its refusals that have no class of their own here."""
PERMANENT = slugs_of(Refused) | OF_THE_SERVER | {"missing_dependency", "bad_configuration"}
OF_THE_TEXT = frozenset({"context_overflow", "content_filtered"})
"""Come again with the same text. Another text may be judged, so a run that has had rewards goes on."""
_WRONG_ADDRESS = frozenset({"server_unreachable", "unreadable_answer", FOREIGN})
_NEVER = "No judgment has succeeded yet, so the training would begin without a reward: on_failure does not apply."
_LASTING = "No sample can be judged any more, so on_failure does not apply."


@dataclass(frozen=True)
class _State:
    judged: bool = False
    permanent_in_a_row: int = 0
    began: float | None = None


class Contact(ForkAware):
    """Whether this process has had a reward from the server yet, and how many samples in a row failed permanently.

    A failure is permanent if the same request fails again however long one waits: an unknown rubric, a missing
    reference, a message without a role."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._state = _State()
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def judged(self) -> bool:
        """Whether any judgment has succeeded."""
        return self._state.judged

    def check(self, scored: Sequence[Scored], address: str) -> None:
        """Note what came. Raises JudgeFailed if nothing succeeded yet and something failed permanently, or nothing has
        for ``LONGEST_WITHOUT_SECONDS``; if a whole call of two or more samples failed permanently, or if the last
        ``PERMANENT_IN_A_ROW`` samples did."""
        before = self._note(scored)
        never = PERMANENT if before.judged else PERMANENT | OF_THE_TEXT | _WRONG_ADDRESS
        waited = 0.0 if before.judged or before.began is None else self._clock() - before.began
        lasting = [one for one in scored if one.failure in never or waited > LONGEST_WITHOUT_SECONDS]
        if not lasting or any(one.judgment.reward is not None for one in scored):
            return
        if not before.judged:
            raise _failed(lasting, address, _NEVER)
        whole_call = len(scored) > 1 and len(lasting) == len(scored)
        if whole_call or self._state.permanent_in_a_row >= PERMANENT_IN_A_ROW:
            raise _failed(lasting, address, _LASTING)

    def _note(self, scored: Sequence[Scored]) -> _State:
        with self._lock:
            before = self._state
            judged, in_a_row = before.judged, before.permanent_in_a_row
            for one in scored:
                judged = judged or one.judgment.reward is not None
                in_a_row = in_a_row + 1 if one.failure in PERMANENT else 0
            self._state = _State(judged, in_a_row, self._clock() if before.began is None else before.began)
            return before


def _failed(lasting: Sequence[Scored], address: str, why: str) -> JudgeFailed:
    if lasting[0].failure == UnreadableAnswer.type:
        why = f"Is this the address of a judge-server, and not of the judge model? {why}"
    told = "" if address in (lasting[0].detail or "") else f" The judge server is {address}."
    return judge_failed(lasting, why + told)
