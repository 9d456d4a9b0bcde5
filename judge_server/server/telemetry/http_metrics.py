"""What Prometheus reads of requests."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from judge_server.server.telemetry.exchange import Exchange

_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class HttpMetrics:
    """Labels are routes as the server declares them, never paths as they were asked for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "judge_server_http_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "judge_server_http_seconds",
            "Seconds from a request to the beginning of its answer.",
            ("route",),
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )

    def answered(self, exchange: Exchange) -> None:
        """Count one exchange."""
        self._requests.labels(exchange.method, exchange.route, exchange.status).inc()
        self._seconds.labels(exchange.route).observe(exchange.seconds)
