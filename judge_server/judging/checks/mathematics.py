"""``math``: the answer's last expression equals the reference, by math-verify in a process of its own."""

from judge_server.core.check import MathCheck
from judge_server.judging.checks import math_process
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import CheckFailed, Finding, passed, quoted

LONGEST_ANSWER = 4_000
LONGEST_REFERENCE = 2_000


def find(spec: MathCheck, material: CheckInput) -> Finding:
    reference = material.compared_with(spec, spec.against)
    if len(reference) > LONGEST_REFERENCE:
        raise CheckFailed(f"The reference has {len(reference)} characters; at most {LONGEST_REFERENCE} are compared.")
    text = material.text
    note = f" (in the last {LONGEST_ANSWER} characters)" if len(text) > LONGEST_ANSWER else ""
    reply = math_process.compare(reference, text[-LONGEST_ANSWER:])
    if "failed" in reply:
        raise CheckFailed(f"{reply['failed'].capitalize()}.")
    if not reply["found"]:
        return passed(False, f"no mathematical expression was found{note}")
    return passed(reply["equal"], f"{'equal' if reply['equal'] else 'not equal'} to {quoted(reference)}{note}")
