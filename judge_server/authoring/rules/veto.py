"""Rules on the guard's vetoes."""

import re
from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, judged, leaves_of, rule
from judge_server.core.rubric import Rubric

_ON_ATTACKS = re.compile(
    r"\b(?:prompt injection|injected|jailbreak|(?:ignor|disregard)\w* (?:\w+ ){0,3}instruction|adversarial prompt|"
    r"red.team|system prompt|grader|grading|rubric|(?:chat|control) (?:template|token))",
    re.IGNORECASE,
)


@rule("veto-on-topic", Severity.WARNING)
def veto_on_topic(rubric: Rubric) -> Iterable[Remark]:
    """A rubric about attacks or grading that vetoes ``injection_suspected``: good answers quote what they speak of, and
    get the lowest reward."""
    if "injection_suspected" not in rubric.guard.veto:
        return
    for path, leaf in judged(rubric):
        found = _ON_ATTACKS.search(leaf.statement)
        if found:
            message = f"good answers to {found.group()!r} may bear the marks of an attack, which this rubric vetoes"
            yield Remark(
                (*path, "statement"), message, "take injection_suspected out of guard.veto, or put it in allow"
            )


@rule("veto-without-effect", Severity.INFO)
def veto_without_effect(rubric: Rubric) -> Iterable[Remark]:
    """``criteria_echo`` needs two statements of 30 characters to recite; a rubric with fewer never raises it."""
    long = [leaf for _, leaf in leaves_of(rubric) if len(leaf.statement) >= 30]
    if "criteria_echo" in rubric.guard.veto and len(long) < 2:
        yield Remark(("guard", "veto"), "criteria_echo is never raised under this rubric", "leave it out")


RULES = (veto_on_topic, veto_without_effect)
