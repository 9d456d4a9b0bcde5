"""Long lists in parts that the server takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judge_client.errors import BadInput, JudgeClientError, TooLarge

_ROOM_BYTES = 1_024  # of a body's braces, names and commas


@dataclass
class Limits:
    """What one request may hold. It begins with the server's defaults and learns from its refusals."""

    items: int = 1_024
    body_bytes: int = 8 * 2**20

    def learn(self, error: JudgeClientError, items: int, body_bytes: int) -> bool:
        """Whether something smaller than what was refused is worth sending."""
        if isinstance(error, TooLarge):
            known = error.problem.get("max_bytes")
            fits = isinstance(known, int) and 0 < known < body_bytes
            self.body_bytes = min(self.body_bytes, known if fits and known else body_bytes // 2)
            return items > 1
        known = error.problem.get("max_items") if isinstance(error, BadInput) else None
        if not isinstance(known, int) or not 0 < known < items:
            return False
        self.items = min(self.items, known)
        return True


def split(sizes: Sequence[int], limits: Limits, common_bytes: int = 0) -> list[range]:
    """Neighbouring places of the list in as few parts as the limits allow; an element that is too large on its own
    makes a part of its own. ``sizes``: bytes of each element; ``common_bytes``: what every part says besides."""
    room = limits.body_bytes - common_bytes - _ROOM_BYTES
    parts: list[range] = []
    start = used = 0
    for place, size in enumerate(sizes):
        full = place - start >= limits.items or used + size + 1 > room
        if full and place > start:
            parts.append(range(start, place))
            start, used = place, 0
        used += size + 1
    if start < len(sizes):
        parts.append(range(start, len(sizes)))
    return parts
