"""The metrics of several worker processes as those of one server.

Counters and histograms are summed. Gauges of what is under way and of its limits are summed, too: the limits are
divided among the workers. Of any other gauge the greatest value stands.
"""

from collections import defaultdict
from collections.abc import Sequence

from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry

_SUMMED_GAUGES = frozenset(
    {
        "judge_server_calls_in_flight",
        "judge_server_calls_waiting",
        "judge_server_class_calls_waiting",
        "judge_server_class_questions",
        "judge_server_class_questions_limit",
        "judge_server_class_submissions",
        "judge_server_class_submissions_limit",
        "judge_server_long_steps",
        "judge_server_questions_in_flight",
        "judge_server_submissions_under_way",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
    }
)
_COUNTS = frozenset(("counter", "histogram", "summary"))
Sample = tuple[str, tuple[tuple[str, str], ...]]


class _Merged(Collector):
    def __init__(self, texts: Sequence[str], *, only_counts: bool) -> None:
        self._texts = texts
        self._only_counts = only_counts

    def collect(self) -> list[Metric]:
        families: dict[str, Metric] = {}
        values: dict[str, dict[Sample, list[float]]] = defaultdict(lambda: defaultdict(list))
        for text in self._texts:
            for family in text_string_to_metric_families(text):
                families.setdefault(family.name, family)
                for sample in family.samples:
                    values[family.name][sample.name, tuple(sorted(sample.labels.items()))].append(sample.value)
        chosen = [one for one in families.values() if one.type in _COUNTS or not self._only_counts]
        return [_merged(family, values[family.name]) for family in chosen]


def _merged(family: Metric, values: dict[Sample, list[float]]) -> Metric:
    summed = family.type in _COUNTS or family.name in _SUMMED_GAUGES
    found = Metric(family.name, family.documentation, family.type)
    for (name, labels), each in values.items():
        least = name.endswith("_created")
        found.add_sample(name, dict(labels), min(each) if least else sum(each) if summed else max(each))
    return found


def merged(texts: Sequence[bytes]) -> bytes:
    """One exposition of several."""
    return _exposition(_Merged([text.decode() for text in texts], only_counts=False))


def counts_of(texts: Sequence[bytes]) -> bytes:
    """The same without gauges: what stays true of workers that are no more."""
    return _exposition(_Merged([text.decode() for text in texts], only_counts=True))


def _exposition(found: _Merged) -> bytes:
    registry = CollectorRegistry()
    registry.register(found)
    return generate_latest(registry)
