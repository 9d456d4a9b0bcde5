"""Whatever is sent or lies in a file is read or refused, never more, and at a bounded price."""

import contextlib
import json
from hashlib import pbkdf2_hmac

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.corpus import HEAD, inputs
from tests.hostile.cost import BYTES, SECONDS, cost_of
from tests.hostile.doors import DOORS
from tests.hostile.mutation import bent, bent_json
from tests.hostile.seeds import seeds


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.usefixtures("quiet_collector")
def test_a_hostile_input_costs_at_most_50_ms_and_32_mb_and_never_crashes(name):
    door = DOORS[name]
    costly = {}
    for told, content in inputs(*sorted(door.reads)).items():
        cost = cost_of(lambda content=content: door.read(content), door.refusals)
        if not cost.bounded:
            costly[told] = f"{cost.seconds * 1_000:.0f} ms, {cost.peak_bytes / 2**20:.1f} MiB, {cost.outcome}"
    assert costly == {}


def _values(kinds: list[str]) -> st.SearchStrategy[bytes]:
    texts = [content for kind in kinds for content in seeds(kind)]
    plain = [content for content in texts if _is_json(content)]
    return st.one_of(bent(texts), bent_json(plain)) if plain else bent(texts)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", DOORS)
def test_a_bent_input_is_read_or_refused(name):
    door = DOORS[name]

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(_values(sorted(door.reads)))
    def read(content: bytes) -> None:
        with contextlib.suppress(*door.refusals):
            door.read(content)

    read()


_LARGE = {
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


@pytest.mark.parametrize("content", _LARGE.values(), ids=_LARGE)
@pytest.mark.usefixtures("quiet_collector")
def test_the_largest_rubric_text_costs_no_more_than_a_small_one_may(content):
    door = DOORS["rubric file"]
    cost = cost_of(lambda: door.read(content), door.refusals)
    assert cost.seconds <= SECONDS
    assert cost.peak_bytes <= BYTES


def test_the_price_of_what_is_cheap_is_known_to_be_cheap_and_of_what_is_dear_to_be_dear():
    assert cost_of(lambda: None, ()).bounded
    assert not cost_of(lambda: pbkdf2_hmac("sha256", b"a", b"b", 1_000_000), ()).bounded
    assert not cost_of(lambda: bytes(40_000_000), ()).bounded
