"""Advice on a valid rubric: runs every lint rule and places each remark in the text."""

from collections.abc import Collection

from judge_server.authoring.cases import cases_of
from judge_server.authoring.finding import Path, RubricFinding, Severity, TextPosition, TextPositions, in_order
from judge_server.authoring.parsing import Parsed
from judge_server.authoring.rule import LintRule
from judge_server.authoring.rules import anchor, case, evidence, gate, premise, program, shape, statement, weight

RULES: tuple[LintRule, ...] = (
    *statement.RULES,
    *premise.RULES,
    *weight.RULES,
    *gate.RULES,
    *anchor.RULES,
    *program.RULES,
    *shape.RULES,
    *evidence.RULES,
    *case.RULES,
)


def lint(parsed: Parsed, without: Collection[str] = ()) -> list[RubricFinding]:
    """Findings in the order of the text, leaving out the rules named in ``without``. Raises BadRubric if the rubric's
    cases cannot be read."""
    cases = cases_of(parsed)
    found = [
        RubricFinding.at(
            _position(parsed.places, remark.path),
            entry.name,
            remark.message,
            severity=remark.severity or entry.severity,
            file=parsed.file,
            path=remark.path,
            suggestion=remark.suggestion,
        )
        for entry in RULES
        if entry.name not in without
        for remark in entry.remarks(parsed.rubric, cases)
    ]
    return in_order(found)


def errors(findings: Collection[RubricFinding]) -> list[RubricFinding]:
    """The findings that prevent publication."""
    return [found for found in findings if found.severity is Severity.ERROR]


def _position(places: TextPositions, path: Path) -> TextPosition | None:
    if path[-1:] == ("points",) and not places.has(path):
        path = (*path[:-1], "weight")
    return places.of_value(path)
