"""A rubric as a document: its criteria in rows, when each applies, which facts are read, and how the reward is made."""

from typing import Any, Final

from judge_server.core.condition import Condition
from judge_server.core.criterion import Binary, CheckCriterion, Choice, Criterion, Group
from judge_server.core.rubric import Rubric

_KINDS: Final = {"binary": "yes or no", "scale": "one of ordered options", "nominal": "one of unordered options"}
_REWARDS: Final = {
    "points": "Points earned, divided by the most that can be earned.",
    "weighted_mean": "Mean of the values, weighted by points.",
    "all": "The least satisfied criterion.",
    "any": "The most satisfied criterion.",
    "expression": "Computed from criteria and tags",
}
_MISSING: Final = {
    "null": "If a verdict is missing, there is no reward.",
    "skip": "Criteria without a verdict are left out.",
    "worst": "Criteria without a verdict count as the worst.",
}


def rubric_rows(criteria: tuple[Criterion, ...], level: int = 0) -> list[dict[str, Any]]:
    """A row for each criterion and group, in order: how it is decided, in words."""
    rows: list[dict[str, Any]] = []
    for node in criteria:
        rows.append(
            {
                "id": node.id,
                "level": level,
                "points": node.points,
                "statement": node.statement,
                "kind": _kind(node),
                "options": node.options if isinstance(node, Choice) else (),
                "items": (node.any_of or node.all_of or ()) if isinstance(node, Binary) else (),
                "all": isinstance(node, Binary) and bool(node.all_of),
                "gate": None if isinstance(node, Group) else node.gate,
                "when": " and ".join(condition_in_words(path, one) for path, one in node.when.items()),
                "examples": node.examples if isinstance(node, Binary) else (),
                "sources": () if isinstance(node, Group) else node.sources,
            }
        )
        if isinstance(node, Group):
            rows += rubric_rows(node.criteria, level + 1)
    return rows


def condition_in_words(path: str, condition: Condition) -> str:
    """Such as ``facts.emergency is true``."""
    given = condition.model_fields_set
    if condition.exists is not None:
        return f"{path} is {'given' if condition.exists else 'not given'}"
    if "not_" in given:
        return f"{path} is not {_value(condition.not_)}"
    if condition.gte is not None or condition.lte is not None:
        bounds = [(condition.gte, "at least"), (condition.lte, "at most")]
        return f"{path} is " + " and ".join(f"{words} {bound:g}" for bound, words in bounds if bound is not None)
    if condition.one_of is not None:
        return f"{path} is {' or '.join(map(_value, condition.one_of))}"
    return f"{path} is {_value(condition.equals)}"


def reward_in_words(rubric: Rubric) -> str:
    """Aggregation, limits, and what becomes of criteria without a verdict."""
    rule = rubric.aggregate
    said = [_REWARDS[rule.kind] + (f": {rule.expression}." if rule.kind == "expression" else "")]
    if rule.clip is not None:
        said.append(f"It is kept between {rule.clip[0]:g} and {rule.clip[1]:g}.")
    return " ".join([*said, _MISSING[rubric.missing.policy]])


def _value(value: object) -> str:
    if value is None:
        return "not given"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(node: Criterion) -> str:
    if isinstance(node, CheckCriterion):
        return f"checked by a program: {node.check.kind}"
    return _KINDS.get(node.kind, node.kind)
