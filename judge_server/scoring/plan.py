"""Plan one submission: which criteria apply, which ones a program decides, which ones a judge is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from judge_server.core.condition import applies
from judge_server.core.criterion import AnyLeaf, CheckCriterion, Criterion, Group, Judged
from judge_server.core.errors import BadSubmission
from judge_server.core.fact import FoundFact
from judge_server.core.rubric import Rubric
from judge_server.core.step import Step, joined
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.guard import guard
from judge_server.judging.judge_input import JudgeInput, JudgeInputs
from judge_server.scheduling.admission import MOST_STEPS

STEPS_JOINED = "steps_joined"


class Question(NamedTuple):
    """One criterion on one judge input: for a step's question, the input of that step. ``sources``: names of the texts
    and the caller that it is about, if it is no part of a plan."""

    criterion: Judged
    material: JudgeInput
    sources: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Checking:
    """One programmatic criterion, on the whole response or on one step of it."""

    criterion: CheckCriterion
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """``settled``: verdicts of criteria that do not apply, or whose part of the response is missing, or of which it is
    ``undecided`` whether they apply. ``flags``: ``steps_joined`` if the response has more steps than are judged one by
    one. ``unread_facts``: names of given facts that no condition reads."""

    applicable: tuple[AnyLeaf, ...]
    settled: tuple[Verdict, ...]
    checks: tuple[Checking, ...]
    questions: tuple[Question, ...]
    flags: tuple[str, ...] = ()
    unread_facts: tuple[str, ...] = ()
    undecided: tuple[AnyLeaf, ...] = ()


def plan(submission: Submission, rubric: Rubric, most_steps: int = MOST_STEPS, asked: Sequence[FoundFact] = ()) -> Plan:
    """``asked``: facts that a judge read or failed to read; criteria that depend on one it failed to read are missing
    verdicts with its failure.

    Raises BadSubmission if a fact cannot be read as its type, or if a criterion that applies needs a reference and
    there is none. Steps beyond ``most_steps`` are judged together with the last: all text is judged at a bounded
    cost."""
    told = {one.name: one.value for one in asked if one.source == "judge" and one.status == "ok"}
    reading = rubric.read_facts({**submission.facts, **told} if told else submission.facts)
    known: dict[str, object] = {"facts": reading.facts, "reference": submission.reference, "policy": submission.policy}
    failed = {f"facts.{one.name}": one for one in asked if one.error is not None}
    applicable, doubts = rubric.leaves, dict[str, tuple[AnyLeaf, FoundFact]]()
    if rubric.components.conditional:
        decided = tuple(_applicable(rubric.criteria, known, failed))
        applicable = tuple(leaf for leaf, doubt in decided if doubt is None)
        doubts = {leaf.id: (leaf, doubt) for leaf, doubt in decided if doubt is not None}
    _require_reference(submission, rubric, applicable)
    found: tuple[Step, ...] = ()
    steps = found
    if rubric.components.stepwise and any(leaf.scope == "step" for leaf in applicable):
        response = submission.response
        found = submission.read.steps
        steps = joined(found, most_steps, response if isinstance(response, str) else None)
    materials = JudgeInputs(submission, steps, reading.shown)
    settled = [_undecided(leaf, doubt) for leaf, doubt in doubts.values()]
    if len(applicable) < len(rubric.leaves):
        names = {leaf.id for leaf in applicable} | doubts.keys()
        settled = [_not_applicable(leaf) for leaf in rubric.leaves if leaf.id not in names] + settled
    checks: list[Checking] = []
    questions: list[Question] = []
    parts: dict[tuple[str, bool], list[JudgeInput | None]] = {}
    asked_as = rubric.asked
    for leaf in applicable:
        if leaf.scope == "step" and not steps:
            settled.append(_not_applicable(leaf))
        elif isinstance(leaf, CheckCriterion):
            checks += [Checking(leaf, step) for step in (steps if leaf.scope == "step" else (None,))]
        else:
            part = (leaf.scope, leaf.reference == "none")
            if part not in parts:
                parts[part] = materials.of(leaf)
            for material in parts[part]:
                if material is not None:
                    questions.append(Question(asked_as[leaf.id], material))
                else:
                    settled.append(guard.unmet(leaf, leaf.scope))
    flags = (STEPS_JOINED,) if len(steps) < len(found) else ()
    undecided = tuple(leaf for leaf, _ in doubts.values())
    return Plan(applicable, tuple(settled), tuple(checks), tuple(questions), flags, reading.unread, undecided)


def in_order(rubric: Rubric, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts in the rubric's order of criteria, and by step."""
    places = rubric.components.places
    return tuple(sorted(verdicts, key=lambda verdict: (places[verdict.criterion], verdict.step or 0)))


def _require_reference(submission: Submission, rubric: Rubric, applicable: Sequence[AnyLeaf]) -> None:
    if (submission.reference or "").strip():
        return
    needing = [leaf.id for leaf in applicable if leaf.reference == "required"]
    if needing:
        raise BadSubmission(
            f"reference: {rubric.name} judges {', '.join(needing)} against a reference, and the submission has none.",
            remedy="Add the field reference with the reference answer, or use a rubric that needs none.",
        )


def _applicable(
    criteria: tuple[Criterion, ...],
    known: dict[str, object],
    failed: Mapping[str, FoundFact],
    above: FoundFact | None = None,
) -> Iterator[tuple[AnyLeaf, FoundFact | None]]:
    """Each criterion that applies, or that may apply, with the fact that leaves this undecided. ``failed``: by path,
    the facts that a judge failed to read. If a group does not apply, neither do its children."""
    for criterion in criteria:
        doubt = above
        if criterion.when:
            certain = {path: wanted for path, wanted in criterion.when.items() if path not in failed}
            if not applies(certain, known):
                continue
            doubt = doubt or next((failed[path] for path in criterion.when if path in failed), None)
        if isinstance(criterion, Group):
            yield from _applicable(criterion.criteria, known, failed, doubt)
        else:
            yield criterion, doubt


def _undecided(leaf: AnyLeaf, fact: FoundFact) -> Verdict:
    """A missing verdict: whether the criterion applies depends on a fact that the judge failed to read."""
    cause = fact.error
    said = f"Whether this criterion applies depends on facts.{fact.name}, which the judge failed to read."
    return Verdict(
        criterion=leaf.id,
        status=VerdictStatus(fact.status),
        source="check" if isinstance(leaf, CheckCriterion) else "judge",
        points=leaf.points,
        error=Failure(type=cause.type, detail=f"{said} {cause.detail}") if cause else None,
    )


def _not_applicable(leaf: AnyLeaf) -> Verdict:
    return Verdict(
        criterion=leaf.id,
        status=VerdictStatus.NOT_APPLICABLE,
        source="check" if isinstance(leaf, CheckCriterion) else "judge",
        points=leaf.points,
    )
