"""What became of each fault, in a file that a later run continues; and the faults that change nothing to be seen."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.mutation.fault import Fault

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


class Outcomes:
    """Lines of JSON: module, digest of its source, fault, outcome, and the tests that run its line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, module: str, source: str, fault: Fault, outcome: str, tests: Iterable[str] = ()) -> None:
        row = [module, _digest(source), fault.name, outcome, list(tests)]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def of(self, module: str, source: str) -> dict[str, tuple[str, list[str]]]:
        """The last outcome of each fault of this very source, and its tests."""
        if not self.path.exists():
            return {}
        rows = [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        digest = _digest(source)
        return {name: (outcome, tests) for of, read, name, outcome, tests in rows if (of, read) == (module, digest)}


class Equivalent(NamedTuple):
    """A fault that no test can find. ``reason``: why."""

    module: str
    fault: str
    reason: str


def equivalents(module: str) -> Mapping[str, str]:
    """Reasons by the name of the fault."""
    rows = [Equivalent(**row) for row in tomllib.loads(EQUIVALENT.read_text("utf-8")).get("equivalent", [])]
    return {row.fault: row.reason for row in rows if row.module == module}


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]
