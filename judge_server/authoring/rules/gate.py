"""Rules on gates."""

import re
from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, judged, leaves_of, rule
from judge_server.core.criterion import AnyLeaf, Choice
from judge_server.core.rubric import Rubric


@rule("gate-cannot-bite", Severity.WARNING)
def gate_cannot_bite(rubric: Rubric) -> Iterable[Remark]:
    """A gate caps the reward at its own. At or above the highest possible reward it caps nothing."""
    ceiling = rubric.aggregate.ceiling
    for path, leaf in leaves_of(rubric):
        if leaf.gate and ceiling is not None and leaf.gate.reward >= ceiling:
            message = f"the gate's reward {leaf.gate.reward:g} is not below the highest reward {ceiling:g}"
            yield Remark((*path, "gate"), message, "lower the gate's reward")


@rule("gate-never-fires", Severity.WARNING)
def gate_never_fires(rubric: Rubric) -> Iterable[Remark]:
    """The threshold lies beyond every value the criterion can have."""
    for path, leaf in leaves_of(rubric):
        low, high = _range(leaf)
        if leaf.gate and not leaf.gate.fires(high if leaf.gate.when == "met" else low):
            message = f"no value in [{low:g}, {high:g}] fires this gate at threshold {leaf.gate.threshold:g}"
            yield Remark((*path, "gate"), message, "move the threshold")


@rule("gate-always-fires", Severity.WARNING)
def gate_always_fires(rubric: Rubric) -> Iterable[Remark]:
    """Every value the criterion can have fires the gate: the rubric has one reward."""
    for path, leaf in leaves_of(rubric):
        low, high = _range(leaf)
        if leaf.gate and leaf.gate.fires(low) and leaf.gate.fires(high):
            message = f"every value in [{low:g}, {high:g}] fires this gate at threshold {leaf.gate.threshold:g}"
            yield Remark((*path, "gate"), message, "move the threshold")


def _range(leaf: AnyLeaf) -> tuple[float, float]:
    return (min(leaf.values), max(leaf.values)) if isinstance(leaf, Choice) else (0.0, 1.0)


@rule("gate-against-points", Severity.WARNING)
def gate_against_points(rubric: Rubric) -> Iterable[Remark]:
    """A gate that fires on what the points reward, or spares what they punish."""
    for path, leaf in leaves_of(rubric):
        if leaf.gate is None:
            continue
        if leaf.points > 0 and leaf.gate.when == "met":
            message = "the gate fires when something that earns points is met"
            yield Remark((*path, "gate"), message, "write when: unmet, or give negative points")
        elif leaf.points < 0 and leaf.gate.when == "unmet":
            message = "the gate fires when something bad is absent"
            yield Remark((*path, "gate"), message, "write when: met, or give positive points")


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


RULES = (
    gate_cannot_bite,
    gate_never_fires,
    gate_always_fires,
    gate_against_points,
    veto_on_topic,
    veto_without_effect,
)
