"""Rules on gates."""

from collections.abc import Iterable

from judge_server.authoring.finding import Severity
from judge_server.authoring.rule import Remark, leaves_of, rule
from judge_server.core.criterion import AnyLeaf, Scale
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
    return (leaf.options[0].value, leaf.options[-1].value) if isinstance(leaf, Scale) else (0.0, 1.0)


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


RULES = (gate_cannot_bite, gate_never_fires, gate_always_fires, gate_against_points)
