"""From a submission to its judgment.

certificate → guard → plan → checks → cache → judge → fitted maps → aggregate → store
"""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from judge_server.core.budget import paid_for
from judge_server.core.errors import BadSubmission, DeadlineExceeded, RubricNotAllowed, StoreUnavailable, UnknownJudge
from judge_server.core.fact import FoundFact
from judge_server.core.judgment import NO_JUDGE, JudgeReference, Judgment, Timing, Usage
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.guard import guard
from judge_server.judging import checks
from judge_server.judging.answer import Judge, JudgeRegistry, Terms
from judge_server.judging.evidence import with_evidence
from judge_server.scheduling.admission import Admission
from judge_server.scheduling.observers import Observers, attributes_of
from judge_server.scheduling.spending import Spending
from judge_server.scoring.cached_judge import CachedAnswers, CachedJudge
from judge_server.scoring.calibration_state import CalibrationState, calibrated
from judge_server.scoring.fact_asking import NO_FACTS, AskedFacts, FactAsker
from judge_server.scoring.plan import Checking, Plan, in_order, plan
from judge_server.scoring.reading import AT_ONCE_CHARACTERS, read_apart
from judge_server.scoring.repeat import Deciders, Repeat, repeat_id
from judge_server.scoring.run_pins import RunPins
from judge_server.scoring.witness import NOT_ASKED, Witness
from judge_server.util.concurrency import both
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.time_limit import until

_LOG = logging.getLogger(__name__)


class Rubrics(Protocol):
    """Where rubrics are looked up by name. ``reviewed_only``: rubrics without a review may not judge, and one inside a
    request has none."""

    @property
    def reviewed_only(self) -> bool: ...

    async def get_for_judging(self, name: str) -> Rubric: ...

    def admitted(self, rubric: Rubric) -> str | None:
        """A warning about a rubric found by name, or None. Raises RubricNotAllowed for one that may not judge."""


class Archive(Protocol):
    """Where judgments are kept: the store, or nothing. ``answers_repeats``: a submission that is sent again is answered
    with what is kept."""

    @property
    def answers_repeats(self) -> bool: ...

    async def standing(self, judgment_id: str) -> Judgment | None:
        """The judgment kept under an id."""

    async def save(self, judgment: Judgment, submission: Submission, rubric: Rubric) -> None: ...


@dataclass(frozen=True, slots=True)
class _Judged:
    verdicts: tuple[Verdict, ...]
    flags: tuple[str, ...]
    judge: JudgeReference
    characters: int
    usage: Usage = field(default_factory=Usage)
    model_seconds: float = 0.0
    facts: tuple[FoundFact, ...] = ()


class Scorer:
    """Scores submissions with the configured judges. ``inspect``: the guard, called before any model is asked;
    ``run_pins``: None if runs are not held to what rewarded them first; ``witness``: makes what asks a judge whether a
    thin response says anything, before it judges the response; ``spending``: None if nobody has a budget."""

    def __init__(  # noqa: PLR0913 - the parts of the path, each given by the service
        self,
        *,
        rubrics: Rubrics,
        judge_registry: JudgeRegistry,
        cached_judge: CachedJudge,
        admission: Admission,
        archive: Archive | None = None,
        observers: Observers | None = None,
        calibration_state: CalibrationState | None = None,
        run_pins: RunPins | None = None,
        inspect: Callable[[Submission, Rubric], guard.Inspection] = guard.inspect,
        witness: Callable[[CachedJudge, Admission], Witness] | None = Witness,
        spending: Spending | None = None,
    ) -> None:
        self.spending = spending
        self.rubrics = rubrics
        self._judges = judge_registry
        self._cached_judge = cached_judge
        self._fact_asker = FactAsker(cached_judge, admission)
        self.admission = admission
        self._archive = archive
        self.observers = observers or Observers()
        self._calibration_state = calibration_state or CalibrationState()
        self._run_pins = run_pins
        self._of_a_run: Callable[[Judgment, Submission, Rubric], None] | None = None
        self.inspect = inspect
        self.witness = None if witness is None else witness(cached_judge, admission)
        self._throttle = LogThrottle()

    def keeping(self, archive: Archive) -> "Scorer":
        """The same scorer with another archive."""
        other = copy(self)
        other._archive = archive  # noqa: SLF001 - the copy is not shared yet
        return other

    def telling(self, of_a_run: Callable[[Judgment, Submission, Rubric], None]) -> "Scorer":
        """The same scorer, which tells ``of_a_run`` of every judgment of a run after it is kept."""
        other = copy(self)
        other._of_a_run = of_a_run  # noqa: SLF001 - the copy is not shared yet
        return other

    async def score(self, submission: Submission, terms: Terms | None = None) -> Judgment:
        """Judge one submission.

        Raises UnknownRubric, BadRubric, UnknownJudge or BadSubmission if it cannot be judged at all, NotCalibrated if
        only certified judges may judge, BudgetSpent, and StoreUnavailable if the judgment cannot be stored. A judge
        that fails gives a judgment whose reward is None."""
        terms = terms or Terms()
        with self.admission.enter(1, terms.priority):
            if self.spending is None or not self.spending.active:
                return await self._traced(submission, terms)
            with paid_for(submission.run):
                return await self._traced(submission, terms, self.spending.notices())

    async def _traced(self, submission: Submission, terms: Terms, warnings: tuple[str, ...] = ()) -> Judgment:
        tracer = self.observers.tracer
        if tracer is None:
            return await self._score(submission, terms, warnings)
        with tracer.span("score") as span:
            judgment = await self._score(submission, terms, warnings)
            span.note(attributes_of(judgment))
            return judgment

    async def _score(self, submission: Submission, terms: Terms, warnings: tuple[str, ...]) -> Judgment:
        started = time.monotonic()
        with terms.bounding_the_store("The rubric and the run could not be looked up"):
            rubric, judge, notices = await self.appointed(submission, terms)
            repeat = await self._repeat(submission, rubric, judge)
            standing = None if repeat is None else await repeat.standing()
        if standing is not None:
            return standing
        found = self._calibrated(await self._find(submission, rubric, judge, terms), rubric)
        outcome = reward(rubric, found.verdicts, found.characters)
        coordinates, left_out = submission.origin
        judgment = Judgment(
            id=_new_id() if repeat is None or outcome.reward is None else repeat.id,
            reward=outcome.reward,
            status=outcome.status,
            coverage=outcome.coverage,
            judged_coverage=outcome.judged_coverage,
            components=outcome.components,
            step_rewards=outcome.step_rewards,
            gates=outcome.gates,
            error=outcome.error,
            verdicts=found.verdicts,
            facts=found.facts,
            flags=found.flags,
            notices=notices + warnings + left_out,
            rubric=rubric.reference,
            judge=found.judge,
            guard=None if self._run_pins is None else self._run_pins.guard,
            submission=coordinates,
            submission_digest=submission.digest,
            response_characters=len(submission.response_text),
            usage=found.usage,
            timing=Timing(total_seconds=time.monotonic() - started, model_seconds=found.model_seconds),
            created_at=datetime.now(UTC),
        )
        if self._archive is not None:
            with terms.bounding_the_store("The judgment could not be stored"):
                try:
                    await self._archive.save(judgment, submission, rubric)
                except StoreUnavailable as fault:
                    standing = None if repeat is None else await repeat.standing_after(fault)
                    if standing is None:
                        raise
                    return standing
        if self._of_a_run is not None and submission.run is not None:
            self._of_a_run(judgment, submission, rubric)
        self.observers.judged(judgment)
        return judgment

    async def _repeat(self, submission: Submission, rubric: Rubric, judge: Judge | None) -> Repeat | None:
        """None for a submission that cannot be recognised if it is sent again: it has no id."""
        archive = self._archive
        if archive is None or not archive.answers_repeats or submission.id is None:
            return None
        return Repeat(await repeat_id(submission, self._deciders(rubric, judge)), archive.standing)

    async def deciders(self, submission: Submission, terms: Terms) -> Deciders:
        """What would decide its reward now. Raises what ``score`` raises before a judge is asked."""
        rubric, judge, _ = await self.appointed(submission, terms)
        return self._deciders(rubric, judge)

    def _deciders(self, rubric: Rubric, judge: Judge | None) -> Deciders:
        speaker = None if judge is None else judge.reference
        maps = None if speaker is None else self._calibration_state.maps.find(speaker.fingerprint, rubric.digest)
        guarded = None if self._run_pins is None else self._run_pins.guard
        return Deciders(rubric, speaker, None if maps is None else maps.id, guarded)

    async def appointed(self, submission: Submission, terms: Terms) -> tuple[Rubric, Judge | None, tuple[str, ...]]:
        """The rubric and judge for a submission, and the notices that its judgment carries. Raises what ``score``
        raises before a judge is asked."""
        rubric = await self._rubric(submission)
        warning = self._admitted(submission, rubric)
        judge = self._judge(submission, rubric)
        certification = self._calibration_state.certification
        if certification.required:
            certification.require(judge.reference if judge else None, rubric)
        notices: tuple[str, ...] = ()
        if isinstance(submission.rubric, str) and rubric.prerelease:
            notices = (f"{rubric.version} is a prerelease version: the content of {rubric.id} may change under it.",)
        if self._run_pins is not None and (submission.run is not None or notices):
            notices += await self._run_pins.agree(submission, rubric, judge, terms)
        return rubric, judge, notices if warning is None else (*notices, warning)

    async def _rubric(self, submission: Submission) -> Rubric:
        named = submission.rubric
        if named is None:
            raise BadSubmission(
                "rubric: no rubric was named.",
                remedy="Name one such as medical/consultation, or send a rubric object in the field rubric.",
            )
        rubric = await self.rubrics.get_for_judging(named) if isinstance(named, str) else named
        if rubric.components.checked:
            await checks.prepare_unblocking(rubric)
        return rubric

    def _admitted(self, submission: Submission, rubric: Rubric) -> str | None:
        if isinstance(submission.rubric, str):
            return self.rubrics.admitted(rubric)
        if self.rubrics.reviewed_only:
            raise RubricNotAllowed(
                f"{rubric.name} came inside the request, and this server judges under reviewed rubrics only.",
                remedy="Name a reviewed rubric of the library, or start with require_review = false.",
            )
        return None

    def _judge(self, submission: Submission, rubric: Rubric) -> Judge | None:
        judge = self._judges.appoint(submission.judge)
        if judge is not None and rubric.judges:
            judge.specification.require_shown(rubric.judges, f"The rubric {rubric.id}")
        return judge.explaining if judge is not None and submission.explain else judge

    async def _find(self, submission: Submission, rubric: Rubric, judge: Judge | None, terms: Terms) -> _Judged:
        answering = NO_JUDGE if judge is None else judge.reference  # as pinned, whoever answers meanwhile
        asked = await self.facts(submission, rubric, judge, terms) if rubric.facts and rubric.facts_to_ask else NO_FACTS
        planned, inspection = await self._prepared(submission, rubric, asked.facts)
        self._warn_of_unread_facts(planned, rubric)
        heard = NOT_ASKED
        if planned.questions and self.witness and (self.witness.doubting or guard.THIN in inspection.flags):
            heard = await self.witness.on_submission(submission, inspection, judge, terms)
            inspection = heard.on(inspection)
        spoken = planned.questions or any(fact.source == "judge" for fact in asked.facts)
        speaker = answering if spoken else NO_JUDGE
        characters = len(submission.response_text)
        if inspection.refused:
            applicable = frozenset(leaf.id for leaf in planned.applicable)
            verdicts = tuple(guard.worst_verdicts(rubric, applicable, inspection.refused))
            counted = guard.counted_characters(rubric, inspection.flags, characters)
            return _Judged(verdicts, inspection.flags, speaker, counted, *heard.spent, asked.facts)
        if planned.questions and judge is None:
            raise UnknownJudge(
                f"judge: {rubric.name} has criteria that need a judge, and none is configured.",
                remedy="Start with --model SPECIFICATION, or name judges in the configuration file.",
            )
        if planned.questions and self.spending is not None and self.spending.active:
            self.spending.require()
        asking = self._ask(planned, None if heard.failure else judge, terms)
        if planned.checks:
            decided, findings = await both(self._decide(planned, submission, terms), asking)
        else:
            decided, findings = (), await asking
        if heard.failure:
            findings = heard.unanswered(planned.questions)
        verdicts = in_order(rubric, (*planned.settled, *decided, *findings.verdicts))
        if rubric.components.quoting:
            verdicts = await self._with_evidence(rubric, submission, verdicts)
        usage, seconds = findings.usage, findings.model_seconds
        if asked.facts or heard is not NOT_ASKED:
            usage = asked.usage + heard.usage + usage
            seconds += asked.model_seconds + heard.model_seconds
        flagged = (*inspection.flags, *planned.flags)
        return _Judged(verdicts, flagged, speaker, characters, usage, seconds, asked.facts)

    async def facts(self, submission: Submission, rubric: Rubric, judge: Judge | None, terms: Terms) -> AskedFacts:
        """The facts that a judge may be asked for; it is asked for those that nobody gave, unless the response is
        refused. Raises BadSubmission for a given fact that cannot be read."""
        refused = (await self.inspected(submission, rubric)).refused
        return await self._fact_asker.ask(submission, rubric, None if refused else judge, terms)

    async def inspected(self, submission: Submission, rubric: Rubric) -> guard.Inspection:
        """What the guard finds in a submission."""
        if submission.characters > AT_ONCE_CHARACTERS:
            return await read_apart(self.inspect, submission, rubric)
        return self.inspect(submission, rubric)

    async def _prepared(
        self, submission: Submission, rubric: Rubric, asked: Sequence[FoundFact] = ()
    ) -> tuple[Plan, guard.Inspection]:
        """All processing of the texts before a judge is asked. It takes about a second for 1 MB."""
        steps = self.admission.most_steps
        if submission.characters <= AT_ONCE_CHARACTERS:
            return plan(submission, rubric, steps, asked), self.inspect(submission, rubric)
        digest, planned, inspection = await read_apart(_read, submission, rubric, steps, asked, self.inspect)
        submission.__dict__["digest"] = digest  # as its cached property would
        return planned, inspection

    async def _with_evidence(
        self, rubric: Rubric, submission: Submission, verdicts: tuple[Verdict, ...]
    ) -> tuple[Verdict, ...]:
        if submission.characters > AT_ONCE_CHARACTERS:
            return await read_apart(with_evidence, rubric, submission, verdicts)
        return with_evidence(rubric, submission, verdicts)

    def _warn_of_unread_facts(self, planned: Plan, rubric: Rubric) -> None:
        if planned.unread_facts and (more := self._throttle.of("unread facts")) is not None:
            names = ", ".join(name[:60] for name in planned.unread_facts[:10])
            _LOG.warning("facts that no condition of %s reads: %s%s", rubric.name, names, more)

    def _calibrated(self, found: _Judged, rubric: Rubric) -> _Judged:
        """Verdicts with mapped values if maps were fitted for this judge and rubric."""
        maps = self._calibration_state.maps.active.get((found.judge.fingerprint, rubric.digest))
        if maps is None:
            return found
        judge = found.judge.model_copy(update={"calibration": maps.id})
        return replace(found, verdicts=calibrated(found.verdicts, maps), judge=judge)

    async def _ask(self, planned: Plan, judge: Judge | None, terms: Terms) -> CachedAnswers:
        if judge is None or not planned.questions:
            return CachedAnswers((), Usage(), 0.0)
        with self.admission.classes[terms.priority].asking(len(planned.questions)):
            return await self._cached_judge.verdicts(judge, planned.questions, terms)

    async def _decide(self, planned: Plan, submission: Submission, terms: Terms) -> Sequence[Verdict]:
        return [await self._check(checking, submission, terms) for checking in planned.checks]

    async def _check(self, checking: Checking, submission: Submission, terms: Terms) -> Verdict:
        criterion, step = checking.criterion, checking.step
        try:
            with until(terms.deadline):
                return await checks.decide(criterion, submission, step)
        except TimeoutError:
            return Verdict(
                criterion=criterion.id,
                status=VerdictStatus.UNAVAILABLE,
                source="check",
                points=criterion.points,
                error=Failure.of(DeadlineExceeded("The deadline passed before the check was done.")),
                **(step.place() if step else {}),
            )


def _read(
    submission: Submission,
    rubric: Rubric,
    steps: int,
    asked: Sequence[FoundFact],
    inspect: Callable[[Submission, Rubric], guard.Inspection],
) -> tuple[str, Plan, guard.Inspection]:
    planned = plan(submission, rubric, steps, asked)
    _ = [question.material.digest for question in planned.questions]  # the cache asks for them on the event loop
    return submission.digest, planned, inspect(submission, rubric)


def _new_id() -> str:
    """A random id that sorts by time."""
    return f"jdg_{time.time_ns():016x}{secrets.token_hex(6)}"
