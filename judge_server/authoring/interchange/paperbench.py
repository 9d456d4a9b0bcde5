"""PaperBench trees: ``{id, requirements, weight, sub_tasks: [...], task_category?}``.

A leaf is met or not; a parent's score is the weighted mean of its children's.
"""

import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.entry import number_of
from judge_server.authoring.interchange.identity import DESCRIPTIVE, identified, identity_of
from judge_server.authoring.interchange.record import first_given, losses_of, slug, wrong_shape
from judge_server.authoring.parsing import from_data
from judge_server.core.criterion import Criterion, Group
from judge_server.core.rubric import Rubric

_KEPT = frozenset(("statements", "groups", "tags", "aggregate weighted_mean"))
_SHAPE = "A node is {id, requirements, weight, sub_tasks: [nodes]}."
_TAG = "category:"
_MOST_LEVELS = 60
_GIVEN_ID = re.compile(r"[a-z][a-z0-9_]{0,99}\Z")
_UUID_LIKE = re.compile(r"[0-9a-f-]{16,}\Z")


def fits(record: Any) -> bool:
    """Whether a record is a node with a weight or children."""
    return isinstance(record, Mapping) and "requirements" in record and ("sub_tasks" in record or "weight" in record)


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """Convert a tree; its root becomes the rubric."""
    if not isinstance(record, Mapping) or not isinstance(record.get("requirements"), str):
        raise wrong_shape(where, "the root has no requirements", _SHAPE)
    taken: set[str] = set()
    record.get("weight")  # of the root, which is the whole score
    branches = record.get("sub_tasks") or [record]
    title = record["requirements"].strip()
    made_id = f"paperbench/{slug(str(first_given(record.get('id'), title)), set())}"
    data: dict[str, Any] = {
        **identified(record, rubric_id, id=made_id, version="1.0.0", title=title[:500] or "Imported tree"),
        "aggregate": {"kind": "weighted_mean"},
        "criteria": [_node(node, taken, where, 1) for node in branches],
    }
    return from_data(data, file=where).rubric


def _node(node: Any, taken: set[str], where: str, level: int) -> dict[str, Any]:
    if level > _MOST_LEVELS:
        raise wrong_shape(where, f"the tree has more than {_MOST_LEVELS} levels", "Flatten it.")
    if not isinstance(node, Mapping) or not isinstance(node.get("requirements"), str):
        raise wrong_shape(where, "a node has no requirements", _SHAPE)
    text = node["requirements"].strip()
    given = str(first_given(node.get("id"), default=""))
    is_id = _GIVEN_ID.match(given) and not _UUID_LIKE.match(given) and given not in taken
    if is_id:
        taken.add(given)
    made: dict[str, Any] = {"id": given if is_id else slug(text, taken), "statement": text, "points": _weight(node)}
    categories = [node.get("task_category"), node.get("finegrained_task_category")]
    if tags := [f"{_TAG}{category}" for category in dict.fromkeys(categories) if category]:
        made["tags"] = tags
    if children := node.get("sub_tasks"):
        made |= {"kind": "group", "criteria": [_node(child, taken, where, level + 1) for child in children]}
    return made


def _weight(node: Mapping[str, Any]) -> Any:
    given = node.get("weight", 1)
    number = number_of(given)
    return given if number is None else number


def write(rubric: Rubric) -> dict[str, Any]:
    """Convert to a tree with the rubric as its root."""
    children = [_written(criterion) for criterion in rubric.criteria]
    root = {"id": rubric.id, "requirements": rubric.title, "weight": 1, "sub_tasks": children, "task_category": None}
    return root | identity_of(rubric)


def _written(criterion: Criterion) -> dict[str, Any]:
    children = [_written(child) for child in criterion.criteria] if isinstance(criterion, Group) else []
    categories = [tag.removeprefix(_TAG) for tag in criterion.tags if tag.startswith(_TAG)]
    node: dict[str, Any] = {
        "id": criterion.id,
        "requirements": criterion.statement,
        "weight": criterion.points,
        "sub_tasks": children,
        "task_category": categories[0] if categories else None,
    }
    return {**node, "finegrained_task_category": categories[1]} if len(categories) > 1 else node


def losses(rubric: Rubric) -> list[str]:
    kept = set(_KEPT | DESCRIPTIVE)
    if any(not tag.startswith(_TAG) for leaf in rubric.leaves for tag in leaf.tags):
        kept.discard("tags")
    return losses_of(rubric, kept)
