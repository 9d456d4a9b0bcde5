"""Old judgments are pruned while scoring goes on, and slow it down by less than a third."""

import pytest

from benchmarks.pruning import MOST_RATIO, bench


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_scoring_goes_on_while_old_judgments_are_pruned(tmp_path, request, kind):
    own = request.getfixturevalue("postgres").new_database() if kind == "postgresql" else None
    found = await bench(own or f"sqlite:///{tmp_path / 'judge.db'}", 60, rate=20.0, window_seconds=0.5)
    assert found.failed == 0
    assert found.quiet
    assert found.pruning
    assert found.removed + found.removed_idle == 60


@pytest.mark.longest
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_hundred_thousand_judgments_are_pruned_under_load(tmp_path, postgres, kind):
    url = f"sqlite:///{tmp_path / 'judge.db'}" if kind == "sqlite" else postgres.new_database()
    found = await bench(url, 200_000, rate=50.0, window_seconds=5.0)
    assert found.failed == 0
    assert found.removed == 200_000
    assert found.ratio <= MOST_RATIO, found.table
