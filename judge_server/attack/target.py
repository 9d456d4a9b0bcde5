"""The judge under attack and the scoring path that leads to it, each defence of which can be left out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from judge_server.attack.defence import Defence, exposed, sees_nothing
from judge_server.core.errors import UnknownRubric
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging import guard
from judge_server.judging.answer import Judge
from judge_server.scoring.admission import Admission
from judge_server.scoring.bench import Bench
from judge_server.scoring.cache import VerdictCache
from judge_server.scoring.inquiry import Inquiry
from judge_server.scoring.scorer import Scorer
from judge_server.scoring.standing import Standing

_NO_LIMIT = 1_000_000
Inspect = Callable[[Submission, Rubric], guard.Inspection]


@dataclass(frozen=True, slots=True)
class Target:
    """``standing``: the fitted maps that hold for this judge. ``inspect``: the guard as it is served."""

    judge: Judge
    standing: Standing = field(default_factory=Standing)
    inspect: Inspect = guard.inspect

    def scorer(self, submission: Submission, off: frozenset[Defence] = frozenset()) -> Scorer:
        """A scoring path for one submission with these defences off. It remembers nothing of others: texts that are the
        same once they are made legible are different attacks all the same, and so is a question in another prompt."""
        name = self.judge.specification.name
        return Scorer(
            rubrics=_NoRubrics(),
            bench=Bench({name: exposed(self.judge, off, submission)}, name),
            inquiry=Inquiry(VerdictCache()),
            admission=Admission(_NO_LIMIT),
            standing=self.standing,
            inspect=sees_nothing if Defence.GUARD in off else self.inspect,
        )


class _NoRubrics:
    """Attacks carry their rubric with them."""

    async def get(self, name: str) -> Rubric:
        raise UnknownRubric(f"rubric: {name!r} is not known here.")
