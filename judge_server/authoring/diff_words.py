"""A change of a rubric in words: what is new in the field, and not both of its values as data."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\"])")
_SHORT = 160
_ABSENT = {
    None: "the judge's general rule decides",
    "met": "it counts as met",
    "unmet": "it counts as not met",
    "skip": "it does not apply",
}

_REFERENCE = {"none": "not shown", "optional": "shown if there is one", "required": "needed"}


def field_in_words(field: str, before: Any, after: Any) -> str:
    """One sentence or more about a field that changed. ``before`` and ``after`` are plain JSON."""
    return "; ".join(_WORDS.get(field, _plain)(before, after)) or f"{field}: {_value(before)} became {_value(after)}"


def criterion_in_words(content: Mapping[str, Any]) -> str:
    """A criterion in one line: its points, gate and statement."""
    points = f"{content['points']:+g} points"
    gate = content.get("gate")
    parts = ", ".join(filter(None, (content["kind"], points, gate and _gate(gate))))
    return f"({parts}) {content['statement']}"


def _value(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return f'"{value.strip()}"'
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.rstrip('_')} {_value(one)}" for name, one in value.items() if one not in (None, [], {})
        )
    if isinstance(value, Sequence):
        return ", ".join(map(_value, value))
    return str(value)


def _plain(before: Any, after: Any) -> Iterator[str]:
    yield f"{_value(after)} instead of {_value(before)}"


def _reference(before: str, after: str) -> Iterator[str]:
    yield f"the reference is {_REFERENCE[after]} (before: {_REFERENCE[before]})"


def _text(before: str | None, after: str | None) -> Iterator[str]:
    """Short texts whole; of long ones the sentences that differ."""
    if before is None or after is None or len(before) + len(after) <= 2 * _SHORT:
        yield f"{_value(after)} instead of {_value(before)}"
        return
    old, new = _SENTENCE.split(before.strip()), _SENTENCE.split(after.strip())
    if gone := [one for one in old if one not in new]:
        yield f"no longer says {_value(' '.join(gone))}"
    if come := [one for one in new if one not in old]:
        yield f"now says {_value(' '.join(come))}"


def _list(noun: str) -> Callable[[Any, Any], Iterator[str]]:
    def told(before: Sequence[Any] | None, after: Sequence[Any] | None) -> Iterator[str]:
        old, new = before or (), after or ()
        if come := [one for one in new if one not in old]:
            yield f"{noun} added: {_value(come)}"
        if gone := [one for one in old if one not in new]:
            yield f"{noun} removed: {_value(gone)}"
        if not come and not gone:
            yield "in another order"

    return told


def _named(key: str) -> Callable[[Any, Any], Iterator[str]]:
    """Entries that are known by ``key``: new, gone, and what changed in the others."""

    def told(before: Sequence[Mapping[str, Any]] | None, after: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
        old, new = ({one[key]: one for one in listed or ()} for listed in (before, after))
        for name in new.keys() - old.keys():
            yield f"{name} is new ({_value(_rest(new[name], key))})"
        if gone := [name for name in old if name not in new]:
            yield f"{', '.join(gone)} removed"
        changed = [name for name in new if name in old and new[name] != old[name]]
        yield from (f"{name}: {_fields(old[name], new[name])}" for name in changed)
        if not gone and not changed and list(old) != list(new) and old.keys() == new.keys():
            yield "in another order"

    return lambda before, after: iter(sorted(told(before, after)))


def _rest(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    hidden = (key, "note", "url", "checked")
    return {name: value for name, value in entry.items() if name not in hidden and value is not False}


def _fields(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    old, new = before or {}, after or {}
    names = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {_value(new.get(name))} instead of {_value(old.get(name))}" for name in names)


def _nested(before: Any, after: Any) -> Iterator[str]:
    yield _fields(before, after)


def _examples(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    old, new = ([(one["response"], _verdict(one)) for one in listed] for listed in (before, after))
    if sorted(old) == sorted(new):
        yield "the same ones in another order" if old != new else "other reasons"
        return
    come = [one for one in after if (one["response"], _verdict(one)) not in old]
    gone = [one for one in before if (one["response"], _verdict(one)) not in new]
    for verb, some in (("new", come), ("removed", gone)):
        yield from (f"{verb}: {_value(one['response'])} is {_verdict(one)}" for one in some)


def _verdict(example: Mapping[str, Any]) -> str:
    met = example.get("met")
    return _value(example.get("option")) if met is None else "met" if met else "not met"


def _if_absent(before: str | None, after: str | None) -> Iterator[str]:
    yield f"where what it speaks of is absent, {_ABSENT[after]} (before: {_ABSENT[before]})"


def _gate(gate: Mapping[str, Any]) -> str:
    when = "met" if gate["when"] == "met" else "not met"
    threshold = "" if gate["threshold"] == 0.5 else f" (threshold {gate['threshold']:g})"
    return f"a gate that limits the reward to {gate['reward']:g} if {when}{threshold}"


def _gates(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[str]:
    yield f"{_gate(after) if after else 'no gate'} (before: {_gate(before) if before else 'no gate'})"


def _when(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield f"applies {_conditions(after)} (before: {_conditions(before)})"


def _conditions(when: Mapping[str, Mapping[str, Any]]) -> str:
    if not when:
        return "always"
    return "if " + " and ".join(_condition(path, *one) for path, found in when.items() for one in found.items())


def _condition(path: str, operator: str, value: Any) -> str:
    match operator:
        case "exists":
            return f"{path} is {'given' if value else 'not given'}"
        case "one_of":
            return f"{path} is {' or '.join(map(_value, value))}"
        case "gte" | "lte":
            return f"{path} is {_value(value)} or {'more' if operator == 'gte' else 'less'}"
        case _:
            return f"{path} is {'not ' if operator == 'not_' else ''}{_value(value)}"


def _reference_role(before: str | None, after: str | None) -> Iterator[str]:
    yield f"the reference is read as {after or 'a right answer'} (before: {before or 'a right answer'})"


def _evidence(before: str | None, after: str | None) -> Iterator[str]:
    yield "reasons quote their evidence" if after else "reasons need not quote their evidence"


def _points(before: float, after: float) -> Iterator[str]:
    yield f"{after:+g} instead of {before:+g}"


_WORDS: dict[str, Callable[[Any, Any], Iterator[str]]] = {
    "aggregate": _nested,
    "all_of": _list("items"),
    "any_of": _list("items"),
    "check": _nested,
    "description": _text,
    "evidence": _evidence,
    "examples": _examples,
    "facts": _named("name"),
    "gate": _gates,
    "guard": _nested,
    "guidance": _text,
    "if_absent": _if_absent,
    "jurisdiction": _list("countries"),
    "locales": _named("country"),
    "missing": _nested,
    "options": _named("label"),
    "points": _points,
    "reference": _reference,
    "reference_role": _reference_role,
    "statement": _text,
    "tags": _list("tags"),
    "when": _when,
}


def sources_in_words(before: Sequence[Any], after: Sequence[Any]) -> str:
    """Sources of a rubric are entries with an id; those of a criterion are the ids alone."""
    entries = any(isinstance(one, Mapping) for one in (*before, *after))
    return "; ".join((_named("id") if entries else _list("sources"))(before, after))
