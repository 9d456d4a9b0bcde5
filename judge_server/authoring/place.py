"""Where a value stands in a text: positions by path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]


class TextPosition(NamedTuple):
    """Line and column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class TextPositions:
    """Positions of values and of the keys that name them, by path from the document's root."""

    values: Mapping[Path, TextPosition] = field(default_factory=dict)
    keys: Mapping[Path, TextPosition] = field(default_factory=dict)

    def of_value(self, path: Path) -> TextPosition | None:
        """Where the value at ``path`` begins; for a path that is not in the text, the nearest node above it."""
        return next((self.values[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.values), None)

    def of_key(self, path: Path) -> TextPosition | None:
        """Where the key that ends ``path`` stands; the value's place for list items."""
        return self.keys.get(path) or self.of_value(path)


NOWHERE = TextPositions()


def dotted(path: Path) -> str:
    """``("criteria", 2, "statement")`` → ``criteria[2].statement``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
