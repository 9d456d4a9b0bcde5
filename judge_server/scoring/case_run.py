"""Runs the cases of a rubric: with the verdicts that they set, or with a judge's."""

from collections.abc import Awaitable, Callable, Sequence

from judge_server.authoring.cases import CaseFile, CaseScenario, RubricCase
from judge_server.core.criterion import CheckCriterion
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.outcome import Outcome
from judge_server.core.reward import reward
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict
from judge_server.judging import checks
from judge_server.scoring.plan import plan

_ROUNDING = 1e-9


class CaseResult(Frozen):
    """``faults``: what differs from the case, one line each. ``agreeing`` of ``compared``: verdicts of the judge that
    are those of the case (both 0 if the verdicts were set)."""

    case: str
    scenario: str
    reward: float | None
    gates: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    agreeing: int = 0
    compared: int = 0
    differing: tuple[str, ...] = ()


class CaseReport(Frozen):
    rubric: str
    digest: str
    judge: str | None
    written_by: str
    results: tuple[CaseResult, ...]

    @property
    def passed(self) -> bool:
        return not any(result.faults for result in self.results)


Judged = tuple[Outcome | Judgment, Sequence[Verdict]]
Score = Callable[[CaseScenario, RubricCase], Awaitable[Judged]]


def set_verdicts(rubric: Rubric, submission: Submission, case: RubricCase) -> Judged:
    """The outcome on the verdicts of a case: programs decide their criteria, and no model is asked."""
    planned = plan(submission, rubric)
    verdicts = list(planned.settled)
    verdicts += [checks.decide_now(one.criterion, submission, one.step) for one in planned.checks]
    for question in planned.questions:
        verdict, step = case.verdict(question.criterion), question.material.step
        verdicts.append(verdict if step is None else verdict.model_copy(update=step.place()))
    return reward(rubric, verdicts, len(submission.read.text)), verdicts


def run_set(rubric: Rubric, file: CaseFile) -> CaseReport:
    """Every case on its own verdicts."""
    checks.prepare(rubric)
    found = {case.id: set_verdicts(rubric, scenario.submission(case, rubric), case) for scenario, case in file.cases()}
    return _report(rubric, file, found, None)


async def run_judged(rubric: Rubric, file: CaseFile, score: Score, judge: str) -> CaseReport:
    """Every case on a judge's verdicts, one after the other."""
    found = {case.id: await score(scenario, case) for scenario, case in file.cases()}
    return _report(rubric, file, found, judge)


def _report(rubric: Rubric, file: CaseFile, found: dict[str, Judged], judge: str | None) -> CaseReport:
    rewards = {name: outcome.reward for name, (outcome, _) in found.items()}
    results = []
    for scenario, case in file.cases():
        outcome, verdicts = found[case.id]
        faults = [*_alone(file, case, outcome), *_beside(scenario, case, rewards)]
        compared = _compared(rubric, case, verdicts) if judge else {}
        results.append(
            CaseResult(
                case=case.id,
                scenario=scenario.id,
                reward=outcome.reward,
                gates=tuple(gate.criterion for gate in outcome.gates),
                faults=tuple(faults),
                agreeing=sum(compared.values()),
                compared=len(compared),
                differing=tuple(name for name, same in compared.items() if not same),
            )
        )
    return CaseReport(
        rubric=rubric.name, digest=rubric.digest, judge=judge, written_by=file.written_by, results=tuple(results)
    )


def _alone(file: CaseFile, case: RubricCase, outcome: Outcome | Judgment) -> list[str]:
    if outcome.reward is None:
        return [f"there is no reward: {outcome.error.detail if outcome.error else 'unknown'}"]
    faults = []
    bounds = file.interval(case)
    if bounds and not bounds[0] - _ROUNDING <= outcome.reward <= bounds[1] + _ROUNDING:
        faults.append(f"the reward {outcome.reward:.3f} is outside [{bounds[0]:g}, {bounds[1]:g}]")
    fired = {gate.criterion for gate in outcome.gates}
    faults += [f"the gate {name} fired" for name in sorted(fired - set(case.gates))]
    faults += [f"the gate {name} did not fire" for name in sorted(set(case.gates) - fired)]
    return faults


def _beside(scenario: CaseScenario, case: RubricCase, rewards: dict[str, float | None]) -> list[str]:
    bad = [other.id for other in scenario.cases if other.grade == "bad"] if case.grade == "good" else []
    faults, own = [], rewards[case.id]
    for other in dict.fromkeys((*bad, *case.above)):
        theirs = rewards[other]
        if own is not None and theirs is not None and own <= theirs + _ROUNDING:
            faults.append(f"its reward {own:.3f} is not above the {theirs:.3f} of {other}")
    return faults


def _compared(rubric: Rubric, case: RubricCase, verdicts: Sequence[Verdict]) -> dict[str, bool]:
    """For each criterion that a judge decided on the whole response: whether it agrees with the case."""
    same = {}
    for verdict in verdicts:
        leaf = rubric.by_id[verdict.criterion]
        if isinstance(leaf, CheckCriterion) or verdict.source != "judge" or verdict.step is not None:
            continue
        wanted = case.verdict(leaf)
        if not verdict.decided or not wanted.decided:
            same[leaf.id] = verdict.status is wanted.status
        elif wanted.option is not None:
            same[leaf.id] = verdict.option == wanted.option
        else:
            same[leaf.id] = ((verdict.value or 0.0) >= 0.5) == ((wanted.value or 0.0) >= 0.5)
    return same
