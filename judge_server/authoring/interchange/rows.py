"""Rows of a data set with a list of criteria: verl and RuscaRL, RubricHub, ResearchRubrics, AutoRubric and their like.

Sources: verl's ``reward_model: {style: rubric, rubrics: [{criterion, points, tags}], ground_truth}``, which RuscaRL
(arXiv 2508.16949) and RubricHub use; ResearchRubrics' ``rubrics: [{criterion, axis, weight}]`` (arXiv 2511.07685);
AutoRubric's ``rubric: [{requirement, weight}]``; OpenRubrics' numbered list in a text. The score is the weighted share
of what is met, by signed points if any are negative.
"""

import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.entry import SHAPE, criterion_of, is_criterion
from judge_server.authoring.interchange.identity import DESCRIPTIVE, identified, identity_of
from judge_server.authoring.interchange.record import first_given, losses_of, wrong_shape
from judge_server.authoring.interchange.tracked import TrackedFields, parsed
from judge_server.authoring.parsing import from_data
from judge_server.core.criterion import AnyLeaf, Scale
from judge_server.core.rubric import Rubric

_ENTRY = re.compile(r"\s*(?:\(?\d{1,3}[.):]|[-*•])\s+(?P<text>\S.*?)\s*(?:\[(?P<kind>[A-Za-z][^\[\]]{0,40})\])?\s*")
_IMPORTANCE = re.compile(r"(?P<text>.*\S)\s*\(importance: ?(?P<weight>\d{1,3})(?:/100)?\)")
_FEWEST_LINES = 2
_WEIGHTS = ("weights", "rubric_weights", "criteria_weights", "rubrics_weights", "points", "scores")
_LISTS = ("rubrics", "Rubrics", "rubric", "rubric_list", "rubric_json", "criteria", "checklist", "requirements")
_SECTIONS = "sections"
_GUIDELINES = "guidelines"


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row."""
    entries = entries_of(record)
    if not entries:
        raise wrong_shape(where, "there is no list of criteria", f"Name it rubrics, rubric or criteria. {SHAPE}")
    entries = with_weights(entries, record, where)
    made_id = f"imported/row-{where.rsplit(':', 1)[-1]}"
    named = identified(record, rubric_id, id=made_id, version="1.0.0", title=_title(record) or "Imported rubric")
    return rubric_of(entries, where, guidance=_guidelines(record), **named)


def with_weights(entries: list[Any], record: Any, where: str) -> list[Any]:
    """Texts with the weights that stand in a list beside them."""
    name = next((one for one in _WEIGHTS if isinstance(record, Mapping) and one in record), None)
    given = parsed(record, name) if name else None
    if name is None or not isinstance(given, list):
        return entries
    texts = [one.get("criterion") if isinstance(one, Mapping) and len(one) <= 2 else one for one in entries]
    if len(given) != len(entries) or not all(isinstance(one, str) for one in texts):
        raise wrong_shape(where, f"{name} are {len(given)} for {len(entries)} criteria", f"Give one to each. {SHAPE}")
    return [
        TrackedFields({**(one if isinstance(one, Mapping) else {}), "criterion": text, "weight": weight})
        for one, text, weight in zip(entries, texts, given, strict=True)
    ]


def _guidelines(record: Any) -> str:
    """AutoRubric's text for all criteria, beside the rubric or in it; it becomes their guidance."""
    inner = dict(record).get("rubric") if isinstance(record, Mapping) else None
    for holder in (record, inner):
        if isinstance(holder, Mapping) and isinstance(dict(holder).get(_GUIDELINES), str):
            return str(holder.get(_GUIDELINES)).strip()
    return ""


def rubric_of(
    entries: list[Any],
    where: str,
    id: str,  # noqa: A002
    *,
    title: str = "",
    guidance: str = "",
    **fields: Any,
) -> Rubric:
    """A rubric of entries as ``criterion_of`` reads them. ``guidance``: how to decide each criterion that a judge
    decides; ``fields``: further fields of the rubric."""
    taken: set[str] = set()
    criteria = [criterion_of(entry, taken, where) for entry in entries]
    if guidance:
        criteria = [one if "check" in one else one | {"guidance": guidance} for one in criteria]
    signed = any(isinstance(one["points"], int | float) and one["points"] < 0 for one in criteria)
    data = {
        "id": id,
        "version": "1.0.0",
        "title": title or "Imported rubric",
        "aggregate": {"kind": "points" if signed else "weighted_mean"},
        "criteria": criteria,
        **fields,
    }
    return from_data(data, file=where).rubric


def write(rubric: Rubric) -> dict[str, Any]:
    """A row as AutoRubric has it: ``rubric`` of ``name``, ``requirement``, ``weight``, and the options of scales."""
    return {"title": rubric.title, "rubric": [_written(leaf) for leaf in rubric.leaves], **identity_of(rubric)}


def _written(leaf: AnyLeaf) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": leaf.id, "requirement": leaf.statement, "weight": leaf.points}
    if leaf.tags:
        entry["tags"] = list(leaf.tags)
    if isinstance(leaf, Scale):
        entry["options"] = [
            {"label": option.label, "score": option.value}
            | ({"description": option.description} if option.description else {})
            for option in leaf.options
        ]
    return entry


def losses(rubric: Rubric) -> list[str]:
    kept = DESCRIPTIVE | {"statements", "tags", "negative points", "scale criteria"}
    signed = any(leaf.points < 0 for leaf in rubric.leaves)
    return losses_of(rubric, kept | {"aggregate points" if signed else "aggregate weighted_mean"})


def entries_of(record: Any) -> list[Any]:
    """The list of criteria of a row, also below ``reward_model``, or as JSON text in a column."""
    if isinstance(record, list):
        return record
    if not isinstance(record, Mapping):
        return []
    for name in (*_LISTS, _SECTIONS):
        if name in record and (found := _list(parsed(record, name), parted=name == _SECTIONS)):
            return found
    inner = parsed(record, "reward_model") if "reward_model" in record else None
    return entries_of(inner) if isinstance(inner, Mapping) else []


def fits(record: Any) -> bool:
    """Whether a record holds a list of criteria. A list without a name beside it has to be one by what its entries
    hold: a list of authors or of messages is none."""
    if isinstance(record, list):
        return are_criteria(record)
    return bool(entries_of(record))


def are_criteria(entries: Any) -> bool:
    """Whether the entries of a list that nobody calls criteria are some: each has a statement under a name that says
    so, or a statement and a weight."""
    return isinstance(entries, list) and bool(entries) and all(map(is_criterion, entries))


def _list(value: Any, *, parted: bool = False) -> list[Any]:
    """The entries of a list; those of AutoRubric's sections stand in their place, with the section as a tag.
    ``parted``: the list has to hold sections."""
    if isinstance(value, str) and not parted:
        return _in_text(value)
    if isinstance(value, Mapping) and not parted:
        return next((found for name in (*_LISTS, _SECTIONS) if name in value and (found := _inner(value, name))), [])
    if not isinstance(value, list) or (parted and not all(map(_is_section, value))):
        return []
    flat: list[Any] = []
    for one in value:
        if _is_section(one):
            name = one.get("name") if "name" in one else None
            flat += [_in_section(entry, name) for entry in one.get("criteria")]
        else:
            flat.append(one)
    return flat


def _inner(value: Mapping[str, Any], name: str) -> list[Any]:
    return _list(parsed(value, name), parted=name == _SECTIONS)


def _is_section(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(dict(entry).get("criteria"), list)


def _in_section(entry: Any, name: Any) -> Any:
    if isinstance(entry, TrackedFields) and isinstance(name, str) and name.strip() and "section" not in entry:
        entry["section"] = name
    return entry


def _in_text(text: str) -> list[Any]:
    """The entries of a numbered or bulleted list in a text, if it is nothing else; a kind in brackets at an entry's end
    (``[Hard Rule]``, as OpenRubrics writes) becomes a tag, an importance (``(importance: 75/100)``, as WildChecklists
    writes) the weight."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_ENTRY.fullmatch(line) for line in lines]
    if len(lines) < _FEWEST_LINES or not all(found):
        return []
    return [_text_entry(one) for one in found if one is not None]


def _text_entry(found: re.Match[str]) -> TrackedFields:
    weighed = _IMPORTANCE.fullmatch(found["text"])
    text, weight = (weighed["text"], {"weight": int(weighed["weight"])}) if weighed else (found["text"], {})
    return TrackedFields({"criterion": text, "tags": [found["kind"].strip()] if found["kind"] else [], **weight})


def _title(record: Any) -> str:
    if not isinstance(record, Mapping):
        return ""
    name = first_given(*(record.get(one) for one in ("title", "task_name") if one in record), default="")
    return str(name).strip()[:200]
