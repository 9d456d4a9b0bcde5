"""Canonical JSON and content digests.

The form is a contract: keys sorted, no white space, UTF-8 without escapes, numbers as Python writes a float or an int,
fields at their default left out. A digest is ``sha256:`` and 64 hexadecimal digits.
"""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def canonical_json(value: Any) -> str:
    """One text for one content, whatever the order in which it was written."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()
