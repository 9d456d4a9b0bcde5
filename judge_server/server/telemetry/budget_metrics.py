"""Metrics of budgets."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.scheduling.spending import Spending


class BudgetMetrics(Collector):
    """How much of each budget is spent, as this process knows it, and what was refused for one."""

    def __init__(self, spending: Spending) -> None:
        self._spending = spending

    def collect(self) -> Iterator[Metric]:
        spent = GaugeMetricFamily(
            "judge_server_budget_spent_ratio",
            "Share of a budget for judges that is spent; from 1 on calls are refused.",
            labels=["kind", "name"],
        )
        warned = GaugeMetricFamily(
            "judge_server_budget_warn_ratio", "Share of a budget from which on it is warned.", labels=["kind", "name"]
        )
        for one in self._spending.standing():
            spent.add_metric(list(one.payer), one.share)
            warned.add_metric(list(one.payer), one.warn_at)
        refused = CounterMetricFamily(
            "judge_server_budget_refusals", "Refusals because the budget of a key or run was spent.", labels=["kind"]
        )
        for kind, count in self._spending.refused.items():
            refused.add_metric([kind], count)
        yield from (spent, warned, refused)
