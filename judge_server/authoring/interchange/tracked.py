"""Records that know which of their fields were read, so that what an importer does not carry over can be counted."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

_EMPTY: tuple[Any, ...] = (None, "", [], {}, ())


class TrackedFields(dict[str, Any]):
    """A JSON object. ``get`` and ``[]`` note the field as read; ``in`` does not."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__({name: tracked(value) for name, value in content.items()})
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.used.add(name)
        return super().get(name, default)

    def use_all(self) -> "TrackedFields":
        """Every field below counts as read: for a part that is carried over whole."""
        for name, value in self.items():
            self.used.add(name)
            _use_all(value)
        return self


def tracked(value: Any) -> Any:
    """The value with every object in it tracked."""
    if isinstance(value, dict):
        return TrackedFields(value)
    return [tracked(one) for one in value] if isinstance(value, list) else value


def _use_all(value: Any) -> None:
    if isinstance(value, TrackedFields):
        value.use_all()
    elif isinstance(value, list):
        for one in value:
            _use_all(one)


def unread(record: Any) -> Counter[str]:
    """How often each field with a value was not read, by path: ``rubrics[].axis``."""
    return Counter(_unread(record, ""))


def _unread(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, TrackedFields):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if name in value.used:
                yield from _unread(inner, where)
            elif inner not in _EMPTY:
                yield where
    elif isinstance(value, list):
        for one in value:
            yield from _unread(one, f"{path}[]")
