"""Which fields and kinds are allowed at a place of the rubric format, read from the models."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel

from judge_server.authoring.finding import Path
from judge_server.core.aggregation import Aggregation, LengthAdjustment
from judge_server.core.check import Check, Count
from judge_server.core.condition import Condition
from judge_server.core.criterion import (
    Binary,
    BinaryExample,
    CheckCriterion,
    Gate,
    Group,
    Nominal,
    Scale,
    ScaleExample,
    ScaleOption,
)
from judge_server.core.fact import Fact
from judge_server.core.rubric import Guarding, Helpline, Locale, Missing, Rubric, Source

_LONGEST_WORD = 100


def _by_kind(union: Any) -> dict[str, type[BaseModel]]:
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["kind"].annotation)[0]: member for member in members}


CRITERIA: dict[str, type[BaseModel]] = {
    "binary": Binary,
    "scale": Scale,
    "nominal": Nominal,
    "check": CheckCriterion,
    "group": Group,
}
CHECKS = _by_kind(Check)
AGGREGATIONS = _by_kind(Aggregation)
_NODES: dict[str, type[BaseModel]] = {
    "gate": Gate,
    "guard": Guarding,
    "missing": Missing,
    "sources": Source,
    "facts": Fact,
    "locales": Locale,
    "helplines": Helpline,
    "options": ScaleOption,
    "count": Count,
    "length_adjustment": LengthAdjustment,
}


def kinds_at(path: Path) -> Mapping[str, type[BaseModel]] | None:
    """The kinds a node at ``path`` can have; None if it has no kinds."""
    match path:
        case (*_, "criteria", int()):
            return CRITERIA
        case (*_, "check"):
            return CHECKS
        case (*_, "aggregate"):
            return AGGREGATIONS
    return None


def model_at(path: Path, root: Any) -> type[BaseModel] | None:
    """The model that reads the mapping at ``path``, as far as its kind determines it."""
    if not path:
        return Rubric
    if kinds := kinds_at(path):
        return kinds.get(kind_of(look_up(root, path), path))
    name = path[-2] if isinstance(path[-1], int) and len(path) > 1 else path[-1]
    if name == "examples":
        above = kind_of(look_up(root, path[:-2]), path[:-2])
        return ScaleExample if above in ("scale", "nominal") else BinaryExample
    if len(path) > 1 and path[-2] == "when":
        return Condition
    return _NODES.get(str(name))


def kind_of(node: Any, path: Path) -> str:
    default = "binary" if kinds_at(path) is CRITERIA else ""
    return str(node.get("kind", default)) if isinstance(node, Mapping) else default


def look_up(root: Any, path: Path) -> Any:
    """The value at ``path``; None if there is none."""
    for part in path:
        in_list = isinstance(root, list | tuple) and isinstance(part, int) and part < len(root)
        if not in_list and not (isinstance(root, Mapping) and part in root):
            return None
        root = root[part]
    return root


def fields_of(model: type[BaseModel]) -> list[str]:
    """Names as authors write them, synonyms included."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        names += [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [name.rstrip("_")]
    return [name for name in names if name != "json_schema"]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The closest known word, or None."""
    if len(word) > _LONGEST_WORD:
        return None
    found = get_close_matches(word.lower(), list(words), n=1, cutoff=0.6)
    return found[0] if found else None
