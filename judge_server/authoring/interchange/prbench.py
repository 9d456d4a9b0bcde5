"""PRBench rows: ``{task, turns, prompt_0, response_0, …, rubric: [{id, title, annotations}]}``.

Source: the fields of ScaleAI/PRBench. An entry's annotations name a ``weight_class`` and hold its weight under
``<class>_weight``; detrimental classes have negative weights. Weights of other classes are left-overs and not read.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.entry import number_of
from judge_server.authoring.interchange.record import first_given, wrong_shape
from judge_server.authoring.interchange.rows import rubric_of
from judge_server.authoring.interchange.tracked import parsed
from judge_server.core.rubric import Rubric

_SHAPE = "A row is {prompt_0, rubric: [{id, title, annotations: {weight_class, <class>_weight, criteria_category}}]}."
_CLASSES = frozenset(
    f"{degree}{kind}" for kind in ("important", "detrimental") for degree in ("", "slightly ", "critically ")
)
_MOST_TURNS = 100


def fits(record: Any) -> bool:
    """Whether the entries of a row have annotations with a weight class."""
    entries = parsed(record, "rubric") if isinstance(record, Mapping) and "rubric" in record else None
    return isinstance(entries, list) and bool(entries) and all(_annotations(one) is not None for one in entries)


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row."""
    entries = parsed(record, "rubric") if isinstance(record, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise wrong_shape(where, "there is no rubric", _SHAPE)
    made = [_entry(entry, where) for entry in entries]
    return rubric_of(made, where, rubric_id or f"prbench/row-{where.rsplit(':', 1)[-1]}")


def submission_of(record: Any) -> dict[str, Any]:
    """The task as id, and the conversation up to the last prompt, with the reference texts before their prompts."""
    if not isinstance(record, Mapping):
        return {}
    turns: list[dict[str, Any]] = []
    for turn in range(_MOST_TURNS):
        asked = record.get(f"prompt_{turn}") if f"prompt_{turn}" in record else None
        if not isinstance(asked, str) or not asked.strip():
            break
        if turns and isinstance(said := record.get(f"response_{turn - 1}"), str) and said:
            turns.append({"role": "assistant", "content": said})
        texts = record.get(f"reference_texts_{turn}") if f"reference_texts_{turn}" in record else None
        shown = [one for one in texts or () if isinstance(one, str)] if isinstance(texts, list) else []
        turns.append({"role": "user", "content": "\n\n".join([*shown, asked])})
    task = record.get("task") if "task" in record else None
    return ({"id": str(task)} if isinstance(task, str | int) else {}) | ({"prompt": turns} if turns else {})


def _annotations(entry: Any) -> Mapping[str, Any] | None:
    found = entry.get("annotations") if isinstance(entry, Mapping) else None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, Mapping) and "weight_class" in found else None


def _entry(entry: Any, where: str) -> dict[str, Any]:
    annotations = _annotations(entry)
    if annotations is None:
        raise wrong_shape(where, "an entry has no annotations with a weight_class", _SHAPE)
    name = str(annotations.get("weight_class")).strip().lower()
    weight = number_of(annotations.get(f"{name.replace(' ', '_')}_weight"))
    text = first_given(annotations.get("criteria_description"), entry.get("title"))
    if name not in _CLASSES or weight is None or not isinstance(text, str):
        raise wrong_shape(where, f"an entry of class {name!r} has no weight of its class, or no text", _SHAPE)
    category = annotations.get("criteria_category") if "criteria_category" in annotations else None
    tags = [str(category)] if category else []
    return {"criterion": text, "weight": -abs(weight) if "detrimental" in name else abs(weight), "tags": tags}
