"""What a foreign format cannot say."""

from collections.abc import Collection
from typing import Any

from judge_server.core.criterion import Binary, CheckCriterion, Criterion, Group, Scale, nodes
from judge_server.core.rubric import Rubric

_ALWAYS = ("gate", "when", "scope", "reference", "examples", "sources")
_UNUSED: tuple[Any, ...] = (None, "answer", "none", (), {})


def losses_of(rubric: Rubric, keeps: Collection[str]) -> list[str]:
    """One line a feature that the rubric uses and that is not among ``keeps``, naming the first criterion."""
    seen: dict[str, str] = {}
    for node in nodes(rubric.criteria):
        for feature in _features(node):
            if feature not in keeps:
                seen.setdefault(feature, node.id)
    lines = [f"{feature} (first: {name})" for feature, name in seen.items()]
    aggregate = rubric.aggregate
    if f"aggregate {aggregate.kind}" not in keeps:
        lines.append(f"aggregate kind {aggregate.kind}")
    lines += [
        f"aggregate {name}" for name in ("clip", "scale", "length_adjustment") if getattr(aggregate, name) is not None
    ]
    return lines + (["missing policy"] if rubric.missing.policy != "null" else [])


def _features(node: Criterion) -> list[str]:
    kinds = {Group: "groups", Scale: "scale criteria", CheckCriterion: "checks", Binary: "statements"}
    defaults = type(node).model_fields
    used = [kinds[type(node)]]
    used += [
        name for name in _ALWAYS if name in defaults and getattr(node, name) not in (None, "answer", "none", (), {})
    ]
    if isinstance(node, Group) and node.aggregate.kind != "weighted_mean":
        used.append(f"group aggregate {node.aggregate.kind}")
    if node.tags:
        used.append("tags")
    if node.points < 0:
        used.append("negative points")
    return used
