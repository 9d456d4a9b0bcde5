"""The one look at a locked test split that an attempt to improve a judge takes."""

from dataclasses import dataclass

from judge_server.core.errors import BadInput
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import ReadingLog, read_test
from judge_server.util.wording import many


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
                f"The test split was read before ({many(len(earlier), 'time')}, last by {last.reader}: {last.reason}). What is "
                "chosen after looking at it is not confirmed by it.",
                remedy="Label new prompts, or say with --reader and --reason why it is read again.",
            )

    async def read(self) -> LabelSet:
        """The test split; an attempt that was interrupted after the reading was recorded does not record it again."""
        for one in await self.log.readings(self.whole.digest):
            if self.key in one.reason:
                return self.whole.split("test", one)
        reason = f"calibrate improve {self.key}: {self.reason or 'the one look at the end'}"
        return await read_test(self.whole, self.log, reader=self.reader or "calibrate improve", reason=reason)
