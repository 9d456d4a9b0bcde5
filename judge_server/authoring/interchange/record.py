"""Records of a JSON or JSONL file, one at a time, with the line on which each begins."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

from judge_server.core.criterion import Binary, CheckCriterion, Criterion, Group, Nominal, Scale, nodes
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

MOST_BYTES = 64_000_000


def records(path: Path) -> Iterator[tuple[str, Any]]:
    """(``file:line``, record) for every line of a JSONL file. A JSON file is one record, or one for each item of its
    array if every item has a rubric list. Raises BadInput naming the line."""
    try:
        if path.stat().st_size > MOST_BYTES and not path.name.endswith(".jsonl"):
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes.", remedy="Split it, or write it as .jsonl.")
        with path.open("rb") as stream:
            first = stream.readline(MOST_BYTES)
            whole = _try(first)
            rest = stream.readline(MOST_BYTES)
            if whole is None or (not rest.strip() and not path.name.endswith(".jsonl")):
                more = stream.read(path.stat().st_size)
                yield from _split(_parse(first + rest + more, f"{path}"), path)
                return
            yield f"{path}:1", whole
            number = 2
            while rest:
                if rest.strip():
                    yield f"{path}:{number}", _parse(rest, f"{path}:{number}")
                rest, number = stream.readline(MOST_BYTES), number + 1
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror}.") from None


def _split(whole: Any, path: Path) -> Iterator[tuple[str, Any]]:
    several = isinstance(whole, list) and all(
        isinstance(item, dict) and not {"rubric", "rubrics", "rubric_list"}.isdisjoint(item) for item in whole
    )
    yield from ((f"{path}:{number}", item) for number, item in enumerate(whole if several else [whole], 1))


def _try(line: bytes) -> Any:
    try:
        return _parse(line, "")
    except BadInput:
        return None


def _parse(content: bytes, where: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        reason = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise BadInput(
            f"{where} is not JSON: {reason}.", remedy="Give JSON, or JSONL with one record a line."
        ) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a finite number")


def wrong_shape(where: str, message: str, remedy: str) -> BadInput:
    """The error for a JSON record that does not have the format."""
    return BadInput(f"{where}: {message}.", remedy=remedy)


_LONGEST = 48
_MOST_WORDS = 7
_FILLERS = frozenset(("a", "an", "the", "of", "to", "and", "or", "that", "is", "are", "in", "for", "with", "it", "its"))


def slug(text: str, taken: set[str]) -> str:
    """A criterion id from a statement's first significant words. It differs from all in ``taken`` and is added
    there."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = [word for word in re.findall(r"[a-z0-9]+", ascii_text.lower()) if word not in _FILLERS]
    base = "_".join(words[:_MOST_WORDS])[:_LONGEST].strip("_") or "criterion"
    base = base if base[0].isalpha() else f"c_{base}"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


_ALWAYS = (
    "gate", "when", "scope", "reference", "reference_role", "guidance", "any_of", "all_of", "if_absent", "examples",
    "sources",
)  # fmt: skip
_UNUSED: tuple[Any, ...] = (None, "answer", "none", (), {})


def losses_of(rubric: Rubric, keeps: Collection[str]) -> list[str]:
    """One line for each feature that the rubric uses and ``keeps`` lacks, naming the first criterion that uses it."""
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
    kinds = {
        Group: "groups",
        Scale: "scale criteria",
        Nominal: "nominal criteria",
        CheckCriterion: "checks",
        Binary: "statements",
    }
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


def first_given(*values: Any, default: Any = None) -> Any:
    """The first value that is neither None nor ""; 0 and False count as values."""
    return next((value for value in values if value is not None and value != ""), default)
