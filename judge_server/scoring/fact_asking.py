"""Ask a judge for the facts that nobody gave, from the conversation alone.

The response is not shown, so a policy cannot steer which criteria apply, and all rollouts of a prompt share the cached
answers. The likeliest answer needs more than half of the probability; otherwise the fact cannot be told. Nothing is
guessed: a fact that cannot be told is absent, and a failure of the judge is typed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from judge_server.core.criterion import Nominal, ScaleOption
from judge_server.core.fact import CANNOT_TELL, Fact, FoundFact, value_in
from judge_server.core.judgment import Usage
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.judging.answer import Judge, Terms
from judge_server.judging.judge_input import JudgeInput
from judge_server.scheduling.admission import Admission
from judge_server.scoring.cached_judge import CachedJudge
from judge_server.scoring.plan import Question
from judge_server.scoring.reading import AT_ONCE_CHARACTERS, read_apart

_EXPLAINED: Final = "the conversation does not say it"
_MAJORITY: Final = 0.5


@dataclass(frozen=True, slots=True)
class AskedFacts:
    """``facts``: those of the rubric that a judge may be asked for, in its order."""

    facts: tuple[FoundFact, ...] = ()
    usage: Usage = field(default_factory=Usage)
    model_seconds: float = 0.0


NO_FACTS: Final = AskedFacts()


class FactAsker:
    """Asks through the cache, within the places of the submission's class."""

    def __init__(self, cached_judge: CachedJudge, admission: Admission) -> None:
        self._cached_judge = cached_judge
        self._admission = admission

    async def ask(self, submission: Submission, rubric: Rubric, judge: Judge | None, terms: Terms) -> AskedFacts:
        """Raises BadSubmission for a given fact that cannot be read as its type. Without a judge nothing is asked."""
        if submission.characters > AT_ONCE_CHARACTERS:
            known = await read_apart(_known, rubric, submission.facts)
        else:
            known = _known(rubric, submission.facts)
        given = {fact.name: value for fact in rubric.facts_to_ask if (value := value_in(known, fact.name)) is not None}
        missing = [fact for fact in rubric.facts_to_ask if fact.name not in given]
        found = {name: FoundFact(name=name, source="given", value=value) for name, value in given.items()}
        usage, seconds = Usage(), 0.0
        if missing and judge is not None and submission.conversation:
            questions = [_question(fact, submission) for fact in missing]
            with self._admission.classes[terms.priority].asking(len(questions)):
                answers = await self._cached_judge.verdicts(judge, questions, terms)
            usage, seconds = answers.usage, answers.model_seconds
            found |= {
                fact.name: read_answer(fact, verdict) for fact, verdict in zip(missing, answers.verdicts, strict=True)
            }
        untold = {fact.name: FoundFact(name=fact.name, source="judge", status="cannot_tell") for fact in missing}
        found = untold | found
        return AskedFacts(tuple(found[fact.name] for fact in rubric.facts_to_ask), usage, seconds)


def _known(rubric: Rubric, given: dict[str, Any]) -> Mapping[str, Any]:
    return rubric.fact_reader.read(given).facts


def _question(fact: Fact, submission: Submission) -> Question:
    """A choice among the values, with the last option for a conversation that does not say."""
    options = [ScaleOption(label=label, value=0.0) for label in _labels(fact)]
    options.append(ScaleOption(label=CANNOT_TELL, value=0.0, description=_EXPLAINED))
    criterion = Nominal(id="fact", kind="nominal", statement=fact.question or fact.name, options=tuple(options))
    return Question(criterion, JudgeInput(submission.conversation, response="", about="conversation"))


def _labels(fact: Fact) -> Sequence[str]:
    return ("yes", "no") if fact.type == "boolean" else fact.values


def read_answer(fact: Fact, verdict: Verdict) -> FoundFact:
    """The fact that a judge's verdict on its question gives."""
    found = FoundFact(
        name=fact.name, source="judge", status="cannot_tell", reason=verdict.reason, cached=verdict.cached
    )
    if verdict.status is not VerdictStatus.OK or verdict.options is None or verdict.option is None:
        return found.model_copy(update={"status": verdict.status.value, "error": verdict.error})
    share = verdict.options[verdict.option]
    found = found.model_copy(update={"probability": share})
    if verdict.option == CANNOT_TELL or share <= _MAJORITY:
        return found
    value = verdict.option == "yes" if fact.type == "boolean" else verdict.option
    return found.model_copy(update={"status": "ok", "value": value})
