"""Names that an adapter imports of a trainer that is on no package index, as far as the adapter uses them.

A library of the same name that is installed here, and that another test of this process may have imported, is put
aside meanwhile.
"""

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
    aside = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in made}
    for name in aside:
        del sys.modules[name]
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]
        sys.modules.update(aside)
