"""A rubric → YAML as an author would write it. Text is quoted if a reader of YAML 1.1 or 1.2 could misread it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from judge_server.core.rubric import Rubric

_PLAIN = re.compile(r"([A-Za-z]([\w/ .()'’%+-]|:(?=\w))*(?<! )|\d+\.\d+\.\d+)\Z")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"))
_WIDTH = 110
_ORDER = ("id", "kind", "statement")
_NUMBERS = frozenset(("points", "value", "reward", "clip", "scale", "center", "unit", "parameters"))


def yaml_of(rubric: Rubric) -> str:
    """The YAML text of a rubric. Reading it back gives the same rubric."""
    return text_of(data_of(rubric))


def text_of(data: Mapping[str, Any]) -> str:
    """The YAML text of plain data: a rubric that need not be valid yet."""
    return "\n".join(_block(data, 0)) + "\n"


def data_of(rubric: Rubric) -> dict[str, Any]:
    """The rubric as plain data in the order in which authors write it, without defaults."""
    shown = rubric.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    shown["criteria"] = [_authored(criterion) for criterion in shown["criteria"]]
    first: dict[str, Any] = {name: shown[name] for name in ("id", "version", "title") if name in shown}
    everything = {**first, **shown}
    return {name: _tidy(value, name) for name, value in everything.items()}


def _authored(criterion: dict[str, Any]) -> dict[str, Any]:
    ordered = {name: criterion[name] for name in _ORDER if name in criterion}
    result = {**ordered, **criterion}
    if "when" in result:
        result["when"] = {path: _shorthand(comparison) for path, comparison in result["when"].items()}
    if "criteria" in result:
        result["criteria"] = [_authored(child) for child in result["criteria"]]
    return result


def _shorthand(comparison: dict[str, Any]) -> Any:
    ((name, value),) = comparison.items()
    match name:
        case "equals" | "one_of":
            return value
        case _:
            return {name.rstrip("_"): value}


def _tidy(value: Any, name: str = "") -> Any:
    """Whole numbers without their decimal point, if the format takes any number."""
    match value:
        case Mapping():
            return {key: _tidy(item, name if name == "parameters" else key) for key, item in value.items()}
        case list():
            return [_tidy(item, name) for item in value]
        case float() if name in _NUMBERS and value.is_integer() and abs(value) < 1e15:
            return int(value)
    return value


def _block(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for name, item in value.items():
        flow = f"{margin}{_scalar(name)}: {_flow(item)}"
        if not isinstance(item, Mapping | list) or not item or (len(flow) <= _WIDTH and not _is_deep(item)):
            yield flow
        elif isinstance(item, Mapping):
            yield f"{margin}{_scalar(name)}:"
            yield from _block(item, indent + 2)
        else:
            yield f"{margin}{_scalar(name)}:"
            yield from _items(item, indent + 2)


def _items(items: list[Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for item in items:
        flow = f"{margin}- {_flow(item)}"
        if not isinstance(item, Mapping) or not item or (len(flow) <= _WIDTH and "kind" not in item):
            yield flow
            continue
        lines = list(_block(item, indent + 2))
        yield f"{margin}- {lines[0].lstrip()}"
        yield from lines[1:]


def _is_deep(item: Any) -> bool:
    """Sequences of criteria, sources and examples put each entry on its own line."""
    return isinstance(item, list) and any(isinstance(entry, Mapping) for entry in item)


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_scalar(name)}: {_flow(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case str():
            return _scalar(value)
    return json.dumps(value)


def _scalar(text: str) -> str:
    if _PLAIN.match(text) and text.casefold() not in _WORDS:
        return text
    if "\\" in text and not _CONTROL.search(text):
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)
