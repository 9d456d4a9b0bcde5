"""The attack corpus: the bundled attacks, the same in every run, and a user's own from a file of JSON lines."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from judge_server.attack.attack import LONGEST_CHARACTERS, Attack, Place
from judge_server.attack.base import BASES
from judge_server.attack.families import hidden, orders, syntax, worthless
from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.scoring.batch import describe
from judge_server.util.canonical import digest
from judge_server.util.parsing import parse_json

_FAMILIES = (worthless, orders, syntax, hidden)


@lru_cache(maxsize=1)
def corpus() -> tuple[Attack, ...]:
    """All bundled attacks; ids are unique."""
    return tuple(attack for module in _FAMILIES for attack in module.attacks())


def families(attacks: Sequence[Attack]) -> tuple[str, ...]:
    """The families in order of first appearance."""
    return tuple(dict.fromkeys(attack.family for attack in attacks))


def chosen(attacks: Sequence[Attack], wanted: Sequence[str]) -> tuple[Attack, ...]:
    """The attacks of these families; all if none is named. Raises BadInput for an unknown family."""
    known = families(attacks)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BadInput(f"--families: {', '.join(unknown)} is not known.", remedy=f"Known: {', '.join(known)}.")
    return tuple(attack for attack in attacks if not wanted or attack.family in wanted)


def corpus_digest(attacks: Sequence[Attack]) -> str:
    """Identifies the content: reports are comparable if their digests are equal."""
    return digest([[attack.id, attack.text, attack.place, attack.repeat] for attack in attacks])


MOST_BYTES = 64 * 2**20
LONGEST_LINE = 4 * 2**20
MOST_ATTACKS = 10_000
MOST_CHARACTERS = 100_000_000  # of all attacks together, written out
_ID = r"^[a-z][a-z0-9_]{0,63}/[a-z0-9][a-z0-9_]{0,99}$"


class _Line(Frozen):
    id: Annotated[str, Field(pattern=_ID)]
    text: Annotated[str, Field(max_length=LONGEST_CHARACTERS)]
    place: Place = "append"
    repeat: Annotated[int, Field(ge=1, le=10_000)] = 1


def read_corpus(path: Path) -> tuple[Attack, ...]:
    """The attacks of a file. Raises BadInput with line and remedy at the first fault."""
    attacks: dict[str, Attack] = {}
    characters = 0
    for number, line in _lines(path):
        attack = _attack(path, number, line)
        if attack.id in attacks:
            raise _bad(path, number, f"the id {attack.id} is given twice", "Give every attack an id of its own.")
        characters += _size(path, number, attack)
        if len(attacks) == MOST_ATTACKS or characters > MOST_CHARACTERS:
            raise _bad(
                path,
                number,
                f"more than {MOST_ATTACKS:,} attacks or {MOST_CHARACTERS:,} characters",
                "Split the file into several.",
            )
        attacks[attack.id] = attack
    if not attacks:
        raise BadInput(
            f"{path}: this file holds no attacks.",
            remedy='Write one JSON object a line: {"id": "family/name", "text": "..."}.',
        )
    return tuple(attacks.values())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every non-blank line."""
    read = 0
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(LONGEST_LINE + 1):
                number, read = number + 1, read + len(line)
                if len(line) > LONGEST_LINE or read > MOST_BYTES:
                    raise _bad(
                        path,
                        number,
                        f"a line may have {LONGEST_LINE // 2**20} MiB and the file {MOST_BYTES // 2**20} MiB",
                        "Split the file into several.",
                    )
                if line.strip():
                    yield number, line
    except OSError as fault:
        raise BadInput(
            f"{path} cannot be read: {fault.strerror or fault}.", remedy="Name a file of JSON lines."
        ) from None


def _attack(path: Path, number: int, line: bytes) -> Attack:
    example = 'Write it like {"id": "family/name", "text": "...", "place": "append", "repeat": 1}.'
    try:
        value = _Line.model_validate(parse_json(line))
    except ValidationError as fault:
        raise _bad(path, number, describe(fault), example) from None
    except ValueError as fault:
        raise _bad(path, number, str(fault), example) from None
    if re.search("[\ud800-\udfff]", value.text):
        raise _bad(path, number, "text: half a surrogate pair is not a character", "Write whole characters.")
    return Attack(value.id, value.text, value.place, value.repeat)


def _size(path: Path, number: int, attack: Attack) -> int:
    """The length of the attack on the base that makes it longest, in characters."""
    try:
        return max(len(attack.written(base)) for base in BASES)
    except BadInput as fault:
        raise _bad(path, number, fault.detail.rstrip("."), fault.remedy or "Shorten it.") from None


def _bad(path: Path, number: int, fault: str, remedy: str) -> BadInput:
    return BadInput(f"{path}, line {number}: {fault}.", remedy=remedy)
