"""The one look at a locked test split that an attempt to improve a judge takes, and what it shows after other looks."""

from dataclasses import dataclass
from typing import Final

from judge_server.agreement.marginal import holm_adjusted
from judge_server.calibration.improvement import Improvement
from judge_server.calibration.ladder import outcome
from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog, read_test
from judge_server.util.wording import many

_UNKNOWN: Final = 1.0  # p of a look whose test is not known: then each look counts in full


@dataclass(frozen=True)
class OneLook:
    """``key``: of the attempt, by which its own reading is known again. ``reader`` and ``reason``: for another one."""

    whole: LabelSet
    log: ReadingLog
    key: str
    reader: str = ""
    reason: str = ""

    @property
    def possible(self) -> bool:
        return "test" in self.whole.splits.values()

    async def require_unread(self) -> None:
        """Raises BadInput if the split was read before and no reason is given."""
        earlier = [one for one in await self.log.readings(self.whole.digest) if self.key not in one.reason]
        if earlier and not (self.reader and self.reason):
            last = earlier[-1]
            raise BadInput(
                f"The test split was read before ({many(len(earlier), 'time')}, last by {last.reader}: {last.reason}). "
                "What is chosen after looking at it is not confirmed by it.",
                remedy="Label new prompts, or say with --reader and --reason why it is read again.",
            )

    async def read(self) -> LabelSet:
        """The test split; an attempt that was interrupted after the reading was recorded does not record it again."""
        for one in await self.log.readings(self.whole.digest):
            if self.key in one.reason:
                return self.whole.split("test", one)
        reason = f"calibrate improve {self.key}: {self.reason or 'the one look at the end'}"
        return await read_test(self.whole, self.log, reader=self.reader or "calibrate improve", reason=reason)

    async def adjusted(self, found: Improvement) -> Improvement:
        """With the p-value adjusted for every look at this split so far (Holm), by which the outcome is decided. The
        own p-value is recorded for later looks."""
        if found.final is None or found.final.claim is None:
            return found
        readings, outcomes = await self.log.readings(self.whole.digest), await self.log.outcomes(self.whole.digest)
        known = {(one.reader, one.reason): one.p for one in outcomes}
        own = next(one for one in readings if self.key in one.reason)
        if (own.reader, own.reason) not in known:
            await self.log.record_reading(own.model_copy(update={"p": found.final.claim}))
        others = [known.get((one.reader, one.reason)) for one in readings if self.key not in one.reason]
        p = holm_adjusted([found.final.claim, *(_UNKNOWN if one is None else one for one in others)])[0]
        changes = {"looks": 1 + len(others), "adjusted_p": p, "outcome": outcome(found.final, p)}
        return found.model_copy(update=changes)
