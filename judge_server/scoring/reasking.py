"""For a sample of a run's judgments the judge is asked again, to show how much of the reward is chance."""

import asyncio
import logging
from typing import Final

from judge_server.core.budget import paid_for
from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.monitoring.reward_noise import noise_of
from judge_server.scoring.scorer import Scorer
from judge_server.store.reask_records import ReaskRecords
from judge_server.util.canonical import stable_hash

_LOG = logging.getLogger(__name__)
_DEADLINE_SECONDS: Final = 300.0
_MOST_WAITING: Final = 256
_AT_ONCE: Final = 4
_FIRST_REPORT: Final = 32
_SALT: Final = "reask"


class Reasking:
    """Asks again about a ``share`` of the judgments of runs that it is told of.

    ``again`` scores without cache and in the opposite order. The work has the priority of audits; what waits when the
    server stops, and what exceeds 256 waiting ones, is left out: the sample gets smaller and stays random. The run pays
    for it, and so does the caller's key; when a budget is spent, nothing is asked again."""

    def __init__(self, records: ReaskRecords, again: Scorer, share: float) -> None:
        self._records = records
        self._again = again
        self._share = share
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    def consider(self, judgment: Judgment, submission: Submission, rubric: Rubric) -> None:
        """``judgment`` is stored."""
        if not _rewarded_by_a_judge(judgment) or len(self._under_way) >= _MOST_WAITING:
            return
        if stable_hash(judgment.id, _SALT) < self._share:
            task = asyncio.create_task(self._ask(judgment, submission, rubric), name="reask")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Leave out what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _ask(self, judgment: Judgment, submission: Submission, rubric: Rubric) -> None:
        asked = submission.model_copy(update={"rubric": rubric, "run": None})
        try:
            async with self._slots:
                with paid_for(submission.run):
                    second = await self._again.score(asked, Terms.within(_DEADLINE_SECONDS, Priority.AUDIT))
                whole = second.status == judgment.status
                await self._records.keep(judgment, submission, second.reward if whole else None)
                await self._report(submission.run or "")
        except JudgeServerError as fault:
            _LOG.info("judgment %s was not asked about again: %s", judgment.id, fault)

    async def _report(self, run: str) -> None:
        """One line at 32, 64, 128, … pairs."""
        count = await self._records.count(run)
        if count >= _FIRST_REPORT and count & (count - 1) == 0:
            for one in (await noise_of(self._records, run)).rubrics:
                _LOG.info("run %r, rubric %s: %s", run, one.rubric, one.text)


def _rewarded_by_a_judge(judgment: Judgment) -> bool:
    judged = any(verdict.source == "judge" and verdict.decided for verdict in judgment.verdicts)
    return judged and judgment.reward is not None and judgment.rubric is not None
