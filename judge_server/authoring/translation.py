"""Pydantic validation errors → findings that an author can act on, each with its place in the text."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from judge_server.authoring.fields import CRITERIA, fields_of, kind_of, kinds_at, look_up, model_at, nearest
from judge_server.authoring.finding import Path, RubricFinding, TextPositions
from judge_server.authoring.reading import MOST_FINDINGS
from judge_server.authoring.scalar import number_advice

Error = Mapping[str, Any]
_PATTERNS = {
    "version": "write a semantic version of three numbers, like 1.0.0",
    "tags": "give tags of letters, digits, '-' and '_'",
    "any": "write two-letter language codes, like en",
    "required": "write tag names without brackets, like answer",
}
_RUBRIC_ID = "write lower-case words separated by '/', like medical/consultation"
_CRITERION_ID = "write lower-case letters, digits and '_', beginning with a letter, like red_flags"
_SOURCE_ID = "write lower-case letters, digits, '-' and '_', like nice-ng51"
_NEEDED = {
    "id": "give it an id, like red_flags",
    "statement": "write one sentence that can be true or false of a response",
    "version": "begin with version: 1.0.0",
    "title": "give it a title that says what is graded",
    "criteria": "list at least one criterion under criteria:",
    "options": "list two or more options, worst to best: {label: ..., value: 0..1, description: ...}",
    "check": "say what is checked, like check: {kind: regex, pattern: '...'}",
    "expression": "write arithmetic over criterion ids or tags, like 0.7*completeness - 0.3*risk",
    "met": "write met: true or met: false",
    "option": "name the option the response deserves",
}


_ENTRIES = {
    "criteria": "write one '- ' line for each criterion, such as - {id: dose, statement: \"Names the dose.\"}",
    "options": "write one '- ' line for each option, worst to best, such as - {label: poor, value: 0}",
    "facts": "write one '- ' line for each fact, such as - {name: pregnant, type: boolean}",
}
_SHAPES = {
    "when": "write {facts.NAME: VALUE}, such as when: {facts.pregnant: true}",
    "gate": "say at which verdict, such as gate: {when: met, reward: 0}",
    "check": _NEEDED["check"],
}


_LIMITS = {
    "le": "give a number of at most {}",
    "lt": "give a number below {}",
    "ge": "give a number of at least {}",
    "gt": "give a number above {}",
    "max_length": "shorten it to {}",
    "min_length": "give at least {} of them",
}


def translate(fault: ValidationError, root: Any, places: TextPositions, file: str | None) -> list[RubricFinding]:
    """One finding for each place and rule, in the order of the errors. The number of findings is bounded."""
    found: dict[tuple[Path, str], RubricFinding] = {}
    for error in fault.errors(include_url=False)[:MOST_FINDINGS]:
        path = resolve(error["loc"], root)
        kind = str(error["type"])
        if kind == "too_short" and error.get("ctx", {}).get("actual_length", 0) < len(look_up(root, path) or ()):
            continue  # the list is long enough: its items failed and are reported one by one
        say = _SAYINGS.get(kind, _said_plainly)
        rule, message, suggestion = say(error, path, root)
        at_key = kind in ("extra_forbidden", "invalid_key")
        position = places.of_key(path) if at_key else places.of_value(path)
        entry = RubricFinding.at(position, rule, message, file=file, path=path, suggestion=suggestion)
        found.setdefault((path, "type" if kind.endswith(("_type", "_parsing")) else rule), entry)
    return list(found.values())


def resolve(loc: tuple[str | int, ...], root: Any) -> Path:
    """A validator's path as the author wrote it, without the kinds and fields that the validator inserts."""
    path: Path = ()
    node = root
    named = False  # already past the kind of this node
    for part in loc:
        if not named and kinds_at(path) and part == kind_of(node, path):
            named = True
            continue
        inside = isinstance(node, Mapping) and part in node
        if not inside and not (isinstance(node, list) and isinstance(part, int) and part < len(node)):
            continue
        node = node[part]
        path, named = (*path, part), False
    last = loc[-1] if loc else None
    if isinstance(last, str) and isinstance(node, Mapping) and path[-1:] != (last,) and _is_a_field(last, path, root):
        return (*path, last)
    return path


def _is_a_field(name: Any, path: Path, root: Any) -> bool:
    model = model_at(path, root)
    return model is not None and name in fields_of(model)


Saying = tuple[str, str, str | None]


def _unknown_field(error: Error, path: Path, root: Any) -> Saying:
    name = str(path[-1]) if path else str(error["loc"][-1])
    model = model_at(path[:-1], root)
    known = fields_of(model) if model else []
    message = f"unknown field {name!r}"
    if kinds_at(path[:-1]) is CRITERIA:
        homes = [kind for kind, other in CRITERIA.items() if name in fields_of(other)]
        if homes and "kind" not in (look_up(root, path[:-1]) or {}):
            return "unknown-field", message, f"it belongs to kind: {' or '.join(homes)}; add that kind"
        if homes:
            return "unknown-field", message, f"it belongs to kind: {' or '.join(homes)}"
    meant = nearest(name, known)
    if meant:
        return "unknown-field", message, f"did you mean {meant!r}?"
    return "unknown-field", message, f"known fields: {', '.join(known)}" if known else "remove it"


def _missing_field(error: Error, path: Path, root: Any) -> Saying:
    name = str(error["loc"][-1])
    return "missing-field", f"the field {name!r} is missing", _NEEDED.get(name, f"add {name}:")


def _unknown_kind(error: Error, path: Path, root: Any) -> Saying:
    kinds = kinds_at(path) or {}
    node = look_up(root, path)
    if not isinstance(node, Mapping):
        return "type", f"a mapping is needed here, not {_named(node)}", "write key: value pairs, beginning with kind:"
    listed = f"one of {', '.join(kinds)}"
    given = node.get("kind")
    if given is None:
        return "missing-kind", "the field 'kind' is missing", listed
    meant = nearest(str(given), kinds)
    return "unknown-kind", f"unknown kind {given!r}", f"did you mean {meant!r}? It is {listed}" if meant else listed


def _wrong_choice(error: Error, path: Path, root: Any) -> Saying:
    given, expected = error["input"], str(error["ctx"]["expected"])
    words = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    meant = nearest(str(given), words)
    hint = f"did you mean {meant!r}? Allowed: {expected}" if meant else f"allowed: {expected}"
    return "wrong-choice", f"{given!r} is not allowed here", hint


def _not_text(error: Error, path: Path, root: Any) -> Saying:
    given = error["input"]
    if path and path[-1] == "version":
        return "type", f"the version must be text of three numbers, not {_named(given)}", _PATTERNS["version"]
    if "when" in path:
        return "type", f"one value is needed here, not {_named(given)}", "give text, a number, true or false"
    hint = f'write it in quotes: "{given}"' if isinstance(given, int | float) else _needed(path)
    return "type", f"text is needed here, not {_named(given)}", hint


def _not_a_number(error: Error, path: Path, root: Any) -> Saying:
    given = error["input"]
    advice = number_advice(given) if isinstance(given, str) else None
    if isinstance(given, float):
        return "type", f"a whole number is needed here, not {given}", "write it without a point or comma, such as 1000"
    return "type", f"a number is needed here, not {_named(given)}", advice or "give a number, such as 5 or -2.5"


def _not_finite(error: Error, path: Path, root: Any) -> Saying:
    return "non-finite", f"{error['input']} is not a finite number", "give a finite number, such as 5 or -2.5"


def _not_a_list(error: Error, path: Path, root: Any) -> Saying:
    given = error["input"]
    plain = f"write [{given}]" if isinstance(given, str | int | float) else "write one '- ' line for each item"
    hint = _ENTRIES.get(str(path[-1]) if path else "", plain)
    return "type", f"a list is needed here, not {_named(given)}", hint


def _not_a_mapping(error: Error, path: Path, root: Any) -> Saying:
    return "type", f"a mapping is needed here, not {_named(error['input'])}", _shape(path)


def _shape(path: Path) -> str:
    """How to write the mapping that is needed at ``path``."""
    names = [part for part in path if isinstance(part, str)]
    in_a_list = bool(path) and isinstance(path[-1], int)
    found = (_ENTRIES if in_a_list else _SHAPES).get(names[-1]) if names else None
    return found or "write key: value pairs"


def _needed(path: Path) -> str:
    name = str(path[-1]) if path else ""
    return _NEEDED.get(name, f"write the text after {name}:")


def _not_true_or_false(error: Error, path: Path, root: Any) -> Saying:
    return "type", f"true or false is needed here, not {_named(error['input'])}", "write true or false"


def _wrong_form(error: Error, path: Path, root: Any) -> Saying:
    return "wrong-form", f"{error['input']!r} does not have the form needed here", _form(path)


def _form(path: Path) -> str | None:
    if path and path[-1] == "id":
        return _RUBRIC_ID if path == ("id",) else _CRITERION_ID if path[-3:-2] == ("criteria",) else _SOURCE_ID
    names = [part for part in path if isinstance(part, str)]
    return _PATTERNS.get(names[-1]) if names else None


def _own_words(error: Error, path: Path, root: Any) -> Saying:
    message, _, remedy = str(error["ctx"]["error"]).partition("; ")
    return "invalid", message, remedy or None


def _said_plainly(error: Error, path: Path, root: Any) -> Saying:
    message = str(error["msg"])
    for technical, plain in (
        ("Tuple", "The list"),
        ("Input", "It"),
        ("String", "The text"),
        ("after validation, ", ""),
    ):
        message = message.replace(technical, plain)
    limits = error.get("ctx", {})
    advice = next((words.format(limits[name]) for name, words in _LIMITS.items() if name in limits), None)
    return "invalid", message[:1].lower() + message[1:], advice


def _named(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 40 else f"{value[:37]}...")
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


_SAYINGS: dict[str, Callable[[Error, Path, Any], Saying]] = {
    "extra_forbidden": _unknown_field,
    "missing": _missing_field,
    "union_tag_invalid": _unknown_kind,
    "union_tag_not_found": _unknown_kind,
    "literal_error": _wrong_choice,
    "string_type": _not_text,
    "float_type": _not_a_number,
    "float_parsing": _not_a_number,
    "int_type": _not_a_number,
    "int_parsing": _not_a_number,
    "int_from_float": _not_a_number,
    "finite_number": _not_finite,
    "tuple_type": _not_a_list,
    "list_type": _not_a_list,
    "dict_type": _not_a_mapping,
    "mapping_type": _not_a_mapping,
    "model_type": _not_a_mapping,
    "model_attributes_type": _not_a_mapping,
    "bool_type": _not_true_or_false,
    "bool_parsing": _not_true_or_false,
    "string_pattern_mismatch": _wrong_form,
    "value_error": _own_words,
}
