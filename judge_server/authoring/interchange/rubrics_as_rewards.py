"""Lists as in Rubrics as Rewards (arXiv 2507.17746): entries with ``{title, description, weight}`` or a category.

The explicit score is the weighted share of what is met. A category without a number stands for Essential 1.0, Important
0.7, Optional 0.3, Pitfall 0.9. Some files word a pitfall as the good behaviour ("should avoid rounding early"), some as
the bad one ("rounds early"), and the sign of the weight does not distinguish them: the wording has to agree with the
sign.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from judge_server.authoring.interchange.entry import decided_by, number_of
from judge_server.authoring.interchange.record import first_given, losses_of, slug, wrong_shape
from judge_server.authoring.interchange.tracked import parsed
from judge_server.authoring.parsing import from_data
from judge_server.authoring.rules.wording import AVOIDED, DONE_WRONG, NEGATION
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

Wording = Literal["good", "bad"]
Pitfalls = Callable[[str], Wording] | None
WEIGHTS = {"essential": 1.0, "important": 0.7, "optional": 0.3, "pitfall": 0.9}
_KEPT = frozenset(("statements", "negative points", "aggregate weighted_mean", "aggregate points"))
_SHAPE = "A list holds {title, description, weight} or {description, category: Essential|Important|Optional|Pitfall}."
_PREFIX = re.compile(r"\s*(essential|important|optional|pitfall)(?: criteri(?:a|on))?\s*:\s*", re.IGNORECASE)
_TAG = "importance:"
_UNSIGNED = "unsigned"  # marks a criterion whose weight only follows from its category


def read(record: Any, where: str, rubric_id: str = "", pitfalls: Pitfalls = None) -> Rubric:
    """The rubric of a list, or of a row with a list under rubric, rubrics or rubric_list. ``pitfalls`` says whether a
    pitfall's statement names the good or the bad behaviour. Without it the wording decides, and BadInput lists the
    statements whose wording is ambiguous or disagrees with the sign."""
    entries = _entries(record)
    if not isinstance(entries, list) or not entries:
        raise wrong_shape(where, "there is no list of rubric entries", _SHAPE)
    taken: set[str] = set()
    unclear: list[str] = []
    criteria = [_with_sign(_criterion(entry, taken, where), pitfalls, unclear) for entry in entries]
    if unclear:
        raise BadInput(
            f"{where}: {len(unclear)} pitfalls may be worded as the good or as the bad behaviour: "
            + "; ".join(f"{text[:100]!r}" for text in unclear[:10])
            + (f"; and {len(unclear) - 10} more" if len(unclear) > 10 else "")
            + ".",
            remedy="Say which with --pitfalls bad (met means that the bad thing is there), --pitfalls good (met means "
            "that it was avoided), or --pitfalls ask.",
        )
    for one in criteria:
        one.pop(_UNSIGNED, None)
    signed = any(isinstance(one["points"], int | float) and one["points"] < 0 for one in criteria)
    question = record.get("question") if isinstance(record, Mapping) else None
    data: dict[str, Any] = {
        "id": rubric_id or f"rubrics-as-rewards/row-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": str(question).strip()[:200] if question else "Imported rubric",
        "aggregate": {"kind": "points" if signed else "weighted_mean"},
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric


def _entries(record: Any) -> Any:
    if isinstance(record, Mapping):
        record = next((parsed(record, name) for name in ("rubric", "rubrics", "rubric_list") if name in record), None)
    return lines_of(record) or None if isinstance(record, str) else record


def lines_of(text: str) -> list[dict[str, Any]]:
    """The entries of a text in which every line begins with its category (``Essential: …``); none of other texts."""
    lines = [line.strip().lstrip("-*•").strip() for line in text.splitlines() if line.strip()]
    return [{"description": line} for line in lines] if lines and all(map(_PREFIX.match, lines)) else []


def _criterion(entry: Any, taken: set[str], where: str) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise wrong_shape(where, "an entry is not an object", _SHAPE)
    title = str(first_given(entry.get("title"), entry.get("name"), default=""))
    text = str(first_given(*(entry.get(name) for name in ("description", "criterion", "text")), default=title))
    category = str(first_given(entry.get("category"), entry.get("importance"), default="")).strip().lower()
    if prefix := _PREFIX.match(text):
        category, text = category or prefix.group(1).lower(), text[prefix.end() :]
    weight = first_given(entry.get("weight"), entry.get("points"))
    weighted = weight is not None
    weight = first_given(weight, WEIGHTS.get(category))
    if not text.strip() or weight is None:
        raise wrong_shape(where, "an entry lacks a description, or both weight and category", _SHAPE)
    number = number_of(weight)
    points = weight if number is None else number
    criterion = {"id": slug(title or text, taken), "statement": text.strip(), "points": points} | decided_by(
        entry, where
    )
    tags = [f"{_TAG}{category}"] if category in WEIGHTS else []
    if axis := entry.get("axis") if "axis" in entry else None:
        tags.append(f"axis:{axis}")
    return {**criterion, **({"tags": tags} if tags else {}), **({} if weighted else {_UNSIGNED: True})}


def _is_pitfall(criterion: Mapping[str, Any]) -> bool:
    points = criterion["points"]
    return f"{_TAG}pitfall" in criterion.get("tags", ()) or (isinstance(points, int | float) and points < 0)


def _with_sign(criterion: dict[str, Any], pitfalls: Pitfalls, unclear: list[str]) -> dict[str, Any]:
    """The pitfall with negative points if its statement is the bad behaviour, positive if it is the good one. A
    statement whose wording contradicts the sign or is ambiguous is added to ``unclear``."""
    if not _is_pitfall(criterion) or not isinstance(criterion["points"], int | float):
        return criterion
    points, text = criterion["points"], str(criterion["statement"])
    agreed = _wording(text) if _UNSIGNED in criterion else _agreed_wording(text, points)
    wording = pitfalls(text) if pitfalls else agreed
    if wording is None:
        unclear.append(text)
        return criterion
    return {**criterion, "points": -abs(points) if wording == "bad" else abs(points)}


def _wording(text: str) -> Wording | None:
    """What the wording alone says, for a pitfall without a weight of its own."""
    if AVOIDED.search(text):
        return "good"
    return "bad" if DONE_WRONG.search(text) else None


def _agreed_wording(text: str, points: float) -> Wording | None:
    """The statement's wording, unless the sign of the points contradicts it. A plain description of a thing with
    negative points is the bad thing; a negation alone is ambiguous ("does not mention" or "does not recommend")."""
    if AVOIDED.search(text):
        return "good" if points > 0 else None
    if DONE_WRONG.search(text):
        return "bad" if points < 0 else None
    return "bad" if points < 0 and not NEGATION.search(text) else None


def write(rubric: Rubric) -> list[dict[str, Any]]:
    """Convert to a list; the category comes from an ``importance:`` tag if there is one."""
    written = []
    for leaf in rubric.leaves:
        entry = {"title": leaf.id.replace("_", " "), "description": leaf.statement, "weight": leaf.points}
        category = next((tag.removeprefix(_TAG) for tag in leaf.tags if tag.startswith(_TAG)), None)
        written.append({**entry, "category": category.capitalize()} if category else entry)
    return written


def losses(rubric: Rubric) -> list[str]:
    kept = set(_KEPT)
    if all(tag.startswith(_TAG) for leaf in rubric.leaves for tag in leaf.tags):
        kept.add("tags")
    return losses_of(rubric, kept)
