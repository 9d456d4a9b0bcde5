"""One page of a listing, newest first, and the opaque cursor of the next page."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from judge_server.core.errors import BadInput
from judge_server.util.parsing import read_json

Item = TypeVar("Item")
MOST_PER_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """``next_cursor`` is None on the last page."""

    items: tuple[Item, ...]
    next_cursor: str | None = None

    @staticmethod
    def of(found: "Sequence[tuple[Position, Item]]", limit: int) -> "Page[Item]":
        """The first ``limit`` of what was found, of which there is one more if there are further pages."""
        cursor = found[limit - 1][0].cursor() if len(found) > limit else None
        return Page(tuple(item for _, item in found[:limit]), cursor)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in a listing by time: microseconds since 1970 in UTC, and the id as tie-breaker. The default precedes
    every row."""

    created_us: int = 0
    id: str = ""

    def cursor(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.created_us, self.id]).encode()).decode().rstrip("=")

    @staticmethod
    def of(cursor: str) -> "Position":
        """Raises BadInput for anything that ``cursor`` did not produce."""
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            created_us, row_id = read_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, TypeError):
            created_us = row_id = None
        if type(created_us) is not int or not isinstance(row_id, str) or abs(created_us) >= 2**63:
            raise BadInput(
                "The cursor is not one that this server gave out.",
                remedy="Pass next_cursor of the previous page unchanged, or leave cursor out for the newest page.",
            )
        return Position(created_us, row_id)


def check_limit(limit: int) -> int:
    if not 1 <= limit <= MOST_PER_PAGE:
        raise BadInput(f"limit is {limit}.", remedy=f"Ask for 1 to {MOST_PER_PAGE} items a page.")
    return limit
