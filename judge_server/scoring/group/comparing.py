"""Comparing the members of a group with each other by a judge."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from statistics import median

from judge_server.core.budget import paid_for
from judge_server.core.errors import BadInput, JudgeServerError, UnknownJudge
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Judge, Terms
from judge_server.judging.judge_input import shown_reference, text_in_scope
from judge_server.judging.relative.arbiter import Arbiter, singles
from judge_server.judging.relative.comparison import CandidateComparison, RelativeOptions, Shown, Standard
from judge_server.judging.relative.listwise import Listwise
from judge_server.judging.relative.prompt import Script
from judge_server.judging.relative.standing import Contest, RelativeStanding
from judge_server.judging.relative.tournament import Tournament
from judge_server.judging.single import SingleJudge
from judge_server.scheduling.observers import Observers
from judge_server.scoring.cached_judge import CachedJudge, JudgeCall
from judge_server.scoring.fact_asking import NO_FACTS
from judge_server.scoring.group.report import Comparisons
from judge_server.scoring.plan import plan
from judge_server.scoring.scorer import Scorer
from judge_server.scoring.sources import of_text
from judge_server.util.concurrency import together

_LOG = logging.getLogger(__name__)
_OUR_FAULT = Failure(type="internal_error", detail="The server failed to compare this group; see its log.")
_NO_SUBMISSION = Failure(type="bad_submission", detail="The response is not valid and was not compared.")
_CHARACTERS_PER_TOKEN = 3  # slightly below the English average


@dataclass(frozen=True, slots=True)
class Compared:
    """``rewards`` in [0, 1] by member; None exactly if there is a failure."""

    rewards: tuple[float | None, ...]
    failures: tuple[Failure | None, ...]
    rubric: Rubric | None = None
    judge: JudgeReference | None = None
    comparisons: Comparisons = field(
        default_factory=lambda: Comparisons(presentations=0, read=0, pairs=0, inconsistent=0)
    )
    usage: Usage = field(default_factory=Usage)

    @staticmethod
    def failed(count: int, failure: Failure) -> "Compared":
        return Compared((None,) * count, (failure,) * count)

    def spread(self, places: Sequence[int], count: int) -> "Compared":
        """These rewards at ``places`` of a group of ``count``; the other members cannot be compared."""
        rewards: list[float | None] = [None] * count
        failures: list[Failure | None] = [_NO_SUBMISSION] * count
        for place, reward, failure in zip(places, self.rewards, self.failures, strict=True):
            rewards[place], failures[place] = reward, failure
        return replace(self, rewards=tuple(rewards), failures=tuple(failures))

    @property
    def position_consistency(self) -> float | None:
        pairs = self.comparisons.pairs
        return 1 - self.comparisons.inconsistent / pairs if pairs else None


@dataclass(frozen=True, slots=True)
class _Heard:
    """One single judge's results for the candidates."""

    standing: RelativeStanding
    presentations: int
    read: int
    usage: Usage


class Comparer:
    """Compares by the criteria of the rubric, with the judges of the scorer."""

    def __init__(self, scorer: Scorer, cached_judge: CachedJudge, observers: Observers | None = None) -> None:
        self._scorer = scorer
        self._cached_judge = cached_judge
        self._observers = observers or Observers()

    async def compare(self, members: Sequence[Submission], options: RelativeOptions, terms: Terms) -> Compared:
        """At least two members with the same prompt, rubric, reference and facts. Every member gets a reward or a typed
        failure; failures to compare do not raise."""
        with self._scorer.admission.enter(1, terms.priority), paid_for(members[0].run):
            try:
                compared = await self._compare(members, options, terms)
            except JudgeServerError as fault:
                compared = Compared.failed(len(members), Failure(type=fault.type, detail=str(fault)))
            except Exception:  # noqa: BLE001 - an internal error in comparing must not lose the judgments
                _LOG.exception("a group could not be compared")
                compared = Compared.failed(len(members), _OUR_FAULT)
        self._observers.compared(compared.usage, [failure for failure in compared.failures if failure])
        return compared

    async def _compare(self, members: Sequence[Submission], options: RelativeOptions, terms: Terms) -> Compared:
        named = members[0].model_copy(update={"judge": options.judge}) if options.judge else members[0]
        rubric, judge, _ = await self._scorer.appointed(named, terms)
        if judge is None:
            raise UnknownJudge("judge: no judge is configured.", remedy="Name judges in the configuration file.")
        asked = await self._scorer.facts(members[0], rubric, judge, terms) if rubric.facts_to_ask else NO_FACTS
        planned = plan(members[0], rubric, asked=asked.facts)
        unread = next((fact.error for fact in asked.facts if fact.error), None) if planned.undecided else None
        if unread is not None:
            return Compared.failed(len(members), unread)
        standard = Standard.of(rubric, planned.applicable)
        if standard.empty:
            raise BadInput(
                f"relative: no criterion of {rubric.name} that applies has a statement to compare by.",
                remedy="Give its criteria statements, or leave relative out.",
            )
        texts = await self._texts(members, rubric, standard)
        candidates = CandidateComparison.ordered([text for text in texts if text is not None])
        if not candidates:
            return Compared((0.0,) * len(members), (None,) * len(members), rubric, judge.reference)
        reference = shown_reference(members[0]) if standard.reference and (members[0].reference or "").strip() else None
        comparison = CandidateComparison(members[0].conversation, standard, candidates, reference)
        copies = tuple(texts.count(candidate) for candidate in candidates)
        contest = Contest(copies, texts.count(None), comparison.seed)
        heard = await together(
            [self._heard(Arbiter(single, options.kind), comparison, contest, options, terms) for single in _able(judge)]
        )
        return replace(_by_member(texts, candidates, judge, heard), rubric=rubric)

    async def _heard(
        self,
        arbiter: Arbiter,
        comparison: CandidateComparison,
        contest: Contest,
        options: RelativeOptions,
        terms: Terms,
    ) -> _Heard:
        method = _method(arbiter, comparison, options)
        script = Script(comparison, arbiter.judge.writer)
        shown = method.presentations(contest)
        keys = {one: arbiter.key(comparison.key(one)) for one in shown}
        calls = {key: _call(arbiter, script, one, key, terms) for one, key in keys.items()}
        found = await self._cached_judge.answers(list(calls), lambda unknown: [calls[key] for key in unknown], terms)
        answers = {one: found.of(key) for one, key in keys.items()}
        read = sum(answer.reading is not None for answer in answers.values())
        return _Heard(method.standing(contest, answers), len(shown), read, found.usage)

    async def _texts(self, members: Sequence[Submission], rubric: Rubric, standard: Standard) -> list[str | None]:
        """The text shown of each member: its answer, or all of it if criteria read more; None if the guard catches
        it."""
        scope = "conversation" if standard.whole else "answer"
        refused = [(await self._scorer.inspected(member, rubric)).refused for member in members]
        return [None if cause else text_in_scope(one, scope) for one, cause in zip(members, refused, strict=True)]


def _call(arbiter: Arbiter, script: Script, shown: Shown, key: str, terms: Terms) -> JudgeCall:
    async def ask() -> tuple[Answer, ...]:
        return (await arbiter.ask(script, shown, terms),)

    sources = tuple(of_text(script.comparison.candidates[place]) for place in shown)
    return JudgeCall(arbiter.judge.specification.name, (key,), ask, sources)


def _able(judge: Judge) -> tuple[SingleJudge, ...]:
    found = singles(judge)
    if not found:
        raise BadInput(
            f"relative: the judge {judge.specification.name!r} has no model that could compare responses.",
            remedy="Name another judge in relative.judge.",
        )
    return found


def _method(arbiter: Arbiter, comparison: CandidateComparison, options: RelativeOptions) -> Listwise | Tournament:
    if options.kind == "pairwise":
        return Tournament(options.opponents)
    lengths = tuple(len(candidate) for candidate in comparison.candidates)
    context = arbiter.judge.model.capabilities.context_tokens
    characters = None
    if context is not None:
        reserved = arbiter.judge.specification.reason_tokens * options.per_list
        around = sum(len(message.content) for message in comparison.conversation) + len(comparison.reference or "")
        characters = max((context - reserved) * _CHARACTERS_PER_TOKEN - around, 0)
    return Listwise(options.orders, options.per_list, lengths, characters)


def _by_member(
    texts: Sequence[str | None], candidates: Sequence[str], judge: Judge, heard: Sequence[_Heard]
) -> Compared:
    standing = combined(judge.specification, [one.standing for one in heard])
    places = {candidate: place for place, candidate in enumerate(candidates)}
    rewards = tuple(0.0 if text is None else standing.rewards[places[text]] for text in texts)
    failures = tuple(None if text is None else standing.failures[places[text]] for text in texts)
    counts = Comparisons(
        presentations=sum(one.presentations for one in heard),
        read=sum(one.read for one in heard),
        pairs=standing.pairs,
        inconsistent=standing.inconsistent,
    )
    usage = Usage.total(one.usage for one in heard)
    return Compared(rewards, failures, judge=judge.reference, comparisons=counts, usage=usage)


def combined(specification: JudgeSpecification, standings: Sequence[RelativeStanding]) -> RelativeStanding:
    """A panel's standing by candidate: mean, median (for majority) or min of its members' rewards, if a quorum of
    them has one. A lone judge's is its own."""
    if len(standings) == 1:
        return standings[0]
    quorum = specification.quorum or len(standings)
    rewards: list[float | None] = []
    failures: list[Failure | None] = []
    for place in range(len(standings[0].rewards)):
        known = [one.rewards[place] for one in standings]
        heard = [reward for reward in known if reward is not None]
        silent = [failure for one in standings if (failure := one.failures[place])]
        enough = len(heard) >= quorum
        rewards.append(_COMBINED[specification.combine](heard) if enough else None)
        failures.append(None if enough else silent[0])
    pairs, inconsistent = sum(one.pairs for one in standings), sum(one.inconsistent for one in standings)
    return RelativeStanding(tuple(rewards), tuple(failures), pairs, inconsistent)


_COMBINED: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda rewards: fsum(rewards) / len(rewards),
    "majority": median,
    "min": min,
}
