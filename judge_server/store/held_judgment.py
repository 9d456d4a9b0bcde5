"""A judgment that is committed together with other rows: the result of a job's item, or an audit."""

from dataclasses import dataclass

from judge_server.core.caller import current_caller
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.writing import Judged


@dataclass(slots=True)
class HeldJudgment:
    """An archive for a scorer whose judgment is committed together with other rows. ``judged``: the judgment saved
    last, None before that."""

    judged: Judged | None = None
    answers_repeats = False

    async def standing(self, judgment_id: str) -> Judgment | None:
        """Nothing stands here."""
        return None

    async def save(self, judgment: Judgment, submission: Submission, rubric: Rubric) -> None:
        self.judged = Judged(judgment, submission, rubric, current_caller.get().name)
