"""What every hostile input costs at every door, in a process of its own: what other tests left in memory adds nothing.

``python -m tests.hostile.prices`` prints, as JSON, the inputs by door that cost too much. It reads the same from
standard input: what stands there is measured, and everything if nothing does.
"""

import gc
import json
import sys
from collections.abc import Mapping

from tests.hostile.corpus import HEAD, inputs
from tests.hostile.cost import cost_of
from tests.hostile.doors import DOORS, Door

LARGE_RUBRICS = {
    "values in a list": b"- a\n" * 250_000,
    "values in a flow": b"[" + b"a," * 490_000,
    "keys": "".join(f"k{number}: 1\n" for number in range(80_000)).encode(),
    "nesting": b"[" * 990_000,
    "one text": b"a: " + b"x" * 990_000,
    "one number": b"a: " + b"9" * 990_000,
    "escapes": b'a: "' + b"\\u0041" * 160_000 + b'"',
    "escaped backslashes": b'{"a":"' + b"\\\\" * 490_000 + b'\\ud83d\\ude00"}',
    "blank lines": b"\n" * 990_000,
    "the same fault": (HEAD + "  - {id: a, statment: Says it.}\n" * 30_000).encode(),
    "merges": (HEAD + "  - {id: a, statement: Says it., tags: [" + "a, " * 300_000 + "]}\n").encode(),
}


def too_dear(door: Door, contents: Mapping[str, bytes]) -> dict[str, str]:
    """By the input's name: what it cost."""
    dear = {}
    for told, content in contents.items():
        cost = cost_of(lambda content=content: door.read(content), door.refusals)
        if not cost.bounded:
            dear[told] = f"{cost.seconds * 1_000:.0f} ms, {cost.peak_bytes / 2**20:.1f} MiB, {cost.outcome}"
    return dear


def main() -> None:
    gc.collect()
    gc.freeze()
    only: dict[str, dict[str, str]] = json.load(sys.stdin)
    dear = {name: too_dear(door, _chosen(inputs(*sorted(door.reads)), only, name)) for name, door in DOORS.items()}
    largest = "the largest rubrics"
    dear[largest] = too_dear(DOORS["rubric file"], _chosen(LARGE_RUBRICS, only, largest))
    print(json.dumps(dear))  # noqa: T201 - what the program is for


def _chosen(contents: Mapping[str, bytes], only: Mapping[str, Mapping[str, str]], door: str) -> Mapping[str, bytes]:
    return {told: content for told, content in contents.items() if told in only[door]} if only else contents


if __name__ == "__main__":
    main()
