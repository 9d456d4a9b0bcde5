"""A rubric as OpenAI's ``multi`` grader, in words that ``openai_grader`` reads back as the same rubric.

Source: as of ``openai_grader``. A ``label_model`` gives 1 or 0, so levels between are lost; the formula is the sum by
points over the positive points. Grader objects take no further fields, so the name holds title, id and version.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from judge_server.authoring.interchange.grader_prompt import LONGEST_STATEMENT
from judge_server.authoring.interchange.record import losses_of
from judge_server.core.criterion import AnyLeaf, Choice
from judge_server.core.rubric import Rubric

BINARY: Final = ["met", "unmet"]
NAMED: Final = re.compile(r"(?P<title>.+) \((?P<id>[a-z0-9][a-z0-9_./-]*)@(?P<version>\d+\.\d+\.\d+[^\s()]*)\)")
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_TERM = re.compile(rf"\((?P<points>{_NUMBER})\) \* (?P<id>[a-z][a-z0-9_]*)")
_SUM = re.compile(rf"\((?P<terms>.+)\) / (?P<total>{_NUMBER})")
_CLIPPED = re.compile(r"max\(0, min\(1, (?P<sum>.+)\)\)")
_KEPT = frozenset({"statements", "negative points", "nominal criteria", "aggregate points", "aggregate weighted_mean"})


@dataclass(frozen=True)
class WrittenPoints:
    """The points of each criterion in a formula, and whether the result is held within 0 and 1."""

    by_id: dict[str, float]
    clipped: bool


def points_in(formula: str) -> WrittenPoints | None:
    """The points of a formula as ``write`` gives it; None for any other."""
    clipped = _CLIPPED.fullmatch(formula)
    whole = _SUM.fullmatch(clipped["sum"] if clipped else formula)
    terms = [_TERM.fullmatch(term) for term in whole["terms"].split(" + ")] if whole else []
    found = {term["id"]: float(term["points"]) for term in terms if term is not None}
    if whole is None or len(found) < len(terms) or _total(found.values()) != float(whole["total"]):
        return None
    return WrittenPoints(found, clipped is not None)


def _total(points: Any) -> float:
    return float(sum(max(one, 0) for one in points))


def write(rubric: Rubric) -> dict[str, Any]:
    """A ``label_model`` for each criterion, and their sum by points over the positive points."""
    terms = " + ".join(f"({_digits(leaf.points)}) * {leaf.id}" for leaf in rubric.leaves)
    formula = f"({terms}) / {_digits(_total(leaf.points for leaf in rubric.leaves))}"
    return {
        "type": "multi",
        "name": f"{rubric.title} ({rubric.name})",
        "graders": {leaf.id: _written(leaf) for leaf in rubric.leaves},
        "calculate_output": f"max(0, min(1, {formula}))" if _is_clipped(rubric) else formula,
    }


def _is_clipped(rubric: Rubric) -> bool:
    return rubric.aggregate.clip == (0, 1)


def _digits(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _written(leaf: AnyLeaf) -> dict[str, Any]:
    asked = f"Prompt:\n{{{{item.prompt}}}}\n\nResponse:\n{{{{sample.output_text}}}}\n\n{leaf.statement}"
    labels, passing = BINARY, BINARY[:1]
    if isinstance(leaf, Choice):
        labels = [option.label for option in leaf.options]
        passing = [option.label for option in leaf.options if option.value == 1]
    return {
        "type": "label_model",
        "name": leaf.id,
        "model": "default",
        "input": [{"role": "user", "content": asked}],
        "labels": labels,
        "passing_labels": passing,
    }


def losses(rubric: Rubric) -> list[str]:
    """What such a grader cannot say, each with the first criterion that it concerns."""
    told = losses_of(rubric, _KEPT | ({"aggregate clip"} if _is_clipped(rubric) else set()))
    choices = [leaf for leaf in rubric.leaves if isinstance(leaf, Choice)]
    between = [leaf.id for leaf in choices if any(0 < option.value < 1 for option in leaf.options)]
    described = [leaf.id for leaf in choices if any(option.description for option in leaf.options)]
    unclear = [leaf.id for leaf in rubric.leaves if _is_unclear(leaf.statement)]
    for what, named in (
        ("values between 0 and 1", between),
        ("descriptions of options", described),
        ("a statement that is long or has lines or braces", unclear),
    ):
        told += [f"{what} (first: {named[0]})"] if named else []
    return told


def _is_unclear(statement: str) -> bool:
    return len(statement) > LONGEST_STATEMENT or "\n" in statement or "{{" in statement
