"""Whatever is sent or lies in a file is read or refused, never more, and at a bounded price."""

import contextlib
import json
import subprocess
import sys
from hashlib import pbkdf2_hmac

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.cost import cost_of
from tests.hostile.doors import DOORS
from tests.hostile.mutation import bent, bent_json
from tests.hostile.seeds import seeds
from tests.project.repository import ROOT


@pytest.fixture(scope="module")
def prices() -> dict[str, dict[str, str]]:
    """The inputs that cost too much, by door: what does is measured once more, because other work may slow it down."""
    first = measured_prices({})
    return measured_prices(first) if any(first.values()) else first


def measured_prices(only: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    measured = subprocess.run(
        [sys.executable, "-m", "tests.hostile.prices"],
        input=json.dumps(only),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert measured.returncode == 0, measured.stderr[-4_000:]
    found: dict[str, dict[str, str]] = json.loads(measured.stdout.splitlines()[-1])
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", DOORS)
def test_a_hostile_input_costs_at_most_50_ms_and_32_mb_and_never_crashes(prices, name):
    assert prices[name] == {}


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


@pytest.mark.timeout(600)
def test_the_largest_rubric_text_costs_no_more_than_a_small_one_may(prices):
    assert prices["the largest rubrics"] == {}


def test_the_price_of_what_is_cheap_is_known_to_be_cheap_and_of_what_is_dear_to_be_dear():
    assert cost_of(lambda: None, ()).bounded
    assert not cost_of(lambda: pbkdf2_hmac("sha256", b"a", b"b", 1_000_000), ()).bounded
    assert not cost_of(lambda: bytes(40_000_000), ()).bounded
