"""The one place where settings, models, judges, rubrics, store and scorer meet. Every door opens onto a Service."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from judge_server.authoring.bundled import rubrics_directory
from judge_server.authoring.library import Library
from judge_server.authoring.shelf import Shelf
from judge_server.core.allowance import PRIORITY_CLASSES
from judge_server.core.canonical import canonical_json
from judge_server.core.class_limit import ClassLimit
from judge_server.core.errors import BadConfiguration
from judge_server.core.fitted_map import MapSet
from judge_server.core.judge import JudgeSpecification
from judge_server.core.secret import keep_secret
from judge_server.jobs.bounds import Bounds as JobBounds
from judge_server.jobs.worker import Worker
from judge_server.judging import guard
from judge_server.judging.answer import Judge
from judge_server.judging.panel import Panel
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Priority
from judge_server.models.registry import open_model
from judge_server.monitoring.watch import Listener, Watch
from judge_server.monitoring.webhook import Webhook
from judge_server.scoring.admission import Admission
from judge_server.scoring.auditing import Auditor, Pace
from judge_server.scoring.bench import Bench
from judge_server.scoring.cache import VerdictCache
from judge_server.scoring.calibrate import ActiveMaps
from judge_server.scoring.canaries import Canaries
from judge_server.scoring.certification import Certification
from judge_server.scoring.class_load import Bound
from judge_server.scoring.graders.grading import Graders
from judge_server.scoring.graders.python_process import PythonProcesses
from judge_server.scoring.group.collection import Bounds
from judge_server.scoring.group.groups import Groups
from judge_server.scoring.inquiry import Inquiry
from judge_server.scoring.scheduled_model import ScheduledModel
from judge_server.scoring.scorer import Scorer
from judge_server.scoring.standing import Standing
from judge_server.scoring.watchers import Watchers
from judge_server.settings import DEFAULT_JUDGE, Settings, environment_variable
from judge_server.store.secret_file import secret_of
from judge_server.store.store import Store


@dataclass(frozen=True)
class Service:
    """Everything a door needs, started."""

    settings: Settings
    store: Store
    shelf: Shelf
    judges: Mapping[str, Judge]
    default_judge: str
    models: tuple[ScheduledModel, ...]
    inquiry: Inquiry
    scorer: Scorer
    standing: Standing
    graders: Graders
    groups: Groups

    def busy(self) -> bool:
        """Whether anybody but an audit waits for a model."""
        return any(
            model.schedule.waiting_of(priority)
            for model in self.models
            for priority in Priority
            if priority is not Priority.AUDIT
        )

    def measuring_scorer(self, *, raw: bool = False) -> Scorer:
        """A scorer for calibrations: it needs no certificate and keeps no judgments. ``raw``: without fitted maps."""
        return Scorer(
            rubrics=self.shelf,
            bench=Bench(self.judges, self.default_judge),
            inquiry=self.inquiry,
            admission=self.scorer.admission,
            standing=self.standing.for_measuring(raw=raw),
            inspect=self.scorer.inspect,
        )


@asynccontextmanager
async def open_service(settings: Settings, watchers: Watchers | None = None) -> AsyncIterator[Service]:
    """Open the store, start the models, and close everything in the opposite order.

    Without a ``database_url`` the store lives in memory. Raises BadConfiguration, StoreUnavailable or ModelUnavailable,
    each with the remedy.
    """
    watchers = watchers or Watchers()
    async with AsyncExitStack() as stack:
        store = await _store(settings)
        stack.push_async_callback(store.close)
        specifications, default_judge = judge_specifications(settings)
        models = _Models(watchers, settings.lower_class_share)
        judges = _build(specifications, models, PromptWriter(await store.secret()))
        for model in models.opened.values():
            stack.push_async_callback(model.close)
            await model.start()
        shelf = Shelf(library_of(settings), store)
        inquiry = Inquiry(VerdictCache(store, settings.cache_entries))
        standing = Standing(ActiveMaps(_pinned_maps(settings)), _certification(settings))
        await standing.refresh(store.calibrations)
        refreshing = asyncio.create_task(
            standing.keep_fresh(store.calibrations, settings.calibration_refresh_seconds), name="standing"
        )
        stack.callback(refreshing.cancel)
        scorer = Scorer(
            rubrics=shelf,
            bench=Bench(judges, default_judge),
            inquiry=inquiry,
            admission=Admission(_class_bounds(settings), settings.max_steps, models.saturated),
            archive=store,
            watchers=watchers,
            standing=standing,
            inspect=partial(guard.inspect, veto=frozenset(settings.veto)),
        )
        graders = Graders(
            judges=judges,
            cache=inquiry.cache,
            admission=scorer.admission,
            programs=await _programs(settings),
            certified_only=settings.require_calibrated,
        )
        groups = Groups(scorer, inquiry.cache, _cohort_bounds(settings), watchers)
        stack.push_async_callback(groups.close)
        opened = tuple(models.opened.values())
        yield Service(settings, store, shelf, judges, default_judge, opened, inquiry, scorer, standing, graders, groups)


def job_worker(service: Service) -> Worker:
    """What takes durable jobs from the store; start it, and close it before the service."""
    settings = service.settings
    bounds = JobBounds(
        items_at_once=settings.job_items_at_once,
        lease_seconds=settings.job_lease_seconds,
        attempts=settings.job_attempts,
        retention_seconds=settings.job_retention_seconds,
    )
    return Worker(service.store.jobs, service.scorer, bounds)


def canaries_of(service: Service) -> Canaries:
    """What asks the judges questions with known answers; start it, and close it before the service."""
    return Canaries(service.judges, service.settings.canary, service.settings.canary_seconds)


def monitor_watch(service: Service, listener: Listener | None = None) -> Watch:
    """What looks at stored judgments and raises alarms; start it, and close it before the service."""
    settings = service.settings
    webhook = None
    if settings.alarm_webhook_url is not None:
        key = settings.alarm_webhook_secret
        secret = None if key is None else key.get_secret_value()
        keep_secret(secret)
        keep_secret(settings.alarm_webhook_url)
        webhook = Webhook(settings.alarm_webhook_url, secret)
    return Watch(service.store, settings.monitor, settings.monitor_seconds, webhook, listener)


def audit_worker(service: Service) -> Auditor:
    """What judges a random sample once more; start it, and close it before the service. Raises BadConfiguration."""
    settings = service.settings
    judge = settings.audit_judge
    if judge is not None and judge not in service.judges:
        raise BadConfiguration(
            f"audit_judge: {judge!r} is not among the judges.", remedy=f"Known: {', '.join(sorted(service.judges))}."
        )
    pace = Pace(at_once=settings.audit_at_once, horizon_seconds=settings.monitor.horizon_seconds)
    return Auditor(service.store, service.measuring_scorer(), judge, settings.audit_share, service.busy, pace)


@asynccontextmanager
async def open_archive(settings: Settings) -> AsyncIterator[tuple[Store, Shelf]]:
    """Store and rubrics without any judge: for looking back."""
    store = await _store(settings)
    try:
        yield store, Shelf(library_of(settings), store)
    finally:
        await store.close()


async def _programs(settings: Settings) -> PythonProcesses | None:
    """Where programs of graders run, proven to be confined; None where the operator wants none."""
    if not settings.python_graders:
        return None
    processes = PythonProcesses(
        seconds=settings.python_grader_seconds,
        mebibytes=settings.python_grader_mebibytes,
        at_once=settings.python_graders_at_once,
    )
    await processes.prove()
    return processes


def _cohort_bounds(settings: Settings) -> Bounds:
    return Bounds(settings.max_cohorts, settings.max_cohort_bytes, settings.cohort_memory_seconds)


def settle() -> None:
    """Call once when everything is started: what exists by then stays for good, so the garbage collector need not look
    at it again, and need not look so often (measured: 0.31 instead of 0.52 ms of processor time for a verdict)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _class_bounds(settings: Settings) -> dict[Priority, Bound]:
    """What each priority class may have under way."""
    limits = [settings.class_limits.get(name, ClassLimit()) for name in PRIORITY_CLASSES]
    bounds = [
        Bound(one.submissions or settings.max_under_way, one.questions or settings.max_questions) for one in limits
    ]
    return dict(zip(Priority, bounds, strict=True))


async def _store(settings: Settings) -> Store:
    """In memory where no database is named."""
    return await Store.open(settings.database_url or "sqlite://", secret=secret_of(settings.secret_file.expanduser()))


def library_of(settings: Settings) -> Library:
    """The configured directories of rubrics, or the bundled ones."""
    return Library(*(settings.rubrics or (rubrics_directory(),)))


def _pinned_maps(settings: Settings) -> list[MapSet]:
    pinned = []
    for path in settings.fitted_maps:
        try:
            pinned.append(MapSet.of_json(path.read_text("utf-8")))
        except (OSError, ValueError) as fault:
            raise BadConfiguration(
                f"fitted_maps: {path} cannot be used: {fault}.",
                remedy="Name files that judge-server calibrate fit --out wrote.",
            ) from None
    return pinned


def _certification(settings: Settings) -> Certification:
    """Which certificates count. The policy is read only where one is named: measuring brings heavy libraries along."""
    if settings.gate_policy is None:
        return Certification(required=settings.require_calibrated)
    from judge_server.calibration.policy import read_policy

    return Certification(required=settings.require_calibrated, policy=read_policy(settings.gate_policy).digest)


def judge_specifications(settings: Settings) -> tuple[dict[str, JudgeSpecification], str]:
    """The configured judges and the default's name; the embedded baseline where none is configured."""
    judges = dict(settings.judges)
    if not judges:
        judges = {DEFAULT_JUDGE: JudgeSpecification(name=DEFAULT_JUDGE, model="baseline")}
    default = settings.chosen_judge
    if default not in judges:
        raise BadConfiguration(
            f"default_judge: {default!r} is not among the judges.", remedy=f"Known: {', '.join(sorted(judges))}."
        )
    return judges, default


class _Models:
    """Judges that name the same model with the same engine options share one."""

    def __init__(self, watchers: Watchers, lower_class_share: float) -> None:
        self._watchers = watchers
        self._lower_class_share = lower_class_share
        self.opened: dict[tuple[str, str], ScheduledModel] = {}

    def saturated(self) -> bool:
        """Whether calls wait for a model."""
        return any(model.schedule.waiting for model in self.opened.values())

    def open(self, specification: JudgeSpecification) -> ScheduledModel:
        name = specification.model or ""
        key = (name, canonical_json(specification.engine))
        if key not in self.opened:
            self.opened[key] = ScheduledModel(
                open_model(name, _with_secrets(specification)),
                self._watchers,
                lower_class_share=self._lower_class_share,
            )
        return self.opened[key]


def _with_secrets(specification: JudgeSpecification) -> dict[str, Any]:
    """Engine options with the key that ``api_key_env`` names read from the environment."""
    options = dict(specification.engine)
    variable = options.pop("api_key_env", None)
    if variable is not None:
        key = environment_variable(str(variable))
        if not key:
            raise BadConfiguration(
                f"judges.{specification.name}.engine.api_key_env: the environment has no {variable}.",
                remedy="Set it to the provider's API key.",
            )
        options["api_key"] = key
    return options


def _build(specifications: Mapping[str, JudgeSpecification], models: _Models, writer: PromptWriter) -> dict[str, Judge]:
    judges: dict[str, Judge] = {
        name: SingleJudge(specification, models.open(specification), writer)
        for name, specification in specifications.items()
        if not specification.panel
    }
    for name, specification in specifications.items():
        if not specification.panel:
            continue
        unknown = [member for member in specification.panel if member not in judges]
        if unknown:
            raise BadConfiguration(
                f"judges.{name}.panel: {', '.join(unknown)} is no judge with a model.",
                remedy="A panel names judges that have a model of their own.",
            )
        judges[name] = Panel(specification, [judges[member] for member in specification.panel])
    return judges
