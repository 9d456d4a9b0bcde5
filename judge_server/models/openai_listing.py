"""What ``GET /models`` tells about the model that is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class Listing:
    """``roots``: what the name stands for on the servers, where they say so; ``context_tokens``: of the smallest."""

    roots: tuple[str, ...] = ()
    context_tokens: int | None = None

    @staticmethod
    def merged(listings: Sequence["Listing"]) -> "Listing":
        contexts = [listing.context_tokens for listing in listings if listing.context_tokens is not None]
        roots = sorted({root for listing in listings for root in listing.roots})
        return Listing(tuple(roots), min(contexts, default=None))


def listing_of(raw: bytes, name: str) -> Listing:
    """The listing of ``name`` in the body ``raw``; an empty one where the server does not list it."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Listing()
    entries = body.get("data") if isinstance(body, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("id") == name:
            root = entry.get("root")
            roots = (root,) if isinstance(root, str) and root not in {"", name} else ()
            return Listing(roots, _context(entry))
    return Listing()


def _context(entry: dict[str, Any]) -> int | None:
    sizes = [entry.get(field) for field in _CONTEXT_FIELDS]
    return next((size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0), None)
