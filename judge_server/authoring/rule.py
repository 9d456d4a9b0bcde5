"""A lint rule: a name, a severity, an explanation, and a function that checks a rubric."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from inspect import cleandoc

from judge_server.authoring.cases import CaseFile
from judge_server.authoring.finding import Path, Severity
from judge_server.core.criterion import AnyLeaf, Binary, Choice, Criterion, Group
from judge_server.core.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Remark:
    """A rule's remark on the node at ``path``; ``severity`` overrides the rule's if given."""

    path: Path
    message: str
    suggestion: str | None = None
    severity: Severity | None = None


Look = Callable[[Rubric], Iterable[Remark]]
LookAtCases = Callable[[Rubric, CaseFile], Iterable[Remark]]


@dataclass(frozen=True, slots=True)
class LintRule:
    """One check; ``explanation`` says why it matters. It looks at a rubric, or at a rubric and its cases."""

    name: str
    severity: Severity
    explanation: str
    look: Look | None = None
    look_at_cases: LookAtCases | None = None

    def remarks(self, rubric: Rubric, cases: CaseFile | None) -> Iterable[Remark]:
        if self.look is not None:
            return self.look(rubric)
        return self.look_at_cases(rubric, cases) if self.look_at_cases is not None and cases is not None else ()


def rule(name: str, severity: Severity) -> Callable[[Look], LintRule]:
    """Makes a function a rule; its docstring is the explanation."""

    def made(look: Look) -> LintRule:
        return LintRule(name, severity, cleandoc(look.__doc__ or ""), look)

    return made


def case_rule(name: str, severity: Severity) -> Callable[[LookAtCases], LintRule]:
    """As ``rule``, for a function that looks at the cases too."""

    def made(look: LookAtCases) -> LintRule:
        return LintRule(name, severity, cleandoc(look.__doc__ or ""), look_at_cases=look)

    return made


def located(rubric: Rubric) -> Iterator[tuple[Path, Criterion]]:
    """Every criterion and group with its path, in the order of the text."""
    yield from _below((), rubric.criteria)


def _below(path: Path, criteria: tuple[Criterion, ...]) -> Iterator[tuple[Path, Criterion]]:
    for index, criterion in enumerate(criteria):
        own = (*path, "criteria", index)
        yield own, criterion
        if isinstance(criterion, Group):
            yield from _below(own, criterion.criteria)


def leaves_of(rubric: Rubric) -> Iterator[tuple[Path, AnyLeaf]]:
    """Every criterion that gets a verdict, with its path."""
    return ((path, node) for path, node in located(rubric) if not isinstance(node, Group))


def judged(rubric: Rubric) -> Iterator[tuple[Path, Binary | Choice]]:
    """Every criterion that a judge decides, with its path."""
    return ((path, node) for path, node in located(rubric) if isinstance(node, Binary | Choice))


def binaries(rubric: Rubric) -> Iterator[tuple[Path, Binary]]:
    return ((path, node) for path, node in located(rubric) if isinstance(node, Binary))


def choices(rubric: Rubric) -> Iterator[tuple[Path, Choice]]:
    """Every criterion with options."""
    return ((path, node) for path, node in located(rubric) if isinstance(node, Choice))
