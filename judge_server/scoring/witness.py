"""Whether a thin response says anything: the judge is asked that first, and believed only if it can tell.

No rule can tell every remark ("I will gladly go into this") from a short answer, in every language. So the judge that
would be paid by such a text is asked about the text, and about two texts of which the answer is known: a remark and an
answer. A judge that takes the remark for an answer would pay every empty response: its verdict on a thin one is no
verdict. One that takes neither for an answer denies everything: it pays no remark, and its denial refuses no response.
The two are asked once for each judge, because the cache knows them afterwards.

No rule finds every empty response either, so a judge that takes each of three remarks for an answer is believed about
no response: it would pay the ones that the guard does not know.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from judge_server.core.criterion import Binary
from judge_server.core.judgment import Usage
from judge_server.core.submission import Message, Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.guard.guard import DEGENERATE, THIN, Inspection
from judge_server.judging.answer import Judge, Terms, failed
from judge_server.judging.judge_input import JudgeInput, text_in_scope
from judge_server.scheduling.admission import Admission
from judge_server.scoring.cached_judge import CachedAnswers, CachedJudge, verdict_of
from judge_server.scoring.plan import Question

CANNOT_TELL: Final = "cannot_tell_empty"
_SAYS_SOMETHING = Binary(
    id="says_something",
    statement=(
        "Gives at least a part of what the user asks for: a fact, a name, a number, a choice, a reason, an "
        "instruction, a text, or a refusal. Greetings, thanks, praise of the question and announcements of an answer "
        "are no part."
    ),
)
_ASKED = (Message(role="user", content="What is the capital of France?"),)
_REMARK = JudgeInput(_ASKED, "Thank you for this interesting question! I will gladly explain it in detail below.")
_ANSWER = JudgeInput(_ASKED, "Paris.")
REMARKS: Final = (
    _REMARK.response,
    "Let us look at this closely and weigh everything with care before we come to a conclusion.",
    "Das ist eine gute Frage, auf die ich gern im Folgenden eingehe.",
)
_KNOWN_EMPTY = tuple(JudgeInput(_ASKED, text) for text in REMARKS)
_PASSING = 0.5
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Testimony:
    """``cause``: why the response is refused; ``failure``: why nobody knows whether it says anything. Neither, if it
    says something."""

    cause: str | None = None
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)
    model_seconds: float = 0.0

    @property
    def spent(self) -> tuple[Usage, float]:
        """Usage and seconds."""
        return self.usage, self.model_seconds

    def on(self, seen: Inspection) -> Inspection:
        """The inspection, with a refusal if the response says nothing."""
        if self.cause is None:
            return seen
        return replace(seen, flags=(DEGENERATE, *seen.flags), refused=self.cause)

    def unanswered(self, questions: Sequence[Question]) -> CachedAnswers:
        """A missing verdict for each question, with the failure."""
        assert self.failure is not None  # noqa: S101 - the caller has seen it
        answer = failed(self.failure, VerdictStatus.ABSTAINED)
        verdicts = tuple(verdict_of(one.criterion, answer, step=one.material.step) for one in questions)
        return CachedAnswers(verdicts, Usage(), 0.0)


NOT_ASKED: Final = Testimony()


class Witness:
    """Asks through the cache, within the places of the submission's class. ``thin``: whether a judge is asked about a
    thin response; ``doubting``: whether one that takes every known remark for an answer is believed about no
    response."""

    def __init__(
        self, cached_judge: CachedJudge, admission: Admission, *, thin: bool = True, doubting: bool = False
    ) -> None:
        self._cached_judge = cached_judge
        self._admission = admission
        self.thin = thin
        self.doubting = doubting
        self._known: dict[str, Testimony] = {}  # by fingerprint

    async def on_submission(
        self, submission: Submission, seen: Inspection, judge: Judge | None, terms: Terms
    ) -> Testimony:
        """Whether the answer of a submission may be judged by this judge, and says anything if it is thin; nobody is
        asked if it is refused anyway."""
        if seen.refused or judge is None:
            return NOT_ASKED
        if not self.asks_about(seen):
            return await self.on_judge(judge, terms)
        return await self.hear(JudgeInput(submission.conversation, text_in_scope(submission, "answer")), judge, terms)

    def asks_about(self, seen: Inspection) -> bool:
        """Whether the judge is asked if what was seen says anything."""
        return self.thin and THIN in seen.flags

    async def on_judge(self, judge: Judge, terms: Terms) -> Testimony:
        """Whether the judge is believed at all: asked once for each."""
        if not self.doubting:
            return NOT_ASKED
        fingerprint = judge.reference.fingerprint
        known = self._known.get(fingerprint)
        if known is not None:
            return known
        found = await self._verdicts(judge, [Question(_SAYS_SOMETHING, one) for one in _KNOWN_EMPTY], terms)
        failure = next((verdict.error for verdict in found.verdicts if verdict.error is not None), None)
        if failure is None:
            least = min(verdict.value or 0.0 for verdict in found.verdicts)
            failure = _obliging(judge.specification.name, least) if least >= _PASSING else None
            self._known[fingerprint] = NOT_ASKED if failure is None else Testimony(failure=failure)
        return Testimony(failure=failure, usage=found.usage, model_seconds=found.model_seconds)

    async def hear(
        self, material: JudgeInput, judge: Judge, terms: Terms, sources: tuple[bytes, ...] = ()
    ) -> Testimony:
        """Whether the response in ``material`` says anything. ``sources``: of a text that is in no submission."""
        known = [Question(_SAYS_SOMETHING, one) for one in (_REMARK, _ANSWER)]
        questions = [Question(_SAYS_SOMETHING, material, sources), *known]
        found = await self._verdicts(judge, questions, terms)
        return replace(_testimony(*found.verdicts), usage=found.usage, model_seconds=found.model_seconds)

    async def _verdicts(self, judge: Judge, questions: Sequence[Question], terms: Terms) -> CachedAnswers:
        with self._admission.classes[terms.priority].asking(len(questions)):
            return await self._cached_judge.verdicts(judge, questions, terms)


def _obliging(name: str, least: float) -> Failure:
    detail = (
        f"The judge {name} takes mere announcements for answers, each with {least:.2f} or more. It would pay a "
        "response that says nothing, so it is believed about none. Use another judge, or set obliging_judges = judge."
    )
    _LOG.warning("%s", detail)
    return Failure(type=CANNOT_TELL, detail=detail)


def _testimony(response: Verdict, remark: Verdict, answer: Verdict) -> Testimony:
    for verdict in (response, remark, answer):
        if verdict.error is not None:
            return Testimony(failure=verdict.error)
    said, of_remark, of_answer = (verdict.value or 0.0 for verdict in (response, remark, answer))
    if of_remark >= _PASSING:
        detail = (
            "The response may say nothing, and this judge cannot tell: it takes a mere announcement for an answer with "
            f"{of_remark:.2f}, and a right answer for one with {of_answer:.2f}."
        )
        return Testimony(failure=Failure(type=CANNOT_TELL, detail=detail))
    if said < _PASSING <= of_answer:
        return Testimony(cause=f"the judge finds that the response says nothing (with {1 - said:.2f})")
    return Testimony()
