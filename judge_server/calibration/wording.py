"""Other wordings of a criterion: what a proposal may change, and the drafted version that it becomes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from judge_server.authoring.diff import compare
from judge_server.core.criterion import AnyLeaf, JudgedLeaf
from judge_server.core.rubric import Rubric

CHANGEABLE: Final = frozenset({"statement", "guidance"})
COPIED_WORDS: Final = 7  # words in a row of an item's text that no wording needs
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Draft:
    """``refused``: why it is not measured; else ``rubric`` is the drafted version."""

    criterion: str
    rubric: Rubric | None = None
    diff: tuple[str, ...] = ()
    refused: str | None = None


def draft(rubric: Rubric, leaf: AnyLeaf, proposal: Mapping[str, Any], texts: Iterable[str], number: int) -> Draft:
    """The version of ``rubric`` in which ``leaf`` reads as proposed. Refused: a proposal that changes anything but
    statement and guidance, copies words of a labelled item's ``texts``, changes nothing, or is no criterion."""
    refusal = _refusal(leaf, proposal, texts)
    if refusal is not None:
        return Draft(leaf.id, refused=refusal)
    changed = {name: proposal[name] for name in CHANGEABLE if proposal.get(name) is not None}
    data = rubric.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    data["criteria"] = [_replaced(one, leaf.id, changed) for one in data["criteria"]]
    data["version"] = f"{rubric.version.split('-')[0]}-draft.{number}"
    try:
        made = Rubric.model_validate(data)
    except ValidationError as fault:
        return Draft(leaf.id, refused=f"it is no criterion: {fault.errors()[0]['msg']}")
    found = compare(rubric, made)
    if not found.changes or not any(change.criterion == leaf.id for change in found.changes):
        return Draft(leaf.id, refused="it changes nothing")
    return Draft(leaf.id, made, tuple(str(change) for change in found.changes if change.criterion is not None))


def _refusal(leaf: AnyLeaf, proposal: Mapping[str, Any], texts: Iterable[str]) -> str | None:
    if not isinstance(leaf, JudgedLeaf):
        return "a program decides this criterion"
    now = leaf.model_dump(mode="json")
    for name, value in proposal.items():
        if name not in CHANGEABLE and value != now.get(name):
            return f"it changes {name!r}, and only {' and '.join(sorted(CHANGEABLE))} may change"
    worded = {name: proposal.get(name) for name in CHANGEABLE}
    if any(value is not None and not isinstance(value, str) for value in worded.values()):
        return "its statement or guidance is no text"
    known = runs_of_words(f"{leaf.statement} {leaf.guidance or ''}")
    new = set().union(*(runs_of_words(str(value)) for value in worded.values() if value)) - known
    for text in texts:
        if new & runs_of_words(text):
            return f"it copies {COPIED_WORDS} words in a row from a labelled item"
    return None


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    """Every ``COPIED_WORDS`` words in a row."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return {tuple(words[place : place + COPIED_WORDS]) for place in range(len(words) - COPIED_WORDS + 1)}


def _replaced(criterion: Mapping[str, Any], name: str, changed: Mapping[str, str]) -> dict[str, Any]:
    if "criteria" in criterion:
        return {**criterion, "criteria": [_replaced(one, name, changed) for one in criterion["criteria"]]}
    return {**criterion, **changed} if criterion["id"] == name else dict(criterion)
