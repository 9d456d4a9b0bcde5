"""A first rubric from examples: a model proposes criteria item by item; what is proposed twice is merged, and each
criterion names the items that it came from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judge_server.authoring.interchange.record import slug
from judge_server.authoring.parsing import Parsed, from_data
from judge_server.calibration.wording import COPIED_WORDS, runs_of_words
from judge_server.core.errors import BadRubric
from judge_server.core.model import Frozen

VERSION: Final = "0.1.0-draft"
ALIKE: Final = 0.6  # share of words that two statements of one criterion have in common
_TITLE: Final = 80
_WORD: Final = re.compile(r"\w+")


class DraftItem(Frozen):
    """What a criterion may be drawn from: a prompt with a response, a reference, or a good and a bad response."""

    id: str
    prompt: str = ""
    response: str | None = None
    reference: str | None = None
    good: str | None = None
    bad: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for text in (self.prompt, self.response, self.reference, self.good, self.bad) if text)


@dataclass(frozen=True)
class ProposedCriterion:
    """``points`` are negative if meeting the statement is bad."""

    item: str
    statement: str
    points: float


@dataclass(frozen=True)
class DraftedRubric:
    """``parsed``: None if nothing usable was proposed; ``refused``: statements with the reason; ``merged``: how many
    proposals said what another one did; ``beyond``: criteria that ``most`` left out."""

    parsed: Parsed | None
    refused: tuple[tuple[str, str], ...]
    merged: int
    beyond: int


def drafted_rubric(
    rubric_id: str, title: str, proposals: Sequence[ProposedCriterion], items: Sequence[DraftItem], most: int, day: str
) -> DraftedRubric:
    """Criteria that more items led to come first; among them, those with more points. ``day``: on which the items were
    read, in ISO 8601."""
    usable, refused = sifted(proposals, items)
    groups = merged(usable)
    groups.sort(key=lambda group: (-len({one.item for one in group}), -max(abs(one.points) for one in group)))
    chosen = groups[:most]
    if not any(group[0].points > 0 for group in chosen):
        return DraftedRubric(None, refused, len(usable) - len(groups), len(groups) - len(chosen))
    data = _data(rubric_id, title, chosen, {item.id: item for item in items}, day)
    return DraftedRubric(from_data(data), refused, len(usable) - len(groups), len(groups) - len(chosen))


def sifted(
    proposals: Sequence[ProposedCriterion], items: Sequence[DraftItem]
) -> tuple[list[ProposedCriterion], tuple[tuple[str, str], ...]]:
    """Those that can be used, and the statements of the others with the reason."""
    texts = {item.id: item.texts for item in items}
    faults = [(one, _fault(one, texts.get(one.item, ()))) for one in proposals]
    refused = tuple((one.statement, fault) for one, fault in faults if fault is not None)
    return [one for one, fault in faults if fault is None], refused


def _fault(one: ProposedCriterion, texts: Iterable[str]) -> str | None:
    """Why a proposal is not used: it is no criterion, or quotes the item, which fits no other prompt."""
    made = {"id": "a", "version": "1.0.0", "title": "a", "criteria": [_criterion(one, "a")]}
    try:
        from_data(made)
    except BadRubric as fault:
        return fault.detail
    own = runs_of_words(one.statement)
    return f"it copies {COPIED_WORDS} words in a row" if any(own & runs_of_words(text) for text in texts) else None


def _criterion(one: ProposedCriterion, name: str) -> dict[str, Any]:
    return {"id": name, "statement": one.statement, "points": one.points}


def merged(proposals: Sequence[ProposedCriterion]) -> list[list[ProposedCriterion]]:
    """Proposals of one sign whose words are mostly the same, by the first of each group."""
    groups: list[list[ProposedCriterion]] = []
    for one in proposals:
        own = next(
            (
                group
                for group in groups
                if (group[0].points > 0) == (one.points > 0) and alike(one.statement, group[0].statement)
            ),
            None,
        )
        if own is None:
            groups.append([one])
        else:
            own.append(one)
    return groups


def alike(first: str, second: str) -> bool:
    """Whether two statements say the same in mostly the same words."""
    return _shared(_words(first), _words(second)) >= ALIKE


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))


def _shared(first: frozenset[str], second: frozenset[str]) -> float:
    """Jaccard's index."""
    return len(first & second) / max(len(first | second), 1)


def _data(
    rubric_id: str, title: str, groups: Sequence[Sequence[ProposedCriterion]], items: Mapping[str, DraftItem], day: str
) -> dict[str, Any]:
    taken: set[str] = set()
    names: defaultdict[str, set[str]] = defaultdict(set)
    criteria = []
    for group in groups:
        cited = list(dict.fromkeys(one.item for one in group))
        for item in cited:
            names[item].add(group[0].statement)
        points = sorted(one.points for one in group)[len(group) // 2]
        made = _criterion(group[0], slug(group[0].statement, taken))
        criteria.append({**made, "points": points, "sources": [source_id(item) for item in cited]})
    sources = [source_of(item, "an example", day) for item in items.values() if item.id in names]
    return {
        "id": rubric_id,
        "version": VERSION,
        "title": title,
        "aggregate": {"kind": "points", "clip": [0, 1]},
        "sources": sources,
        "criteria": criteria,
    }


def source_of(item: DraftItem, note: str, day: str) -> dict[str, Any]:
    """The entry of a rubric's sources for an item that led to a criterion."""
    title = (item.prompt or item.id).strip()[:_TITLE] or item.id
    return {"id": source_id(item.id), "title": title, "note": note, "checked": day}


def source_id(item: str) -> str:
    made = re.sub(r"[^a-z0-9_-]+", "-", item.casefold()).strip("-_")
    return (made or "item")[:100]
