"""Rules on a rubric together with its cases."""

from collections.abc import Iterable

from judge_server.authoring.cases import CaseFile
from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, case_rule, leaves_of
from judge_server.core.criterion import CheckCriterion
from judge_server.core.rubric import Rubric


@case_rule("misfitting-case", Severity.ERROR)
def misfitting_case(rubric: Rubric, cases: CaseFile) -> Iterable[Remark]:
    """A case names a criterion, an option or a gate that the rubric does not have."""
    for text in cases.misfits(rubric):
        yield Remark(("criteria",), f"case {text}", "correct the case")


@case_rule("gate-fires-on-good-case", Severity.ERROR)
def gate_fires_on_good_case(rubric: Rubric, cases: CaseFile) -> Iterable[Remark]:
    """A response that the rubric's own cases call good fires a gate: the gate is worded too widely."""
    for path, leaf in leaves_of(rubric):
        if leaf.gate is None or leaf.gate.when != "met" or isinstance(leaf, CheckCriterion):
            continue
        for _, case in cases.cases():
            value = case.verdict(leaf).value if case.grade == "good" else None
            if value is not None and leaf.gate.fires(value):
                message = f"the gate {leaf.id} fires on the good case {case.id}"
                yield Remark((*path, "gate"), message, "narrow the statement until the gate spares what is good")


@case_rule("gate-without-cases", Severity.INFO)
def gate_without_cases(rubric: Rubric, cases: CaseFile) -> Iterable[Remark]:
    """No case fires this gate, or no good case comes near it: nothing shows where it bites."""
    aimed = {case.aims_at for _, case in cases.cases()} | {gate for _, case in cases.cases() for gate in case.gates}
    for path, leaf in leaves_of(rubric):
        if leaf.gate is not None and leaf.id not in aimed:
            yield Remark((*path, "gate"), f"no case aims at the gate {leaf.id}", "add cases with aims_at")


RULES = (misfitting_case, gate_fires_on_good_case, gate_without_cases)
