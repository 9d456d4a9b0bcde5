"""Ids made of text."""

import re
import unicodedata

_LONGEST = 48
_MOST_WORDS = 7
_FILLERS = frozenset(("a", "an", "the", "of", "to", "and", "or", "that", "is", "are", "in", "for", "with", "it", "its"))


def slug(text: str, taken: set[str]) -> str:
    """A criterion id from a statement's first telling words, different from all in ``taken``, to which it is added."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = [word for word in re.findall(r"[a-z0-9]+", ascii_text.lower()) if word not in _FILLERS]
    base = "_".join(words[:_MOST_WORDS])[:_LONGEST].strip("_") or "criterion"
    base = base if base[0].isalpha() else f"c_{base}"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
