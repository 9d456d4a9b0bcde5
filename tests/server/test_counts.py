"""What is counted is exposed as prometheus_client's own counters and histograms expose it."""

import random

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from judge_server.server.telemetry import counts

_BOUNDS = {"seconds": (0.005, 0.1, 1, 60), "reward": (-1.0, -0.5, 0.0, 0.5, 1.0)}
_NAMES = ("plain", 'with "quotes"', "two\nlines", "a\\b", "Ünïcode")


def _exposed(kinds) -> str:
    """What was counted in an order drawn from one seed."""
    registry, drawn = CollectorRegistry(), random.Random(12)
    alone = kinds.Counter("alone", "Without labels.", registry=registry)
    by_name = kinds.Counter("by_name", "With\nlabels.", ("name", "kind"), registry=registry)
    kinds.Counter("unused", "Never counted.", ("name",), registry=registry)
    by_name.labels("begun", "at 0")
    spreads = [
        kinds.Histogram(name, "Values.", ("name",), buckets=bounds, registry=registry)
        for name, bounds in _BOUNDS.items()
    ]
    for _ in range(400):
        by_name.labels(drawn.choice(_NAMES), drawn.choice("ab")).inc()
        by_name.labels(drawn.choice(_NAMES), drawn.choice("ab")).inc(drawn.random() * 1e7)
        alone.inc(drawn.choice((0, 1, 0.25)))
        for spread, bounds in zip(spreads, _BOUNDS.values(), strict=True):
            series = spread.labels(drawn.choice(_NAMES))
            series.observe(drawn.choice(bounds))  # a bound belongs to the bucket below it
            series.observe(drawn.uniform(bounds[0] - 0.5, bounds[-1] * 1.5))
    return generate_latest(registry).decode()


@pytest.mark.usefixtures("_one_moment")
def test_the_exposition_is_that_of_prometheus_client():
    assert _exposed(counts) == _exposed(prometheus_client)


@pytest.fixture
def _one_moment(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.5)


def test_several_values_at_once_count_as_one_after_the_other():
    registry = CollectorRegistry()
    values = counts.Histogram("values", "Values.", ("name",), buckets=(0.5, 1.0), registry=registry)
    values.labels("at once").observe(0.25, 0.5, 0.75, 3.0)
    values.labels("none").observe()
    found = {
        (sample.name, sample.labels["name"], sample.labels.get("le")): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
    assert found["values_sum", "at once", None] == 4.5
    assert [found["values_bucket", "at once", le] for le in ("0.5", "1.0", "+Inf")] == [2, 3, 4]
    assert found["values_count", "none", None] == 0
