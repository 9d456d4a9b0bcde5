"""A submission that is sent again: by the same caller, with the same id and content, to be judged by the same.

A caller who was told that nothing was stored, or who got no answer, cannot know what became of the request. Its
judgment has an id made of all that decides it, so the repeated request finds it. Judgments without a reward are not
found: the next try may have one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from judge_server.core.caller import caller_name
from judge_server.core.errors import StoreUnavailable
from judge_server.core.judgment import JudgeReference, Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.util.apart import apart
from judge_server.util.canonical import digest

_DIGITS = 28
_AT_ONCE_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Repeat:
    """``id``: of the judgment that a submission has, or gets. ``find`` asks the archive for it."""

    id: str
    find: Callable[[str], Awaitable[Judgment | None]]

    async def standing(self) -> Judgment | None:
        """The stored judgment of the same submission."""
        return await self.find(self.id)

    async def standing_after(self, fault: StoreUnavailable) -> Judgment | None:
        """The judgment that another request stored a moment earlier, if that made the store refuse this one."""
        return await self.standing() if fault.extensions.get("stands") else None


@dataclass(frozen=True, slots=True)
class Deciders:
    """What decides the reward of a submission beside its content: the rubric, the judge, the id of its fitted maps, and
    version and vetoes of the guard."""

    rubric: Rubric
    judge: JudgeReference | None
    maps: str | None
    guard: str | None

    def decided(self, judgment: Judgment) -> bool:
        """Whether a judgment was decided by the same; if programs decided alone, any judge is the same."""
        then, rubric = judgment.judge, judgment.rubric
        if rubric is None or rubric.digest != self.rubric.digest or judgment.guard != self.guard:
            return False
        if then is None or then.mode == "none":
            return True
        now = self.judge
        return now is not None and (then.name, then.fingerprint, then.calibration) == (
            now.name, now.fingerprint, self.maps
        )  # fmt: skip


async def repeat_id(submission: Submission, deciders: Deciders) -> str:
    """The same for the same caller, coordinates (the id among them), texts, reference and facts, and deciders."""
    judge = deciders.judge
    if submission.characters > _AT_ONCE_CHARACTERS:
        submission.__dict__["digest"] = await apart(caller_name(), _digest_of, submission)
    named = {
        "caller": caller_name(),
        "coordinates": submission.coordinates.model_dump(mode="json"),
        "content": submission.digest,
        "rubric": deciders.rubric.digest,
        "judge": None if judge is None else [judge.name, judge.fingerprint],
        "decided_by": [deciders.maps, deciders.guard],
    }
    return f"jdg_{digest(named).removeprefix('sha256:')[:_DIGITS]}"


def _digest_of(submission: Submission) -> str:
    return submission.digest
