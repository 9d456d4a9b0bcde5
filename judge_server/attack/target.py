"""The judge under attack and the scoring path that leads to it, each defence of which can be left out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from judge_server.attack.defence import Defence, exposed, sees_nothing
from judge_server.core.errors import UnknownRubric
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.guard import guard
from judge_server.judging.answer import Judge
from judge_server.scheduling.admission import Admission
from judge_server.scoring.bench import JudgeRegistry
from judge_server.scoring.cache import VerdictCache
from judge_server.scoring.cached_judge import CachedJudge
from judge_server.scoring.calibration_state import CalibrationState
from judge_server.scoring.scorer import Scorer

_NO_LIMIT = 1_000_000
Inspect = Callable[[Submission, Rubric], guard.Inspection]


@dataclass(frozen=True, slots=True)
class Target:
    """``standing``: the fitted maps that hold for this judge. ``inspect``: the guard as it is served."""

    judge: Judge
    standing: CalibrationState = field(default_factory=CalibrationState)
    inspect: Inspect = guard.inspect

    def scorer(self, submission: Submission, off: frozenset[Defence] = frozenset()) -> Scorer:
        """A scoring path for one submission with these defences off. It remembers nothing of others: texts that are the
        same once they are made legible are different attacks all the same, and so is a question in another prompt."""
        name = self.judge.specification.name
        return Scorer(
            rubrics=_NoRubrics(),
            bench=JudgeRegistry({name: exposed(self.judge, off, submission)}, name),
            inquiry=CachedJudge(VerdictCache()),
            admission=Admission(_NO_LIMIT),
            standing=self.standing,
            inspect=sees_nothing if Defence.GUARD in off else self.inspect,
        )


class _NoRubrics:
    """Attacks carry their rubric with them."""

    async def get(self, name: str) -> Rubric:
        raise UnknownRubric(f"rubric: {name!r} is not known here.")
