"""What a rubric is called and described as, in formats whose objects may hold further fields.

It travels under one key that other programs pass over, so that a rubric that is written and read again is the same,
with the same digest, if its criteria can be said in the format.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.core.rubric import Rubric

KEY = "judge_server"
_NAMES = ("id", "version", "title", "description", "domain", "authors", "license", "jurisdiction")
DESCRIPTIVE = frozenset(f"rubric {name}" for name in _NAMES)
"""Features, as ``losses_of`` names them, of formats that hold the key."""


def identity_of(rubric: Rubric) -> dict[str, Any]:
    """The key with the fields that differ from their default."""
    held = rubric.model_dump(mode="json", include=set(_NAMES), exclude_defaults=True)
    return {KEY: {name: held[name] for name in _NAMES if name in held}}


def identified(holder: Any, rubric_id: str, **otherwise: Any) -> dict[str, Any]:
    """The fields that the key of an object holds; ``otherwise`` if there is none. ``rubric_id``, if it is given, is the
    id whatever stands there."""
    held = holder.get(KEY) if isinstance(holder, Mapping) and KEY in holder else None
    found = {name: held.get(name) for name in _NAMES if name in held} if isinstance(held, Mapping) else {}
    return (found or otherwise) | ({"id": rubric_id} if rubric_id else {})
