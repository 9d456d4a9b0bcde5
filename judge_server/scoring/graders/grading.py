"""Check whether graders can run here, and run them on samples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from judge_server.core.errors import BadGrader, DeadlineExceeded, GraderFailed, JudgeFailure, NotCalibrated
from judge_server.core.grader import (
    Grader,
    LabelModel,
    Multi,
    PythonProgram,
    SamplingParams,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
)
from judge_server.core.judgment import Usage
from judge_server.core.submission import Message
from judge_server.guard.guard import Inspection, inspect_sample
from judge_server.guard.sanitize import sanitize
from judge_server.judging.answer import Answer, Judge, Terms, require_shown_by_key
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.single import SingleJudge, trusted
from judge_server.scheduling.admission import Admission
from judge_server.scoring.cached_judge import CachedJudge
from judge_server.scoring.graders.grade import Grade, GraderFault, combined
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.judge_call import ask, sample_shown
from judge_server.scoring.graders.model_grader import label_question, reads_directly, score_question
from judge_server.scoring.graders.python_process import PythonProcesses
from judge_server.scoring.graders.text_comparison import check_string, measure_similarity
from judge_server.scoring.sources import of_texts_here
from judge_server.scoring.witness import NOT_ASKED, Testimony, Witness
from judge_server.util.concurrency import in_long_work, together
from judge_server.util.time_limit import until

_AT_ONCE_CHARACTERS = 20_000  # a longer sample is inspected in a thread


class Graders:
    """Graders over configured judges. ``programs`` is None if no program may run. With ``certified_only`` no judge may
    be asked, because a grader has no rubric that a certificate could be about. ``inspect``: the guard, called on what
    a judge would be shown of the sample, with the texts of the item; ``witness``: who is asked about a thin one."""

    def __init__(
        self,
        *,
        judges: Mapping[str, Judge],
        cached_judge: CachedJudge,
        admission: Admission,
        programs: PythonProcesses | None = None,
        certified_only: bool = False,
        inspect: Callable[[str, str, Sequence[str]], Inspection] = inspect_sample,
        witness: Witness | None = None,
    ) -> None:
        self._judges = judges
        self._cached_judge = cached_judge
        self._admission = admission
        self._programs = programs
        self._certified_only = certified_only
        self._inspect = inspect
        self._witness = witness

    async def check(self, grader: Grader) -> None:
        """Raises BadGrader or NotCalibrated if ``grader`` cannot run here. Its programs are compiled."""
        self.require(grader)
        for part in _parts(grader):
            if isinstance(part, PythonProgram):
                try:
                    await self._processes().check(part.source)
                except GraderFailed as fault:
                    raise BadGrader(f"{part.name}: {fault.detail}", remedy="Correct the source.") from None

    def require(self, grader: Grader) -> None:
        """As ``check``, without compiling programs."""
        for part in _parts(grader):
            if isinstance(part, ScoreModel | LabelModel):
                _require_sampling(self._judge(part.model), part.sampling_params)
            elif isinstance(part, PythonProgram):
                self._processes()

    async def grade(self, grader: Grader, material: GraderInput, terms: Terms) -> Grade:
        """The score, or a typed fault. Raises BadGrader and NotCalibrated as ``require`` does."""
        self.require(grader)
        with self._admission.enter(1, terms.priority):
            if not isinstance(grader, Multi):
                return await self._grade(grader, material, terms)
            parts = await together([self._grade(part, material, terms) for part in grader.graders.values()])
            return combined(grader, dict(zip(grader.graders, parts, strict=True)))

    async def _grade(self, grader: SingleGrader, material: GraderInput, terms: Terms) -> Grade:
        try:
            if isinstance(grader, ScoreModel):
                return await self._score(grader, material, terms)
            if isinstance(grader, LabelModel):
                return await self._label(grader, material, terms)
            with until(terms.deadline):
                return Grade(await self._compute(grader, material))
        except TimeoutError:
            flags = frozenset({"unresponsive_reward_error"})
            fault = GraderFault.of(DeadlineExceeded("The deadline passed before the grader was done."))
            return Grade(fault=GraderFault(fault.failure, flags))
        except JudgeFailure as fault:
            return Grade(fault=GraderFault.of(fault))

    async def _compute(self, grader: StringCheck | TextSimilarity | PythonProgram, material: GraderInput) -> float:
        if isinstance(grader, StringCheck):
            return check_string(grader, material)
        if isinstance(grader, TextSimilarity):
            return await measure_similarity(grader, material)
        return await self._processes().run(grader.source, material.sample, material.item)

    async def _score(self, grader: ScoreModel, material: GraderInput, terms: Terms) -> Grade:
        judge = self._judge(grader.model)
        seen, heard = await self._screened(grader, material, judge, terms)
        if seen.refused or heard.failure:
            return _unasked(judge, seen, heard, grader.range)
        question = score_question(grader, material, judge)
        answer = await ask(self._cached_judge, judge, question, grader.sampling_params, terms, material.output)
        usage = heard.usage + answer.usage
        grade = _graded(judge, answer, usage, {}, answer.reading.value if answer.reading else 0.0)
        return replace(grade, flags=seen.flags)

    async def _label(self, grader: LabelModel, material: GraderInput, terms: Terms) -> Grade:
        judge = self._judge(grader.model)
        seen, heard = await self._screened(grader, material, judge, terms)
        if seen.refused or heard.failure:
            return _unasked(judge, seen, heard, (0.0, 1.0))
        usage = heard.usage
        direct = reads_directly(grader, judge)
        question = label_question(grader, material, judge, direct=direct)
        answer = await ask(self._cached_judge, judge, question, grader.sampling_params, terms, material.output)
        usage += answer.usage
        answer = trusted(answer, judge.least_mass)
        if direct and _may_fall_back(judge, answer):
            question = label_question(grader, material, judge, direct=False)
            answer = await ask(self._cached_judge, judge, question, grader.sampling_params, terms, material.output)
            usage += answer.usage
        shares = dict(zip(grader.labels, answer.reading.shares, strict=True)) if answer.reading else {}
        likeliest = max(shares, key=shares.__getitem__, default="")
        grade = _graded(judge, answer, usage, shares, 1.0 if likeliest in grader.passing_labels else 0.0)
        return replace(grade, flags=seen.flags)

    async def _screened(
        self, grader: ScoreModel | LabelModel, material: GraderInput, judge: SingleJudge, terms: Terms
    ) -> tuple[Inspection, Testimony]:
        """What the guard, and for a thin sample the judge, find in what the judge would be shown of it. Raises
        GraderFailed."""

        def look() -> tuple[str, Inspection]:
            shown = sample_shown(grader.input, material)
            return shown, self._inspect(shown, material.asked, material.references)

        short = len(material.output) <= _AT_ONCE_CHARACTERS
        shown, seen = look() if short else await in_long_work(look)
        if seen.refused or self._witness is None:
            return seen, NOT_ASKED
        if not self._witness.asks_about(seen):
            return seen, await self._witness.on_judge(judge, terms)
        asked = (Message(role="user", content=material.asked),) if material.asked else ()
        heard = await self._witness.hear(
            JudgeInput(asked, sanitize(shown)), judge, terms, of_texts_here(material.output)
        )
        return heard.on(seen), heard

    def _judge(self, name: str) -> SingleJudge:
        judge = self._judges.get(name)
        known = sorted(key for key, one in self._judges.items() if isinstance(one, SingleJudge))
        remedy = f"Configured judges with a model: {', '.join(known) or 'none'}."
        if judge is None:
            raise BadGrader(f"model: {name!r} is not configured here.", remedy=remedy)
        if not isinstance(judge, SingleJudge):
            raise BadGrader(f"model: {name!r} is a panel, and a grader asks one judge.", remedy=remedy)
        require_shown_by_key(judge)
        if self._certified_only:
            raise NotCalibrated(
                f"{name} may not judge here: a grader has no rubric that a certificate could cover.",
                remedy="Grade with a certified rubric, or serve without --require-calibrated.",
            )
        return judge

    def _processes(self) -> PythonProcesses:
        if self._programs is None:
            raise BadGrader(
                "python: this server runs no programs.",
                remedy="Its operator may set python_graders = true; every program then runs confined.",
            )
        return self._programs


def _parts(grader: Grader) -> Iterable[SingleGrader]:
    return grader.graders.values() if isinstance(grader, Multi) else (grader,)


def _require_sampling(judge: SingleJudge, sampling: SamplingParams | None) -> None:
    effort = None if sampling is None else sampling.reasoning_effort
    if effort not in (None, "none") and judge.specification.thinking_tokens is None:
        raise BadGrader(
            f"sampling_params: reasoning_effort {effort!r} needs a judge that thinks.",
            remedy=f"Leave it out, or give the judge {judge.specification.name} thinking_tokens in its configuration.",
        )


def _may_fall_back(judge: SingleJudge, answer: Answer) -> bool:
    unreadable = answer.failure is not None and answer.failure.type in (
        "labels_not_listed",
        "low_label_mass",
        "unusable_verdict",
    )
    return unreadable and judge.specification.fallback == "reason"


def _unasked(judge: SingleJudge, seen: Inspection, heard: Testimony, ends: tuple[float, float]) -> Grade:
    """The grade of a sample that was refused, or of which nobody knows whether it says anything."""
    spent = {judge.specification.name: heard.usage} if heard.usage.calls else {}
    if heard.failure:
        return Grade(fault=GraderFault.by_type(heard.failure), usage=spent, flags=seen.flags)
    return Grade(ends[0], flags=seen.flags, highest=ends[1], usage=spent)


def _graded(judge: SingleJudge, answer: Answer, usage: Usage, scores: Mapping[str, float], score: float) -> Grade:
    """A judge's answer as a grade."""
    spent = {judge.specification.name: usage}
    models = (judge.model.name,)
    if answer.failure is not None:
        return Grade(fault=GraderFault.by_type(answer.failure), usage=spent, models=models)
    return Grade(score, scores=dict(scores), usage=spent, models=models)
