"""Proposed criteria become the next version of a prompt's own rubric: the base and at most five criteria that pairs of
its responses led to. An earlier version never changes, so a training that named it keeps its reward."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judge_server.authoring.emitting import data_of
from judge_server.authoring.interchange.record import slug
from judge_server.authoring.parsing import Parsed, from_data
from judge_server.calibration.drafting import DraftItem, ProposedCriterion, alike, merged, sifted, source_id, source_of
from judge_server.core.criterion import AnyLeaf
from judge_server.core.rubric import Rubric

LIVE: Final = 5
PROPOSED: Final = "proposed"  # the tag of such criteria
_HEAVIEST: Final = 10  # the most points that a proposal can have
_NUMBER: Final = re.compile(r"-for\.(\d+)\Z")


@dataclass(frozen=True)
class PromptVersion:
    """``parsed``: None if nothing new was proposed. ``added``, ``retired``: criteria that came and went; ``refused``:
    statements with the reason; ``merged``: proposals that say what a criterion says."""

    parsed: Parsed | None
    added: tuple[AnyLeaf, ...] = ()
    retired: tuple[AnyLeaf, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    merged: int = 0


def own_id(base: Rubric, prompt: str) -> str:
    """The id of the prompt's own rubric."""
    return f"{base.id}/for-{hashlib.sha256(prompt.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def number_of(rubric: Rubric) -> int:
    found = _NUMBER.search(rubric.version)
    return int(found[1]) if found else 0


def live(rubric: Rubric) -> tuple[AnyLeaf, ...]:
    """The proposed criteria of a prompt's rubric, newest first."""
    return tuple(leaf for leaf in rubric.leaves if PROPOSED in leaf.tags)


def next_version(
    base: Rubric,
    prompt: str,
    standing: Rubric | None,
    proposals: Sequence[ProposedCriterion],
    items: Sequence[DraftItem],
    day: str,
) -> PromptVersion:
    """``standing``: the prompt's newest version. What is new comes first, what more pairs led to before other
    criteria; beyond five the oldest retire. Raises BadRubric if the base cannot take another criterion."""
    usable, refused = sifted(proposals, items)
    earlier = () if standing is None else live(standing)
    fresh = [group for group in merged(usable) if not _known(group[0], [*base.leaves, *earlier])]
    said_before = len(usable) - len(fresh)
    if not fresh:
        return PromptVersion(None, refused=refused, merged=said_before)
    fresh.sort(key=lambda group: (-len({one.item for one in group}), -abs(_points(group))))
    heaviest = max(abs(leaf.points) for leaf in base.leaves) or 1.0
    taken = {leaf.id for leaf in (*base.leaves, *earlier)}
    made = [_criterion(one, heaviest, taken) for one in fresh]
    old = [_as_data(standing, leaf.id) for leaf in earlier] if standing is not None else []
    chosen = [*made, *old][:LIVE]
    data = data_of(base)
    named = {name for one in chosen for name in one["sources"]}
    data |= {
        "id": own_id(base, prompt),
        "version": f"{base.version.split('-')[0]}-for.{number_of(standing) + 1 if standing else 1}",
        "criteria": [*data["criteria"], *chosen],
        "sources": [*data.get("sources", ()), *_sources(standing, items, named, day)],
    }
    parsed = from_data(data)
    kept = {one["id"] for one in chosen}
    return PromptVersion(
        parsed,
        added=tuple(leaf for leaf in live(parsed.rubric) if leaf.id not in {one.id for one in earlier}),
        retired=tuple(leaf for leaf in earlier if leaf.id not in kept),
        refused=refused,
        merged=said_before,
    )


def _known(one: ProposedCriterion, known: Sequence[AnyLeaf]) -> bool:
    return any((leaf.points > 0) == (one.points > 0) and alike(one.statement, leaf.statement) for leaf in known)


def _points(group: Sequence[ProposedCriterion]) -> float:
    return sorted(one.points for one in group)[len(group) // 2]


def _criterion(group: Sequence[ProposedCriterion], heaviest: float, taken: set[str]) -> dict[str, Any]:
    """A proposal of the most points weighs as much as the heaviest criterion of the base."""
    return {
        "id": slug(group[0].statement, taken),
        "statement": group[0].statement,
        "points": round(_points(group) / _HEAVIEST * heaviest, 4),
        "tags": [PROPOSED],
        "sources": list(dict.fromkeys(source_id(one.item) for one in group)),
    }


def _as_data(rubric: Rubric, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in data_of(rubric)["criteria"] if one["id"] == name)
    return found


def _sources(
    standing: Rubric | None, items: Sequence[DraftItem], named: set[str], day: str
) -> Iterator[Mapping[str, Any]]:
    """Those of the standing version that are still named, and the pairs of responses."""
    earlier = data_of(standing).get("sources", ()) if standing is not None else ()
    kept = [one for one in earlier if one["id"] in named]
    yield from kept
    known = {one["id"] for one in kept}
    for item in items:
        if source_id(item.id) in named - known:
            yield source_of(item, "a better and a worse response", day)
