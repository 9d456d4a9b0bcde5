"""What has to be found out for one submission: what applies, what a program decides, what a judge is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge_server.core.condition import applies
from judge_server.core.criterion import AnyLeaf, CheckCriterion, Criterion, Group, Judged
from judge_server.core.errors import BadSubmission
from judge_server.core.response import Step
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.judging import guard
from judge_server.judging.material import Material, Materials

MOST_STEPS = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """One criterion on one material: a step's question has the material of that step."""

    criterion: Judged
    material: Material


@dataclass(frozen=True, slots=True)
class Checking:
    """One programmatic criterion, on the whole response or on one step of it."""

    criterion: CheckCriterion
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """``settled`` needs nobody: criteria that do not apply here, or that read what the response does not have."""

    applicable: tuple[AnyLeaf, ...]
    settled: tuple[Verdict, ...]
    checks: tuple[Checking, ...]
    questions: tuple[Question, ...]


def plan(submission: Submission, rubric: Rubric) -> Plan:
    """Raises BadSubmission when a criterion that applies needs a reference and there is none, and for a response of
    more steps than can be judged one by one."""
    known = submission.known()
    applicable = tuple(_applicable(rubric.criteria, known))
    _require_reference(submission, rubric, applicable)
    _require_few_steps(submission, applicable)
    materials = Materials(submission)
    names = {leaf.id for leaf in applicable}
    settled = [_not_applicable(leaf) for leaf in rubric.leaves if leaf.id not in names]
    checks: list[Checking] = []
    questions: list[Question] = []
    for leaf in applicable:
        if leaf.scope == "step" and not submission.read.steps:
            settled.append(_not_applicable(leaf))
        elif isinstance(leaf, CheckCriterion):
            checks += [Checking(leaf, step) for step in (submission.read.steps if leaf.scope == "step" else (None,))]
        else:
            read = materials.of(leaf)
            questions += [Question(leaf, material) for material in read if not material.blank]
            settled += [guard.unmet(leaf, leaf.scope) for material in read if material.blank]
    return Plan(applicable, tuple(settled), tuple(checks), tuple(questions))


def _require_reference(submission: Submission, rubric: Rubric, applicable: Sequence[AnyLeaf]) -> None:
    if (submission.reference or "").strip():
        return
    needing = [leaf.id for leaf in applicable if leaf.reference == "required"]
    if needing:
        raise BadSubmission(
            f"reference: {rubric.name} judges {', '.join(needing)} against a reference, and the submission has none.",
            remedy="Add the field reference with the reference answer, or use a rubric that needs none.",
        )


def _require_few_steps(submission: Submission, applicable: Sequence[AnyLeaf]) -> None:
    by_step = [leaf.id for leaf in applicable if leaf.scope == "step"]
    steps = len(submission.read.steps)
    if by_step and steps > MOST_STEPS:
        raise BadSubmission(
            f"response: {steps} steps are more than the {MOST_STEPS} that {', '.join(by_step)} can judge one by one.",
            remedy="Separate steps by blank lines only where one ends, or give these criteria another scope.",
        )


def _applicable(criteria: tuple[Criterion, ...], known: dict[str, object]) -> Iterator[AnyLeaf]:
    """A group that does not apply takes its children with it."""
    for criterion in criteria:
        if not applies(criterion.when, known):
            continue
        if isinstance(criterion, Group):
            yield from _applicable(criterion.criteria, known)
        else:
            yield criterion


def _not_applicable(leaf: AnyLeaf) -> Verdict:
    return Verdict(
        criterion=leaf.id,
        status=VerdictStatus.NOT_APPLICABLE,
        source="check" if isinstance(leaf, CheckCriterion) else "judge",
        points=leaf.points,
    )
