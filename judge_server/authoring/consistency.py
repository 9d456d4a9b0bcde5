"""Checks across the parts of a rubric, on the plain data, so that their findings are reported with all others."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from pydantic import ValidationError

from judge_server.authoring.fields import nearest
from judge_server.authoring.finding import Path, RubricFinding, TextPositions
from judge_server.authoring.reading import MOST_FINDINGS
from judge_server.core.condition import Condition
from judge_server.core.fact import Fact, fault_of


def contradictions(root: Any, places: TextPositions, file: str | None) -> list[RubricFinding]:
    """Repeated criterion ids, and undeclared sources and facts. The number of findings is bounded."""
    found = chain(
        _repeated_ids(root, places, file), _unknown_sources(root, places, file), _unknown_facts(root, places, file)
    )
    return list(islice(found, MOST_FINDINGS))


def criteria_of(root: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every mapping in a ``criteria`` list, at any depth, parents first, with its path."""
    waiting: list[tuple[Path, Any]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, Mapping):
            continue
        if path:
            yield path, node
        children = node.get("criteria")
        if isinstance(children, Sequence) and not isinstance(children, str):
            waiting += reversed([((*path, "criteria", index), child) for index, child in enumerate(children)])


def whose_aggregate(message: str, root: Any) -> Path:
    """The path of the aggregation that a message of the rubric's validator names."""
    for path, node in criteria_of(root):
        if message.startswith(f"group {node.get('id')!r}:"):
            return (*path, "aggregate")
    return ("aggregate",)


def _repeated_ids(root: Any, places: TextPositions, file: str | None) -> Iterator[RubricFinding]:
    first: dict[str, Path] = {}
    for path, node in criteria_of(root):
        name = node.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            where = places.of_value((*first[name], "id"))
            at = f"; the first is at {where.line}:{where.column}" if where else ""
            yield RubricFinding.at(
                places.of_value((*path, "id")),
                "duplicate-id",
                f"the criterion id {name!r} is used a second time{at}",
                file=file,
                path=(*path, "id"),
                suggestion="ids are unique in the whole rubric: rename one",
            )
        first.setdefault(name, path)


def _unknown_sources(root: Any, places: TextPositions, file: str | None) -> Iterator[RubricFinding]:
    declared = root.get("sources") if isinstance(root, Mapping) else None
    entries = declared if isinstance(declared, list | tuple) else ()
    ids = [entry.get("id") for entry in entries if isinstance(entry, Mapping)]
    known = {name for name in ids if isinstance(name, str)}
    for path, node in criteria_of(root):
        cited = node.get("sources")
        for index, name in enumerate(cited if isinstance(cited, list | tuple) else ()):
            if isinstance(name, str) and name not in known:
                yield RubricFinding.at(
                    places.of_value((*path, "sources", index)),
                    "unknown-source",
                    f"the source {name!r} is not declared",
                    file=file,
                    path=(*path, "sources", index),
                    suggestion="declare it under the rubric's sources: {id, title}",
                )


def _unknown_facts(root: Any, places: TextPositions, file: str | None) -> Iterator[RubricFinding]:
    """Conditions on undeclared facts, or that compare a fact with a value it cannot have; empty if no facts are
    declared."""
    declared = _declared_facts(root)
    for path, node in criteria_of(root) if declared else ():
        when = node.get("when")
        for key, compared in when.items() if isinstance(when, Mapping) else ():
            prefix, _, name = str(key).partition(".")
            at = (*path, "when", key)
            if prefix != "facts" or not name:
                continue
            if name not in declared:
                meant = nearest(name, declared)
                hint = f"did you mean facts.{meant}?" if meant else f"declared are: {', '.join(declared)}"
                message = f"the fact {name!r} is not declared"
            elif fault := _fault(declared[name], compared):
                message, hint = fault, "correct the condition or the declaration"
            else:
                continue
            place = places.of_key(at)
            yield RubricFinding.at(place, "undeclared-fact", message, file=file, path=at, suggestion=hint)


def _declared_facts(root: Any) -> dict[str, Fact]:
    """The facts that can be read; the others are reported by the validator."""
    entries = root.get("facts") if isinstance(root, Mapping) else None
    found = {}
    for entry in entries if isinstance(entries, list | tuple) else ():
        try:
            fact = Fact.model_validate(entry)
        except ValidationError:
            continue
        found[fact.name] = fact
    return found


def _fault(fact: Fact, compared: Any) -> str | None:
    try:
        return fault_of(Condition.model_validate(compared), fact)
    except ValidationError:
        return None
