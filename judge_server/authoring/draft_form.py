"""A rubric's text as a form, and the form's answers as text: the page edits either, and the other follows.

The form knows what most rubrics need; everything else stays in the text as it is. Comments of the text are lost when
the form changes it.
"""

import re
from collections.abc import Mapping, MutableSequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from judge_server.authoring.emitting import text_of
from judge_server.authoring.reading import read
from judge_server.core.errors import BadInput, BadRubric

HEAD: Final = ("id", "version", "title", "description")
KINDS: Final = ("binary", "scale", "nominal")
ACTS: Final = ("form", "add", "up", "down", "copy", "delete")
_TEXTS: Final = ("id", "statement", "guidance")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_PLACE = re.compile("[0-9]{1,4}")
Data = dict[str, Any]


@dataclass(frozen=True)
class DraftRow:
    """A criterion or group of the form. ``where``: the places that lead to it, such as ``2`` or ``2-0``; ``options``: a
    line ``label | value | description`` each; ``known``: the form can show its kind."""

    where: str
    level: int
    kind: str
    known: bool
    id: str
    statement: str
    points: str
    guidance: str
    options: str
    gate_when: str
    gate_reward: str


@dataclass(frozen=True)
class DraftForm:
    head: Mapping[str, str]
    rows: tuple[DraftRow, ...]


def draft_form(text: str) -> DraftForm:
    """The form of a text. Raises BadRubric if it is no mapping in YAML; the content need not be a valid rubric."""
    data = _data(text)
    rows: list[DraftRow] = []
    _collect(data, "", rows)
    return DraftForm({name: _shown(data.get(name, "")) for name in HEAD}, tuple(rows))


def shape(text: str) -> tuple[tuple[str, str, bool], ...]:
    """What decides which fields the form has: the place and kind of each row, and whether it has a gate."""
    return tuple((row.where, row.kind, bool(row.gate_when)) for row in draft_form(text).rows)


def changed(text: str, fields: Mapping[str, str], act: str) -> str:
    """The text after what the form says, then one act: ``form`` nothing more, ``add`` a criterion at the end, or
    ``up``, ``down``, ``copy`` or ``delete`` with ``:`` and a criterion's place. A field that is absent changes nothing.

    Raises BadRubric if the text is no mapping in YAML, and BadInput for an act or a place that does not exist.
    """
    before = _data(text)
    data = deepcopy(before)
    for name in HEAD:
        _put(data, name, fields.get(name), required=name != "description")
    for row in draft_form(text).rows:
        _fill(_at(data, row.where), row.where, fields)
    _act(data, act)
    return text if data == before else text_of(data)


def _data(text: str) -> Data:
    document = read(text)
    if not isinstance(document.value, dict) or document.findings:
        found = [finding.model_dump(mode="json") for finding in document.findings]
        raise BadRubric("The text is no rubric in YAML.", remedy="Correct it, then the form follows.", findings=found)
    return document.value


def _children(node: Any) -> MutableSequence[Any]:
    found = node.get("criteria") if isinstance(node, dict) else None
    return found if isinstance(found, list) else []


def _collect(node: Data, before: str, rows: list[DraftRow]) -> None:
    for place, child in enumerate(_children(node)):
        if isinstance(child, dict):
            where = f"{before}{place}"
            rows.append(_row(child, where))
            _collect(child, f"{where}-", rows)


def _row(node: Data, where: str) -> DraftRow:
    kind = str(node.get("kind", "group" if _children(node) else "binary"))
    gate = _gate(node)
    return DraftRow(
        where=where,
        level=where.count("-"),
        kind=kind,
        known=kind in KINDS,
        id=_shown(node.get("id", "")),
        statement=_shown(node.get("statement", "")),
        points=_shown(node.get("points", node.get("weight", ""))),
        guidance=_shown(node.get("guidance", "")),
        options="\n".join(map(_option_line, node.get("options") or ())) if kind != "binary" else "",
        gate_when=_shown(gate.get("when", "met")) if gate else "",
        gate_reward=_shown(gate.get("reward", "0")) if gate else "",
    )


def _gate(node: Data) -> Data:
    found = node.get("gate")
    return found if isinstance(found, dict) else {}


def _shown(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _option_line(option: Any) -> str:
    if not isinstance(option, dict):
        return _shown(option)
    parts = [_shown(option.get(name, "")) for name in ("label", "value", "description")]
    return " | ".join(parts).rstrip(" |")


def _fill(node: Data, where: str, fields: Mapping[str, str]) -> None:
    given = {name: fields.get(f"c{where}.{name}") for name in ("kind", "points", "options", *_TEXTS)}
    for name in _TEXTS:
        _put(node, name, given[name], required=name == "id")
    if given["points"] is not None:
        _put(node, "weight" if "weight" in node else "points", given["points"], required=False)
    if given["kind"] in KINDS and given["kind"] != node.get("kind", "binary"):
        _change_kind(node, str(given["kind"]))
    elif given["options"] is not None and node.get("kind") in ("scale", "nominal"):
        _put_options(node, given["options"])
    _put_gate(node, fields.get(f"c{where}.gate_when"), fields.get(f"c{where}.gate_reward"))


def _put(node: Data, name: str, given: str | None, *, required: bool) -> None:
    """An emptied field disappears from the text, unless it is required: then the findings say that it is empty."""
    if given is None or given.strip() == _shown(node.get(name, "")).strip():
        return
    if given.strip() or required:
        node[name] = _value(given) if name in ("points", "weight") else given.strip()
    else:
        node.pop(name, None)


def _value(given: str) -> Any:
    """A number if it is one; else the words themselves, about which the findings speak."""
    text = given.strip()
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _change_kind(node: Data, kind: str) -> None:
    node.pop("examples", None) if kind != "binary" else node.pop("options", None)
    if kind == "binary":
        node.pop("kind", None)
    else:
        node["kind"] = kind
        node.setdefault("options", [{"label": "no", "value": 0}, {"label": "yes", "value": 1}])


def _put_options(node: Data, given: str) -> None:
    known = {_option_line(option): option for option in node.get("options") or ()}
    options = [known.get(line.strip()) or _option(line) for line in given.splitlines() if line.strip()]
    if options != node.get("options"):
        node["options"] = options


def _option(line: str) -> Data:
    label, value, description = (*(part.strip() for part in line.split("|", 2)), "", "")[:3]
    found: Data = {"label": label}
    if value:
        found["value"] = _value(value)
    if description:
        found["description"] = description
    return found


def _put_gate(node: Data, when: str | None, reward: str | None) -> None:
    if when == "":
        node.pop("gate", None)
    elif when is not None:
        gate = _gate(node)
        wanted = {**gate, "when": when, "reward": _value(reward or "0")}
        if not gate or {"when": "met", "reward": 0, **gate} != wanted:
            node["gate"] = wanted


def _act(data: Data, act: str) -> None:
    name, _, where = act.partition(":")
    if name not in ACTS:
        raise BadInput(f"{act[:40]!r} is nothing that the form can do.", remedy="Reload the page.")
    if name == "add":
        data["criteria"] = [*_children(data), {"id": _free("criterion", data), "statement": "", "points": 1}]
    elif name != "form":
        if _at(data, where) is data:
            raise BadInput("No criterion is named.", remedy="Reload the page.")
        parent, _, place = where.rpartition("-")
        _arrange(_children(_at(data, parent)), int(place), name, data)


def _arrange(siblings: MutableSequence[Any], place: int, act: str, data: Data) -> None:
    if act == "delete":
        del siblings[place]
    elif act == "copy":
        twin = deepcopy(siblings[place])
        siblings.insert(place + 1, twin)
        _rename(twin, data)
    else:
        other = place + (1 if act == "down" else -1)
        if 0 <= other < len(siblings):
            siblings[place], siblings[other] = siblings[other], siblings[place]


def _rename(node: Data, data: Data) -> None:
    node["id"] = _free(f"{_shown(node.get('id', '')) or 'criterion'}_copy", data)
    for child in _children(node):
        if isinstance(child, dict):
            _rename(child, data)


def _free(wanted: str, data: Data) -> str:
    rows: list[DraftRow] = []
    _collect(data, "", rows)
    used = {row.id for row in rows}
    return next(
        name for number in range(1, 2_000) if (name := wanted if number == 1 else f"{wanted}_{number}") not in used
    )


def _at(data: Data, where: str) -> Data:
    """The node at these places; the rubric itself without any. Raises BadInput if there is none."""
    node: Any = data
    try:
        for place in where.split("-") if where else ():
            node = _children(node)[int(place)] if _PLACE.fullmatch(place) else None
    except IndexError:
        node = None
    if not isinstance(node, dict):
        raise BadInput("The criterion is no longer there.", remedy="Reload the page.")
    return node
