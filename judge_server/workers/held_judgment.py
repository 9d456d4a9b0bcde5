"""A judgment held back until it is kept together with something else, in one transaction."""

from dataclasses import dataclass

from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store.writing import Judged


@dataclass(slots=True)
class Held:
    """An archive of one: ``judged`` is what was saved last, None before anything was."""

    judged: Judged | None = None

    async def save(self, judgment: Judgment, submission: Submission, rubric: Rubric) -> None:
        self.judged = Judged(judgment, submission, rubric)
