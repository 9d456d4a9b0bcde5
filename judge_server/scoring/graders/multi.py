"""``multi``: a formula over the scores of several graders. One that failed leaves the whole without a score."""

from collections import Counter
from collections.abc import Mapping
from functools import reduce

from judge_server.core.errors import GraderFailed
from judge_server.core.expression import UndefinedResult
from judge_server.core.grader import Multi
from judge_server.core.judgment import Usage
from judge_server.scoring.graders.grade import Fault, Grade


def combined(grader: Multi, parts: Mapping[str, Grade]) -> Grade:
    """The formula's value; a fault where a part has one, or where the formula has no finite value for these scores."""
    scores = {key: grade.score for key, grade in parts.items()}
    faults = tuple(fault for grade in parts.values() for fault in grade.every_fault)
    fault = _worst(faults)
    score: float | None = None
    if fault is None:
        known = {key: value for key, value in scores.items() if value is not None}
        try:
            score = grader.formula.evaluate(known)
        except UndefinedResult as undefined:
            fault = Fault.of(GraderFailed(f"calculate_output: {undefined}.", flag="formula_parse_error"))
    models = tuple(dict.fromkeys(model for grade in parts.values() for model in grade.models))
    return Grade(score, fault, scores, faults, _summed(parts), models)


def _worst(faults: tuple[Fault, ...]) -> Fault | None:
    """The one that would be there again if the request were sent again, else the first."""
    lasting = [fault for fault in faults if fault.failure.type == GraderFailed.type]
    return next(iter(lasting or faults), None)


def _summed(parts: Mapping[str, Grade]) -> dict[str, Usage]:
    judges = Counter(judge for grade in parts.values() for judge in grade.usage)
    return {
        judge: reduce(Usage.__add__, (grade.usage[judge] for grade in parts.values() if judge in grade.usage))
        for judge in judges
    }
