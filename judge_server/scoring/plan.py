"""What has to be found out for one submission: what applies, what a program decides, what a judge is asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from judge_server.core.condition import applies
from judge_server.core.criterion import AnyLeaf, CheckCriterion, Criterion, Group, Judged
from judge_server.core.errors import BadSubmission
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.judging.material import Material, Materials


@dataclass(frozen=True, slots=True)
class Question:
    """One criterion on one material: a step's question has the material of that step."""

    criterion: Judged
    material: Material


@dataclass(frozen=True, slots=True)
class Plan:
    """``settled`` needs nobody: criteria that do not apply here."""

    applicable: tuple[AnyLeaf, ...]
    settled: tuple[Verdict, ...]
    checks: tuple[CheckCriterion, ...]
    questions: tuple[Question, ...]


def plan(submission: Submission, rubric: Rubric) -> Plan:
    """Raises BadSubmission when a criterion that applies needs a reference and there is none."""
    known = submission.known()
    applicable = tuple(_applicable(rubric.criteria, known))
    absent = [
        leaf.id for leaf in applicable if leaf.reference == "required" and not (submission.reference or "").strip()
    ]
    if absent:
        raise BadSubmission(
            f"reference: {rubric.name} judges {', '.join(absent)} against a reference, and the submission has none.",
            remedy="Add the field reference with the reference answer, or use a rubric that needs none.",
        )
    materials = Materials(submission)
    names = {leaf.id for leaf in applicable}
    questions: list[Question] = []
    settled = [_not_applicable(leaf) for leaf in rubric.leaves if leaf.id not in names]
    for leaf in applicable:
        if isinstance(leaf, CheckCriterion):
            continue
        read = materials.of(leaf)
        questions += [Question(leaf, material) for material in read]
        if not read:
            settled.append(_not_applicable(leaf))
    checks = tuple(leaf for leaf in applicable if isinstance(leaf, CheckCriterion))
    return Plan(applicable, tuple(settled), checks, tuple(questions))


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
