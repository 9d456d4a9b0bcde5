"""``regex``: how often a pattern occurs."""

from judge_server.core.check import RegexCheck
from judge_server.judging.checks import pattern
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, counted, passed


def prepare(spec: RegexCheck) -> None:
    pattern.check(spec.pattern, spec.flags)


def find(spec: RegexCheck, material: CheckInput) -> Finding:
    least, most = spec.count.least, spec.count.max
    limit = (least if most is None else most + 1) or 1
    number = pattern.count(spec.pattern, spec.flags, material.text, limit)
    if (least, most) == (1, None):
        return passed(number > 0, "the pattern was found" if number else "the pattern was not found")
    return counted(number, "matches of the pattern", least, most)
