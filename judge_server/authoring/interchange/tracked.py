"""Records that know which of their fields were read, so that what an importer does not carry over can be counted."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from judge_server.util.parsing import read_json

_LEADING = "\ufeff \t\r\n"
_EMPTY: tuple[Any, ...] = (None, "", [], {}, ())


class TrackedFields(dict[str, Any]):
    """A JSON object. ``get`` and ``[]`` note the field as read; ``in`` does not."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__({name: tracked(value) for name, value in content.items()})
        self.used: set[str] = set()
        self.passed_on = False

    def __getitem__(self, name: str) -> Any:
        self.used.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.used.add(name)
        return super().get(name, default)

    def changed(self, **fields: Any) -> "TrackedFields":
        """A copy with other fields. What is read of it is noted there, and no longer here."""
        self.passed_on = True
        return TrackedFields({**self, **fields})

    def use_all(self) -> "TrackedFields":
        """Every field below counts as read: for a part that is carried over whole."""
        for name, value in self.items():
            self.used.add(name)
            use_all(value)
        return self


def tracked(value: Any) -> Any:
    """The value with every object in it tracked; one that is tracked already stays the same object."""
    if isinstance(value, TrackedFields):
        return value
    if isinstance(value, dict):
        return TrackedFields(value)
    return [tracked(one) for one in value] if isinstance(value, list) else value


def parsed(record: Mapping[str, Any], name: str) -> Any:
    """The field; if it is JSON text, as data sets keep lists in a text column, what the text holds."""
    value = unpacked(record.get(name))
    if isinstance(record, TrackedFields):
        record[name] = value
    return value


def unpacked(value: Any) -> Any:
    """What JSON text of a list, an object or a text holds; anything else as it is."""
    if isinstance(value, str) and value.lstrip(_LEADING).startswith(("[", "{", '"')):
        with suppress(ValueError):
            return tracked(read_json(value.lstrip(_LEADING), unique=True))
    return value


def use_all(value: Any) -> None:
    """Everything in a part that is carried over whole counts as read."""
    if isinstance(value, TrackedFields):
        value.use_all()
    elif isinstance(value, list):
        for one in value:
            use_all(one)


def unread(*records: Any) -> Counter[str]:
    """How often each field with a value was not read, by path: ``rubrics[].axis``. What stands in several of the
    records, such as a file and its parts, counts once, where it is found first."""
    seen: set[int] = set()
    return Counter(path for record in records for path in _unread(record, "", seen))


def _unread(value: Any, path: str, seen: set[int]) -> Iterator[str]:
    if isinstance(value, TrackedFields):
        if value.passed_on or id(value) in seen:
            return
        seen.add(id(value))
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if name in value.used:
                yield from _unread(inner, where, seen)
            elif inner not in _EMPTY:
                yield where
    elif isinstance(value, list):
        for one in value:
            yield from _unread(one, f"{path}[]", seen)
