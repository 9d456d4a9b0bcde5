"""Prometheus metrics of judgments, grades, queues and their limits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server import __version__
from judge_server.core.caller import current_caller
from judge_server.core.errors import StoreUnavailable
from judge_server.core.judgment import NO_JUDGE, Judgment, Usage
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import RubricReference
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.models.protocol import Priority
from judge_server.scheduling.processor_share import ProcessorShares
from judge_server.scheduling.scheduler import Scheduler
from judge_server.server.telemetry.counts import Counter, Histogram
from judge_server.server.telemetry.model_calls import FAILURES
from judge_server.store.database import WORKS, Work
from judge_server.store.store import Store
from judge_server.wiring.service import Service

INLINE = "inline"
OTHER = "other"
NO_RUBRIC = "none"
_MOST_RUBRICS = 200
_MOST_KEYS = 200
_VALUE_BUCKETS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)
_REWARD_BUCKETS = tuple(step / 10 for step in range(-10, 11))
_STORE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counts judgments as they are made; gauges are read from the service when metrics are scraped."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        ProcessCollector(registry=here)
        Info("judge_server_build", "Version of the server.", registry=here).info({"version": __version__})
        self._judgments = Counter(
            "judge_server_judgments", "Judgments by judge and status.", ("judge", "status"), registry=here
        )
        self._failures = Counter(
            "judge_server_failures", "Judgments without a reward by cause.", ("type",), registry=here
        )
        self._verdicts = Counter(
            "judge_server_verdicts", "Verdicts by source and status.", ("source", "status"), registry=here
        )
        self._cached = Counter("judge_server_verdicts_cached", "Verdicts that came from the cache.", registry=here)
        self._tokens = Counter("judge_server_tokens", "Tokens by kind.", ("kind",), registry=here)
        self._calls = Counter("judge_server_model_calls", "Calls of judge models.", registry=here)
        self._dollars = Counter("judge_server_dollars", "Cost of calls whose price is known.", registry=here)
        self._spendings = Counter(
            "judge_server_spent",
            "Tokens, calls and dollars that judges cost, by rubric and API key.",
            ("rubric", "key", "what"),
            registry=here,
        )
        self._keys: set[str] = set()
        self._kinds = Counter(
            "judge_server_rubric_judgments",
            "Judgments by rubric: all, and partial, failed, cached, abstained, flagged ones.",
            ("rubric", "kind"),
            registry=here,
        )
        self._groups = Counter(
            "judge_server_groups",
            "Groups of at least two rewards in one request, by whether all are equal.",
            ("rubric", "rewards"),
            registry=here,
        )
        self._flags = Counter("judge_server_flags", "Flags raised by the guard.", ("flag",), registry=here)
        self._gates = Counter("judge_server_gates_fired", "Gates that fired.", registry=here)
        self._grades = Counter(
            "judge_server_grades", "Samples graded by kind of grader and outcome.", ("kind", "outcome"), registry=here
        )
        self._grade_failures = Counter(
            "judge_server_grade_failures", "Samples without a grade by cause.", ("type",), registry=here
        )
        self._substituted = Counter(
            "judge_server_substituted_rewards",
            "Samples whose trainer was not given a judge's reward, by wire format and cause.",
            ("dialect", "error"),
            registry=here,
        )
        self._uncompared = Counter(
            "judge_server_comparison_failures",
            "Members of groups that could not be compared by cause.",
            ("type",),
            registry=here,
        )
        self._rewards = Histogram(
            "judge_server_reward", "Rewards by rubric.", ("rubric",), buckets=_REWARD_BUCKETS, registry=here
        )
        self._sums = RewardSums(here)
        self._values = Histogram(
            "judge_server_verdict_value",
            "Values of verdicts by rubric and source, from 0 (not met, worst) to 1.",
            ("rubric", "source"),
            buckets=_VALUE_BUCKETS,
            registry=here,
        )
        for kind in FAILURES:  # a series that begins with its first failure shows no increase
            for causes in (self._failures, self._grade_failures, self._uncompared):
                causes.labels(kind)
        self._shown: Set[str] = frozenset()
        self._rubrics: set[str] = set()
        self._seconds = Histogram(
            "judge_server_seconds",
            "Seconds from submission to judgment.",
            ("rubric",),
            buckets=_SECONDS_BUCKETS,
            registry=here,
        )

    def judged(self, judgment: Judgment) -> None:
        """Count one judgment. No name that a request chooses becomes a label."""
        self._judgments.labels((judgment.judge or NO_JUDGE).name, judgment.status).inc()
        rubric = self._label_of(judgment.rubric)
        alike = _alike(judgment.verdicts)
        for kind in _kinds(judgment, alike):
            self._kinds.labels(rubric, kind).inc()
        if judgment.reward is not None:
            self._rewards.labels(rubric).observe(judgment.reward)
            self._sums.add(rubric, judgment.reward)
        if judgment.error:
            self._failures.labels(judgment.error.type).inc()
        for (source, status), same in alike.items():
            self._verdicts.labels(source, status).inc(len(same))
            values = [verdict.value for verdict in same if verdict.value is not None]
            self._values.labels(rubric, source).observe(*values)
            self._cached.inc(sum([verdict.cached for verdict in same]))
        for flag in judgment.flags:
            self._flags.labels(flag).inc()
        self._gates.inc(len(judgment.gates))
        self._spent(judgment.usage)
        if judgment.usage.calls:
            self._charge(judgment.usage, rubric)
        self._seconds.labels(rubric).observe(judgment.timing.total_seconds)

    def _label_of(self, rubric: RubricReference | None) -> str:
        """The id of a rubric of the library or the store; ``inline`` for rubrics in requests."""
        if rubric is None or rubric.digest not in self._shown:
            return INLINE
        if rubric.id not in self._rubrics and len(self._rubrics) >= _MOST_RUBRICS:
            return OTHER
        self._rubrics.add(rubric.id)
        return rubric.id

    def grouped(self, rubric: RubricReference | None, *, equal: bool) -> None:
        """Count one group of rewards."""
        self._groups.labels(self._label_of(rubric), "equal" if equal else "different").inc()

    def graded(self, kind: str, cause: str | None, usages: Iterable[Usage], *, substituted: bool) -> None:
        """Count one run of a grader: ``ok``, ``failed``, or ``substituted`` if the caller's number replaced the
        reward."""
        for usage in usages:
            self.asked(usage)
        self._grades.labels(kind, "ok" if cause is None else "substituted" if substituted else "failed").inc()
        if cause is not None:
            self._grade_failures.labels(cause).inc()

    def substituted(self, dialect: str, error: str) -> None:
        """Count one sample of a trainer that got its own number, or a mask, instead of a reward."""
        self._substituted.labels(dialect, error).inc()

    def compared(self, usage: Usage, failures: Sequence[Failure]) -> None:
        """Count one comparison of a group."""
        self.asked(usage)
        for failure in failures:
            self._uncompared.labels(failure.type).inc()

    def asked(self, usage: Usage) -> None:
        """Count what questions cost that belong to no judgment, such as those of a grader or of a decision request."""
        self._spent(usage)
        if usage.calls:
            self._charge(usage, NO_RUBRIC)

    def _spent(self, usage: Usage) -> None:
        self._tokens.labels("prompt").inc(usage.prompt_tokens)
        self._tokens.labels("cached").inc(usage.cached_tokens)
        self._tokens.labels("completion").inc(usage.completion_tokens)
        self._calls.inc(usage.calls)
        if usage.dollars:
            self._dollars.inc(usage.dollars)

    def _charge(self, usage: Usage, rubric: str) -> None:
        name = current_caller.get().name
        key = name if name in self._keys or len(self._keys) < _MOST_KEYS else OTHER
        self._keys.add(key)
        for what in ("prompt_tokens", "cached_tokens", "completion_tokens", "calls", "dollars"):
            if amount := getattr(usage, what):
                self._spendings.labels(rubric, key, what).inc(amount)

    def watch_loop(self, shares: ProcessorShares) -> None:
        """Register what holds the event loop."""
        here = self.registry
        Gauge(
            "judge_server_longest_step_seconds",
            "Most processor time that one step held the event loop.",
            registry=here,
        ).set_function(lambda: shares.longest_step)
        Gauge(
            "judge_server_long_steps",
            "Steps that held the event loop for more than 50 ms of processor time, since the start.",
            registry=here,
        ).set_function(lambda: shares.long_steps)

    def watch(self, service: Service) -> None:
        """Register gauges of the service's load; read from it which rubrics may become labels."""
        here = self.registry
        here.register(LoadMetrics(service))
        self._shown = service.rubric_registry.shown
        Gauge("judge_server_submissions_under_way", "Submissions under way.", registry=here).set_function(
            lambda: service.scorer.admission.under_way
        )
        Gauge("judge_server_broken_rubric_files", "Rubric files that cannot be read.", registry=here).set_function(
            lambda: service.rubric_registry.broken_files
        )
        Gauge("judge_server_questions_in_flight", "Distinct questions being asked.", registry=here).set_function(
            lambda: service.cached_judge.in_flight
        )
        waiting = Gauge("judge_server_calls_waiting", "Calls that wait for a model.", ("model",), registry=here)
        running = Gauge("judge_server_calls_in_flight", "Calls a model works on.", ("model",), registry=here)
        for model in service.models:
            _watch(model.scheduler, waiting.labels(model.name), running.labels(model.name))

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self.registry)


def _alike(verdicts: Iterable[Verdict]) -> dict[tuple[str, VerdictStatus], list[Verdict]]:
    """The verdicts of each source and status."""
    found: dict[tuple[str, VerdictStatus], list[Verdict]] = {}
    for verdict in verdicts:
        place = verdict.source, verdict.status
        if place in found:
            found[place].append(verdict)
        else:
            found[place] = [verdict]
    return found


class StoreMetrics:
    """Times waits for the database and counts its faults."""

    def __init__(self, registry: CollectorRegistry, store: Store) -> None:
        self._name = store.name
        self._seconds = Histogram(
            "judge_server_store_wait_seconds",
            "Seconds that work waited for the database.",
            ("database", "work"),
            buckets=_STORE_BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "judge_server_store_errors",
            "Work that the database did not do, by type of error; cancelled: its caller waited no longer.",
            ("database", "work", "type"),
            registry=registry,
        )
        self._lost = Counter(
            "judge_server_store_failed_seconds",
            "Seconds of waits for the database that ended with an error or were given up.",
            ("database", "work"),
            registry=registry,
        )
        for work in WORKS:  # a series that begins with its first error shows no increase
            self._lost.labels(self._name, work)
            for kind in (StoreUnavailable.type, "cancelled"):
                self._errors.labels(self._name, work, kind)
        store.traffic.observer = self

    def waited(self, work: Work, seconds: float, error: str | None) -> None:
        """Count one wait."""
        self._seconds.labels(self._name, work).observe(seconds)
        if error is not None:
            self._errors.labels(self._name, work, error).inc()
            self._lost.labels(self._name, work).inc(seconds)


class RewardSums:
    """Count, sum and sum of squares of rewards. A histogram whose buckets reach below 0 has no sum, because counters
    cannot fall: so what is above 0 and what is below is summed apart."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter("judge_server_rewards", "Rewards by rubric.", ("rubric",), registry=registry)
        self._above = Counter(
            "judge_server_rewards_above_zero", "Sum of the rewards above 0, by rubric.", ("rubric",), registry=registry
        )
        self._below = Counter(
            "judge_server_rewards_below_zero", "Sum of the rewards below 0 without their sign, by rubric.",
            ("rubric",), registry=registry,
        )  # fmt: skip
        self._squares = Counter(
            "judge_server_rewards_squared", "Sum of squared rewards, by rubric.", ("rubric",), registry=registry
        )

    def add(self, rubric: str, reward: float) -> None:
        """Count one reward."""
        self._count.labels(rubric).inc()
        self._above.labels(rubric).inc(max(reward, 0.0))
        self._below.labels(rubric).inc(max(-reward, 0.0))
        self._squares.labels(rubric).inc(reward**2)


def _kinds(judgment: Judgment, alike: Mapping[tuple[str, VerdictStatus], Sequence[Verdict]]) -> Iterator[str]:
    """``cached``: no judge was asked for any verdict of a judge."""
    asked = [
        same for (source, status), same in alike.items() if source == "judge" and status != VerdictStatus.NOT_APPLICABLE
    ]
    yield "all"
    if judgment.status is not JudgmentStatus.OK:
        yield judgment.status.value
    if asked and all(verdict.cached for same in asked for verdict in same):
        yield "cached"
    if ("judge", VerdictStatus.ABSTAINED) in alike:
        yield "abstained"
    if judgment.flags:
        yield "flagged"


def _watch(schedule: Scheduler, waiting: Gauge, running: Gauge) -> None:
    waiting.set_function(lambda: schedule.waiting)
    running.set_function(lambda: schedule.in_flight)


class LoadMetrics(Collector):
    """Load and limits, read at each scrape. Labels are configured models and priority classes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        yield from self._classes()
        yield from self._models()

    def _classes(self) -> Iterator[Metric]:
        names = {
            "submissions": "Submissions under way by priority class.",
            "submissions_limit": "Submissions of a priority class from which requests are answered 429.",
            "questions": "Questions under way by priority class.",
            "questions_limit": "Questions of a priority class from which requests are answered 429.",
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
            "judge_server_addresses_resting", "Addresses of a model whose circuit is open.", labels=["model"]
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
