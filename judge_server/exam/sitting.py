"""One judge takes the exam: every question is asked, and the answers are counted by family."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from judge_server.core.exam import ExamResult, FailedPair, Family, FamilyResult
from judge_server.core.verdict import require_paid
from judge_server.exam.families import PAIRS_A_FAMILY, pairs
from judge_server.exam.question import FAMILIES, ExamPair, ExamQuestion
from judge_server.judging.answer import Answer, Judge, Terms
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.exemplified import ExemplifiedJudge
from judge_server.judging.panel import PanelJudge
from judge_server.judging.relative.arbiter import singles
from judge_server.judging.single import SingleJudge
from judge_server.util.concurrency import together
from judge_server.util.wilson import wilson

CONTEXT_TOKENS = (1_000, 4_000, 16_000, 64_000)
ANSWER_ROOM = 1_500  # instructions, question and answer beside a long response
BIASED = 0.95


@dataclass(frozen=True)
class ExamPlan:
    """``context_tokens``: the judge's context, None if unknown: then long responses stay short."""

    seed: int = 0
    pairs: int = PAIRS_A_FAMILY
    families: tuple[Family, ...] = tuple(FAMILIES)
    context_tokens: int | None = None

    @property
    def lengths(self) -> tuple[int, ...]:
        most = (self.context_tokens or 6_000) - ANSWER_ROOM
        return tuple(length for length in CONTEXT_TOKENS if length <= most)

    def made(self) -> list[ExamPair]:
        return [pair for name in self.families for pair in pairs(name, self.seed, self.pairs, self.lengths)]


def plan_for(
    judge: Judge, seed: int, pairs: int, families: Sequence[Family] = (), longest: int | None = None
) -> ExamPlan:
    """The plan for a judge: long responses as long as it holds, and at most ``longest`` tokens."""
    known = [single.model.capabilities.context_tokens for single in singles(judge)]
    holds = None if None in known or not known else min(size for size in known if size is not None)
    room = holds if longest is None else min(holds or 10**9, longest + ANSWER_ROOM)
    chosen: tuple[Family, ...] = tuple(name for name in FAMILIES if not families or name in families)
    return ExamPlan(seed, pairs, chosen, room)


def turned(judge: Judge) -> Judge | None:
    """The same judge with labels and options in the opposite order; None if its prompt has no such order."""
    if isinstance(judge, PanelJudge | CascadeJudge | ExemplifiedJudge):
        members = [turned(member) for member in judge.members]
        if None in members:
            return None
        by_name = dict(zip((member.reference.name for member in judge.members), members, strict=True))
        return judge.with_members(lambda member: by_name[member.reference.name] or member)
    if not isinstance(judge, SingleJudge) or judge.model.capabilities.decisions:
        return None
    return SingleJudge(judge.specification, judge.model, judge.writer.turned())


@dataclass(frozen=True)
class AnsweredExam:
    """Every pair with both answers. ``skipped``: families that were not asked, with the reason."""

    judge: Judge
    plan: ExamPlan
    pairs: tuple[ExamPair, ...]
    answers: tuple[Answer, ...]
    skipped: dict[str, str]

    def result(self) -> ExamResult:
        """The answers counted by family."""
        return _result(
            self.judge, self.plan, self.pairs, self.answers, _families(self.pairs, self.answers), self.skipped
        )

    def whatever_mass(self) -> "AnsweredExam":
        """The same with the readings that were distrusted because the labels had too little probability."""
        answers = [answer if (kept := answer.distrusted) is None else Answer(reading=kept) for answer in self.answers]
        return replace(self, answers=tuple(answers))


async def sit(
    judge: Judge,
    plan: ExamPlan,
    advance: Callable[[int, int], None] | None = None,
    at_once: int = 32,
    terms: Terms | None = None,
) -> ExamResult:
    """Ask every question, ``at_once`` together. ``advance``: called with the questions done and in all. Raises
    BudgetSpent if who asks has nothing left to spend."""
    return (await answered(judge, plan, advance, at_once, terms)).result()


async def answered(
    judge: Judge,
    plan: ExamPlan,
    advance: Callable[[int, int], None] | None = None,
    at_once: int = 32,
    terms: Terms | None = None,
) -> AnsweredExam:
    """Ask every question, and keep the answers as they came."""
    reordered = turned(judge)
    skipped: dict[str, str] = {}
    made = plan.made()
    if reordered is None:
        made = [pair for pair in made if pair.family != "label_order"]
        skipped["label_order"] = "this judge has no order of labels"
    if not plan.lengths:
        skipped["long_context"] = "the judge's context is too short"
    questions = [question for pair in made for question in pair.questions]
    asking = _Asking(judge, reordered, asyncio.Semaphore(at_once), terms or Terms())
    answers = await asking.all(questions, advance)
    return AnsweredExam(judge, plan, tuple(made), tuple(answers), skipped)


@dataclass(frozen=True)
class _Asking:
    """``reordered``: the judge with labels in the opposite order, if there is one."""

    judge: Judge
    reordered: Judge | None
    places: asyncio.Semaphore
    terms: Terms

    async def all(self, questions: Sequence[ExamQuestion], advance: Callable[[int, int], None] | None) -> list[Answer]:
        done = 0

        async def one(question: ExamQuestion) -> Answer:
            nonlocal done
            asked = self.reordered if question.reordered and self.reordered is not None else self.judge
            async with self.places:
                (answer,) = await asked.ask(question.material, (question.criterion,), self.terms)
            require_paid((answer.failure,))
            done += 1
            if advance is not None:
                advance(done, len(questions))
            return answer

        return await together([one(question) for question in questions])


def _families(made: Sequence[ExamPair], answers: Sequence[Answer]) -> tuple[FamilyResult, ...]:
    by_family: dict[Family, list[tuple[ExamPair, tuple[Answer, Answer]]]] = {}
    for place, pair in enumerate(made):
        both = (answers[2 * place], answers[2 * place + 1])
        by_family.setdefault(pair.family, []).append((pair, both))
    return tuple(_family(name, found) for name, found in by_family.items())


def _family(name: Family, found: Sequence[tuple[ExamPair, tuple[Answer, Answer]]]) -> FamilyResult:
    right = [[q.right(a) for q, a in zip(pair.questions, both, strict=True)] for pair, both in found]
    passed = sum(all(one) for one in right)
    low, high = wilson(passed, len(found))
    failed = [_failed(pair, both) for (pair, both), one in zip(found, right, strict=True) if not all(one)]
    return FamilyResult(
        family=name,
        about=FAMILIES[name],
        pairs=len(found),
        passed=passed,
        low=low,
        high=high,
        unanswered=sum(one.count(None) for one in right),
        failed=tuple(failed),
    )


def _failed(pair: ExamPair, both: tuple[Answer, Answer]) -> FailedPair:
    first, second = pair.questions
    errors = [answer.failure.detail for answer in both if answer.failure]
    return FailedPair(
        variant=pair.variant,
        statement=first.criterion.statement,
        responses=(_shown(first), _shown(second)),
        expected=(first.expected, second.expected),
        said=(first.said(both[0]), second.said(both[1])),
        error=errors[0] if errors else None,
    )


def _shown(question: ExamQuestion) -> str:
    step = question.material.step
    text = question.material.response if step is None else step.text
    return text if len(text) <= 300 else f"{text[:140]} … {text[-140:]}"


def _result(
    judge: Judge,
    plan: ExamPlan,
    made: Sequence[ExamPair],
    answers: Sequence[Answer],
    families: tuple[FamilyResult, ...],
    skipped: dict[str, str],
) -> ExamResult:
    questions = [question for pair in made for question in pair.questions]
    said = [(question, question.said(answer)) for question, answer in zip(questions, answers, strict=True)]
    yes = [answered for question, answered in said if question.expected is True and answered is not None]
    no = [answered for question, answered in said if question.expected is False and answered is not None]
    firsts = [(q.reordered, q.first_label(a)) for q, a in zip(questions, answers, strict=True)]
    known = [one for _, one in firsts if one is not None]
    turned_firsts = [one for reordered, one in firsts if reordered and one is not None]
    met = (_share(yes), _share(no)) if yes and no else None
    first = _share(known) if known else None
    return ExamResult(
        judge=judge.reference,
        prompt=judge.specification.prompt,
        seed=plan.seed,
        questions=len(questions),
        unanswered=sum(answered is None for _, answered in said),
        bias=_bias(met, first, _share(turned_firsts) if turned_firsts else None),
        met=met,
        first=first,
        families=families,
        skipped=skipped,
    )


def _share(answers: Iterable[bool | str | None]) -> float:
    listed = list(answers)
    return sum(one is True for one in listed) / len(listed)


def _bias(met: tuple[float, float] | None, first: float | None, turned_first: float | None) -> str | None:
    """What a judge answers regardless of the question, if it does so in at least 95 of 100 cases. "Yes" is mostly shown
    first: only the share among questions in the opposite order, ``turned_first``, tells the two apart."""
    if first is not None and first >= BIASED and turned_first is not None and turned_first >= BIASED:
        return "it takes the label that is shown first"
    if met is not None and min(met) >= BIASED:
        return "it says that every criterion is met"
    if met is not None and max(met) <= 1 - BIASED:
        return "it says that no criterion is met"
    return None
