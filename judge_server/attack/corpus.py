"""The attack corpus: every family in order, the same texts in every run."""

from collections.abc import Sequence
from functools import lru_cache

from judge_server.attack.attack import Attack
from judge_server.attack.families import (
    content,
    control,
    disguise,
    elsewhere,
    emptiness,
    fence,
    instruction,
    markup,
    promise,
    template,
    turn,
    verdict,
)
from judge_server.core.errors import BadInput
from judge_server.util.canonical import digest

_FAMILIES = (
    emptiness, instruction, promise, verdict, markup, control, turn, fence, template, content, disguise, elsewhere,
)  # fmt: skip


@lru_cache(maxsize=1)
def corpus() -> tuple[Attack, ...]:
    """All attacks that are ours; ids are unique."""
    return tuple(attack for module in _FAMILIES for attack in module.attacks())


def families(attacks: Sequence[Attack]) -> tuple[str, ...]:
    """The families in the order in which they first come."""
    return tuple(dict.fromkeys(attack.family for attack in attacks))


def chosen(attacks: Sequence[Attack], wanted: Sequence[str]) -> tuple[Attack, ...]:
    """The attacks of these families; all where none is named. Raises BadInput for a family that is not there."""
    known = families(attacks)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadInput(f"--families: {', '.join(unknown)} is not known.", remedy=f"Known: {', '.join(known)}.")
    return tuple(attack for attack in attacks if not wanted or attack.family in wanted)


def corpus_digest(attacks: Sequence[Attack]) -> str:
    """Names the content: two reports can be compared where it is the same."""
    return digest([[attack.id, attack.text, attack.place, attack.repeat] for attack in attacks])
