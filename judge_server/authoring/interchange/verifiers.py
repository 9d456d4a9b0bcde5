"""Rubric files of verifiers' rubric judge, and environments' configurations that plug it in.

Source: verifiers' ``judges/rubric.py``: ``criteria = [{name, text, weight, choices}]`` in JSON or TOML, choices from
worst to best and worth 0 to 1 in even steps (no and yes by default); the reward is the weighted mean. A configuration
lists ``judges = [{id: rubric, path, weights}]`` below a task. Judges of other kinds are code and are refused by name.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from judge_server.authoring.interchange.entry import number_of
from judge_server.authoring.interchange.record import beside, slug, wrong_shape
from judge_server.authoring.interchange.tracked import use_all
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_SHAPE = "A rubric file holds criteria of {name, text, weight, choices}; a configuration judges of {id: rubric, path}."
_FIELDS = frozenset({"name", "text", "weight", "choices"})
_DEEPEST = 20
_BINARY = ["no", "yes"]


def fits(record: Any) -> bool:
    """Whether a record is a list of such criteria, or a configuration with judges."""
    criteria = record["criteria"] if isinstance(record, Mapping) and "criteria" in record else record
    if isinstance(criteria, list) and criteria:
        return all(isinstance(one, Mapping) and {"name", "text"} <= set(one) <= _FIELDS for one in criteria)
    return next(_judges(record), None) is not None


def split(record: Any) -> list[Any]:
    """A record for each judge of a configuration; the record itself if it is a rubric."""
    return list(_judges(record)) or [record]


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of a file, or of the file that a configuration's judge names."""
    name, weights = "verifiers rubric", {}
    if isinstance(record, Mapping) and "criteria" not in record:
        kind, path = record.get("id"), record.get("path")
        if kind != "rubric" or not isinstance(path, str):
            raise BadInput(
                f"{where}: the judge {kind!r} is code of the environment, not a rubric.",
                remedy="Write what it asks as a rubric, or leave it out of the configuration.",
            )
        name = str(record.get("name") or Path(path).stem)
        given = record.get("weights") if "weights" in record else None
        weights = dict(given) if isinstance(given, Mapping) else {}
        use_all(given)
        record = beside(where, path)
    criteria = record.get("criteria") if isinstance(record, Mapping) else record
    if not isinstance(criteria, list) or not criteria:
        raise wrong_shape(where, "there are no criteria", _SHAPE)
    unknown = sorted(set(weights) - {one.get("name") for one in criteria if isinstance(one, Mapping)})
    if unknown:
        raise wrong_shape(where, f"weights name {', '.join(unknown)}, which is no criterion", _SHAPE)
    taken: set[str] = set()
    data = {
        "id": rubric_id or f"verifiers/{slug(name, set())}",
        "version": "1.0.0",
        "title": name[:200],
        "criteria": [_criterion(one, weights, taken, where) for one in criteria],
    }
    return from_data(data, file=where).rubric


def _criterion(entry: Any, weights: Mapping[str, Any], taken: set[str], where: str) -> dict[str, Any]:
    text = entry.get("text") if isinstance(entry, Mapping) else None
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(text, str) or not isinstance(name, str):
        raise wrong_shape(where, "a criterion lacks name or text", _SHAPE)
    given = entry.get("weight") if "weight" in entry else 1
    points = number_of(weights.get(name, given))
    if points is None or points < 0:
        raise wrong_shape(where, f"the weight of {name!r} is no number of 0 or more", _SHAPE)
    made = {"id": slug(name, taken), "statement": text.strip(), "points": points}
    choices = entry.get("choices") if "choices" in entry else _BINARY
    if not isinstance(choices, list) or len(choices) < 2:
        raise wrong_shape(where, f"{name!r} has fewer than two choices", _SHAPE)
    if [str(one).strip().lower() for one in choices] == _BINARY:
        return made
    steps = len(choices) - 1
    options = [{"label": str(choice), "value": place / steps} for place, choice in enumerate(choices)]
    return made | {"kind": "scale", "options": options}


def _judges(value: Any, depth: int = 0) -> Iterator[Any]:
    """The judges that a configuration lists, wherever it does."""
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return
    for name in list(value):
        inner = value[name]
        if name == "judges" and isinstance(inner, list):
            yield from (one for one in inner if isinstance(one, Mapping) and "id" in one)
        elif isinstance(inner, Mapping):
            yield from _judges(inner, depth + 1)
