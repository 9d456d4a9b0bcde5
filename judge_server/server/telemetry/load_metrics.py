"""What Prometheus reads of queues and their limits, and of calls sent twice: numbers that others keep."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.models.protocol import Priority
from judge_server.wiring.service import Service


class LoadMetrics(Collector):
    """Read whenever somebody looks; labels are configured models and priority classes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        yield from self._classes()
        yield from self._models()

    def _classes(self) -> Iterator[Metric]:
        names = {
            "submissions": "Submissions under way by priority class.",
            "submissions_limit": "Submissions of a priority class from which the door answers 429.",
            "questions": "Questions under way by priority class.",
            "questions_limit": "Questions of a priority class from which the door answers 429.",
        }
        families = [
            GaugeMetricFamily(f"judge_server_class_{name}", text, labels=["priority"]) for name, text in names.items()
        ]
        for priority, load in self._service.scorer.admission.classes.items():
            figures = (load.under_way, load.bound.submissions, load.questions, load.bound.questions)
            for family, figure in zip(families, figures, strict=True):
                family.add_metric([priority.name.lower()], figure)
        yield from families

    def _models(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "judge_server_class_calls_waiting",
            "Calls that wait for a model by priority class.",
            labels=["model", "priority"],
        )
        circuits_open = GaugeMetricFamily(
            "judge_server_addresses_resting", "Addresses of a model that are left alone.", labels=["model"]
        )
        hedged = CounterMetricFamily(
            "judge_server_calls_hedged", "Calls that were sent to a second address, by who answered.",
            labels=["model", "answered"],
        )  # fmt: skip
        for model in self._service.models:
            for priority in Priority:
                waiting.add_metric([model.name, priority.name.lower()], model.scheduler.waiting_of(priority))
            if model.reach is not None:
                circuits_open.add_metric([model.name], model.reach.circuits_open)
                hedged.add_metric([model.name, "first"], model.reach.hedged - model.reach.hedges_won)
                hedged.add_metric([model.name, "second"], model.reach.hedges_won)
        yield from (waiting, circuits_open, hedged)
