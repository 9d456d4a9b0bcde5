"""Names that an adapter imports of a trainer that is on no package index, as far as the adapter uses them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def importable(modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Dotted names with what they hold, for as long as the block lasts."""
    made = {}
    for name in modules:
        for end in [place for place, letter in enumerate(name) if letter == "."] + [len(name)]:
            made.setdefault(name[:end], ModuleType(name[:end]))
        vars(made[name]).update(modules[name])
    taken = made.keys() & sys.modules.keys()
    assert not taken, f"{taken} are installed here: test the adapter with the real ones"
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]
