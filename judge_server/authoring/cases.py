"""Cases of a rubric: responses with the verdicts that an expert would give. They are no part of the rubric's digest.

They stand in ``cases/<id>.yaml`` beside the lock, or in the rubric file under ``tests``. A verdict that a case leaves
out is "not met", or the option of the lowest value.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from judge_server.authoring.finding import RubricFinding, dotted, refusal
from judge_server.authoring.folder import CASES, home_of
from judge_server.authoring.parsing import Parsed
from judge_server.authoring.reading import MOST_BYTES, read
from judge_server.core.criterion import AnyLeaf, Binary, CheckCriterion, Choice
from judge_server.core.model import Frozen, Number
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Conversation, Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.util.canonical import JsonObject

Interval = tuple[Number, Number]
Grade = Literal["good", "fair", "bad"]


class RubricCase(Frozen):
    """``met``, ``options`` and ``absent``: the verdicts, ``absent`` for criteria that do not apply to this response.
    ``gates``: those that must fire; no other may. ``reward``: its interval. ``aims_at``: the gate that an adversarial
    case tries to fire or to evade. ``above``: cases whose reward is lower."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    grade: Grade
    response: str | Conversation
    met: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    absent: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    reward: Interval | None = None
    aims_at: str | None = None
    above: tuple[str, ...] = ()
    why: str | None = None
    facts: JsonObject = Field(default_factory=dict)

    def verdict(self, criterion: AnyLeaf) -> Verdict:
        """The verdict that this case sets."""
        given: dict[str, Any] = {"criterion": criterion.id, "source": "judge", "points": criterion.points}
        if criterion.id in self.absent:
            return Verdict(status=VerdictStatus.NOT_APPLICABLE, **given)
        if isinstance(criterion, Choice):
            worst = min(criterion.options, key=lambda option: option.value).label
            label = self.options.get(criterion.id, worst)
            value = next(option.value for option in criterion.options if option.label == label)
            return Verdict(status=VerdictStatus.OK, value=value, option=label, options={label: 1.0}, **given)
        value = float(criterion.id in self.met)
        return Verdict(status=VerdictStatus.OK, value=value, met=value, **given)


class CaseScenario(Frozen):
    """A prompt with several responses. Each good one must have a higher reward than each bad one."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    prompt: str | Conversation
    reference: str | None = None
    facts: JsonObject = Field(default_factory=dict)
    cases: tuple[RubricCase, ...] = Field(min_length=1)

    def submission(self, case: RubricCase, rubric: Rubric) -> Submission:
        return Submission(
            rubric=rubric,
            prompt=self.prompt,
            response=case.response,
            reference=self.reference,
            facts={**self.facts, **case.facts},
        )


class CaseFile(Frozen):
    """``written_by``: whose verdicts these are. ``rewards``: the interval of each grade, unless a case gives its
    own."""

    rubric: str | None = None
    written_by: str = Field(min_length=3)
    rewards: dict[Grade, Interval] = Field(default_factory=dict)
    scenarios: tuple[CaseScenario, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_id_once(self) -> Self:
        names = [case.id for _, case in self.cases()]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two cases have the same id: {', '.join(repeated)}")
        unknown = sorted({other for _, case in self.cases() for other in case.above} - set(names))
        if unknown:
            raise ValueError(f"above names unknown cases: {', '.join(unknown)}")
        return self

    def cases(self) -> Iterator[tuple[CaseScenario, RubricCase]]:
        return ((scenario, case) for scenario in self.scenarios for case in scenario.cases)

    def interval(self, case: RubricCase) -> Interval | None:
        return case.reward or self.rewards.get(case.grade)

    def misfits(self, rubric: Rubric) -> list[str]:
        """What does not fit the rubric: unknown criteria, options and gates, one line each."""
        return [f"{case.id}: {text}" for _, case in self.cases() for text in _misfits(case, rubric)]


def _misfits(case: RubricCase, rubric: Rubric) -> Iterator[str]:
    for name in (*case.met, *case.absent, *case.options):
        leaf = rubric.by_id.get(name)
        if leaf is None:
            yield f"there is no criterion {name!r}"
        elif isinstance(leaf, CheckCriterion):
            yield f"{name} is decided by a program"
        elif name in case.met and not isinstance(leaf, Binary):
            yield f"{name} has options; write options: {{{name}: LABEL}}"
        elif name in case.options and (
            not isinstance(leaf, Choice) or case.options[name] not in {option.label for option in leaf.options}
        ):
            yield f"{name} has no option {case.options[name]!r}"
        elif name in case.absent and getattr(leaf, "if_absent", None) != "skip":
            yield f"{name} always applies; only if_absent: skip lets a criterion be absent"
    gates = {leaf.id for leaf in rubric.leaves if leaf.gate}
    for name in (*case.gates, *([case.aims_at] if case.aims_at else [])):
        if name not in gates:
            yield f"{name!r} is no gate"


def cases_of(parsed: Parsed) -> CaseFile | None:
    """The cases of a rubric file: those under its ``tests``, or else those in ``cases/<id>.yaml``. None if there are
    none. Raises BadRubric with the place of a fault."""
    if parsed.tests is not None:
        return _validated(parsed.tests, parsed.file)
    if parsed.file is None:
        return None
    home = home_of(Path(parsed.file))
    path = home / CASES / f"{parsed.rubric.id}.yaml"
    return read_cases(path) if path.is_file() else None


def read_cases(path: Path) -> CaseFile:
    """The cases in a file. Raises BadRubric with the place of a fault."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as fault:
        found = RubricFinding.at(None, "unreadable", f"the file cannot be read: {fault.strerror}", file=str(path))
        raise refusal([found]) from None
    document = read(content, str(path))
    if document.findings:
        raise refusal(document.findings)
    return _validated(document.value, str(path))


def _validated(data: Any, file: str | None) -> CaseFile:
    if isinstance(data, list):
        data = {"written_by": "the rubric's authors", "scenarios": data}
    try:
        return CaseFile.model_validate(data if isinstance(data, Mapping) else {})
    except ValidationError as fault:
        raise refusal(list(_findings(fault, file))[:20]) from None


def _findings(fault: ValidationError, file: str | None) -> Iterator[RubricFinding]:
    """One for each fault, without those that a list has only because its parts have some."""
    faults = fault.errors(include_url=False)
    for one in faults:
        place = one["loc"]
        if not any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in faults):
            yield RubricFinding.at(None, "bad-case", f"{dotted(place) or 'cases'}: {one['msg']}", file=file, path=place)
