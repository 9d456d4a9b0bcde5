"""Short bounds on waiting are found in tests."""

import ast

from benchmarks.short_waits import short_waits

SAMPLE = """
assert time.monotonic() - began < 8
async with asyncio.timeout(5):
    thread.join(20)
httpx.get(address)
until(ready, seconds=10.0)
with pytest.raises(TimeoutError):
    process.wait(2)
assert time.monotonic() - began < PATIENCE_SECONDS
thread.join(120)
", ".join(names)
"""


def test_short_bounds_are_found_unless_they_are_meant_to_expire():
    assert sorted(set(short_waits(ast.parse(SAMPLE)))) == [2, 3, 4, 5, 6]
