"""``contains``: texts that must, or must not, stand in the response."""

from judge_server.core.check import ContainsCheck
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, passed, quoted


def find(spec: ContainsCheck, material: CheckInput) -> Finding:
    text = material.text.casefold() if spec.ignore_case else material.text

    def stands(wanted: str) -> bool:
        return (wanted.casefold() if spec.ignore_case else wanted) in text

    missing = next((wanted for wanted in spec.all if not stands(wanted)), None)
    if missing is not None:
        return passed(False, f"{quoted(missing)} is missing")
    present = next((wanted for wanted in spec.none if stands(wanted)), None)
    if present is not None:
        return passed(False, f"{quoted(present)} is there and should not be")
    if spec.any:
        one = next((wanted for wanted in spec.any if stands(wanted)), None)
        if one is None:
            return passed(False, f"none of {len(spec.any)} texts was found, {quoted(spec.any[0])} among them")
        return passed(True, f"{quoted(one)} was found")
    return passed(True, "every wanted text is there" if spec.all else "none of the unwanted texts is there")
