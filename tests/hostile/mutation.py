"""Sound inputs, bent: bytes cut, doubled, swapped and replaced; values of a JSON text replaced by other kinds."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

_PIECES = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b'"', b"'", b"\\", b"[", b"]", b"{", b"}",
    b":", b",",
    b"-", b"&a ", b"*a", b"!!x ", b"NaN", b"1e999", b"9" * 5_000, b"null", b"<|", b"|>", b"{{", b"}}", b"(", b")",
    b"\\ud800", b"#",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**64, 10**30, 0.5, 1e308, "", "x", "\0", "\ud800", "9" * 400, [], {}, [[]], [{}],
    {"": None},
    {"kind": []}, {"kind": "x"}, {"a": {"b": []}},
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, sound: list[bytes]) -> bytes:
    """One of the inputs with a few of its bytes, or of its values, changed."""
    content = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from((0, 1, 1, 2, 8, 64, 10_000))))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8), st.just(content[start:end] * 2)))
        content = content[:start] + piece + content[end:]
    return content


@st.composite
def bent_json(draw: st.DrawFn, sound: list[bytes]) -> bytes:
    """One of the JSON texts with a few of its values replaced, taken away or given under another name."""
    value = json.loads(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(1, 3))):
        parents = [node for node in _nodes(value) if node]
        if not parents:
            break
        _bend(draw, draw(st.sampled_from(parents)))
    return json.dumps(value).encode()


def _bend(draw: st.DrawFn, parent: Any) -> None:
    place = draw(st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))))
    way = draw(st.sampled_from(("replace", "replace", "remove", "repeat", "rename")))
    if way == "remove":
        del parent[place]
    elif way == "repeat" and isinstance(parent, list):
        parent.append(parent[place])
    elif way == "rename" and isinstance(parent, dict):
        parent[draw(st.sampled_from(("", "id", "kind", "x\0", "criteria", "a" * 300)))] = parent.pop(place)
    else:
        parent[place] = deepcopy(draw(st.sampled_from(_VALUES)))


def _nodes(value: Any) -> list[Any]:
    """Every list and object."""
    found, waiting = [], [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            found.append(node)
            waiting += node.values() if isinstance(node, dict) else node
    return found
