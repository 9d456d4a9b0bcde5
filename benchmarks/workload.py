"""The work of every contender: submissions of about 1,500 tokens under a rubric of 12 criteria, nothing seen twice."""

from collections.abc import Iterator
from dataclasses import dataclass

CRITERIA = 12
_QUESTION = "My mother has had a headache since Monday and takes ibuprofen; she is 67 and has high blood pressure. "
_ANSWER = "Rest, water and a dark room help; a sudden severe headache, fever or weakness needs emergency care at once. "


@dataclass(frozen=True)
class Item:
    prompt: str
    response: str


def statements() -> list[str]:
    return [f"Names warning sign number {number} of the list for headaches." for number in range(1, CRITERIA + 1)]


def items(count: int, mark: str) -> Iterator[Item]:
    """``mark`` makes the texts new, so that no cache has them."""
    for number in range(count):
        yield Item(
            prompt=f"[{mark}-{number // 8}] " + _QUESTION * 40,
            response=f"[{mark}-{number}] " + _ANSWER * 20,
        )
