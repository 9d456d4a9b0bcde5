"""Counters and histograms with the exposition of ``prometheus_client``'s, for what is counted many times a request.

They are counted in the event loop's thread only, so nothing is locked, and a count costs a fifth.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class CounterSeries:
    """One series of a counter."""

    __slots__ = ("created", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.created = time.time()

    def inc(self, amount: float = 1.0) -> None:
        """``amount`` is not below 0."""
        self.value += amount


class HistogramSeries:
    """One series of a histogram. ``counts``: of the values up to each of ``bounds`` and above the one before, and of
    those above all."""

    __slots__ = ("_bounds", "counts", "created", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.created = time.time()

    def observe(self, *values: float) -> None:
        counts, bounds = self.counts, self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            self.total += value


class Counter(Collector):
    """A counter by ``labels``; without labels it has one series, from the start. ``name`` is without ``_total``."""

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] = (), *, registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._series: dict[tuple[str, ...], CounterSeries] = {} if labels else {(): CounterSeries()}
        registry.register(self)

    def labels(self, *values: str) -> CounterSeries:
        """The series with these values, which begins now if there is none."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = CounterSeries()
        return series

    def inc(self, amount: float = 1.0) -> None:
        """Of one without labels."""
        self._series[()].value += amount

    def collect(self) -> Iterable[Metric]:
        metric = Metric(self._name, self._documentation, "counter")
        for values, series in self._series.items():
            labels = dict(zip(self._labels, map(str, values), strict=True))
            metric.add_sample(f"{self._name}_total", labels, series.value)
            metric.add_sample(f"{self._name}_created", labels, series.created)
        return (metric,)


class Histogram(Collector):
    """A histogram by ``labels``. ``buckets``: their upper bounds, ascending; values above all are counted too. It has
    no sum if values can be below 0, because a sum that falls would be taken for a restart."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str],
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, labels
        self._bounds = tuple(map(float, buckets))
        self._shown = [*map(floatToGoString, self._bounds), "+Inf"]
        self._series: dict[tuple[str, ...], HistogramSeries] = {}
        registry.register(self)

    def labels(self, *values: str) -> HistogramSeries:
        """The series with these values, which begins now if there is none."""
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = HistogramSeries(self._bounds)
        return series

    def collect(self) -> Iterable[Metric]:
        metric = Metric(self._name, self._documentation, "histogram")
        for values, series in self._series.items():
            labels = dict(zip(self._labels, map(str, values), strict=True))
            number = 0
            for bound, count in zip(self._shown, series.counts, strict=True):
                number += count
                metric.add_sample(f"{self._name}_bucket", labels | {"le": bound}, number)
            metric.add_sample(f"{self._name}_count", labels, number)
            if self._bounds[0] >= 0:
                metric.add_sample(f"{self._name}_sum", labels, series.total)
            metric.add_sample(f"{self._name}_created", labels, series.created)
        return (metric,)
