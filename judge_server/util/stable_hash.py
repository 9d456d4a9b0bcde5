"""Draws that come out the same whoever makes them, and whenever: by the digest of a name."""

import hashlib
from typing import Final

_OF_ALL: Final = 2**64


def stable_hash(name: str, salt: str) -> float:
    """A number in [0, 1), uniform over names; independent for another ``salt``."""
    text = f"{salt}\x1f{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / _OF_ALL
