"""The application: its routes, its middleware in order, and what runs while it serves."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from copy import copy

from anyio.lowlevel import checkpoint
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server import __version__
from judge_server.core.caller import caller_name
from judge_server.core.errors import JudgeServerError
from judge_server.models.registry import open_model
from judge_server.server import description, problems
from judge_server.server import description as api_page
from judge_server.server.calibration_runs import CalibrationRuns
from judge_server.server.connections import Connections
from judge_server.server.dialects import (
    azure,
    classify,
    decisions,
    llamafactory,
    nemo_gym,
    openai_graders,
    openrlhf,
    roll,
    slime,
)
from judge_server.server.dialects.failure_policy import Substitutions
from judge_server.server.dialects.first_reward import FirstRewards
from judge_server.server.dialects.prompt_table import load_prompt_table
from judge_server.server.dialects.roll import RollTasks
from judge_server.server.exam_runs import ExamRuns
from judge_server.server.improvement_runs import ImprovementRuns
from judge_server.server.job_events import JobEvents
from judge_server.server.middleware.authentication import Authentication, key_ring, require_keys
from judge_server.server.middleware.headers import ResponseHeaders
from judge_server.server.middleware.host_guard import HostGuard, trusted_names
from judge_server.server.middleware.permission import METRICS, PROBES, guard_routes
from judge_server.server.middleware.prefix import PathPrefix
from judge_server.server.middleware.request_stream import BodyLimit, RefuseCompressed, RequestTasks
from judge_server.server.middleware.session import Sessions
from judge_server.server.pages import (
    calibration,
    calibration_items,
    editor,
    explorer,
    improvement,
    label_import,
    label_item,
    labelling,
    library,
    operation,
    start,
    training,
    try_it,
)
from judge_server.server.processes.followed import sleeping_models
from judge_server.server.processes.ownership import ToOwner
from judge_server.server.processes.sharing import Sharing
from judge_server.server.routes import (
    audit_queue,
    budgets,
    calibrations,
    engines,
    erasures,
    exams,
    groups,
    improvements,
    jobs,
    judges,
    judgments,
    labels,
    monitor,
    operations,
    rubrics,
    runs,
    scoring,
)
from judge_server.server.telemetry.budget_metrics import BudgetMetrics
from judge_server.server.telemetry.exchange import ObserveExchanges
from judge_server.server.telemetry.health_metrics import HealthMetrics
from judge_server.server.telemetry.metrics import Metrics, StoreMetrics
from judge_server.server.telemetry.monitor_metrics import CanaryMetrics, MonitorMetrics, RecognitionMetrics
from judge_server.server.telemetry.telemetry import Telemetry
from judge_server.settings.settings import Settings
from judge_server.util.apart import give_way_while
from judge_server.util.time_limit import within
from judge_server.util.turns import FairThreads
from judge_server.wiring.service import Service, SharedState, open_service
from judge_server.wiring.storage import wait_for_database
from judge_server.wiring.workers import (
    audit_worker,
    canaries_of,
    health_of,
    indexer_of,
    job_worker,
    model_watch,
    monitor_watch,
    pruner_of,
)

_log = logging.getLogger(__name__)
_THREADS, _THREADS_EACH = 6, 2  # for what would block the event loop; so many of a caller at a time
_CLOSE_SECONDS = 0.5
_DRAINED_CLOSE_SECONDS = 0.2  # then, with what uvicorn and the store take, less than a second after the draining


def create_app(settings: Settings, shared: Sharing | None = None) -> FastAPI:
    """The FastAPI application. Its lifespan starts the service, and drains and closes it at the end. ``shared``: with
    the other processes of the server."""
    telemetry = Telemetry(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, settings, telemetry, shared):
            yield
        await telemetry.close()

    app = FastAPI(
        title="judge-server",
        version=__version__,
        summary="Scores responses against expert rubrics with a judge model, for reinforcement learning.",
        lifespan=lifespan,
        openapi_url=None,  # description has the route
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.root_path}] if settings.root_path else None,
    )
    app.state.working = RequestTasks()
    app.state.stopping = False
    app.state.root_path = settings.root_path
    _include_routes(app)
    public = guard_routes(app, public_metrics=settings.public_metrics)
    app.state.shared = shared
    if shared is not None:
        app.add_middleware(ToOwner, shared=shared)
    _add_middleware(app, settings, telemetry, public)
    problems.install(app, decisions.ERROR_SHAPES)
    description.install(app, public=public, demands_keys=settings.demands_keys)
    return app


@asynccontextmanager
async def _running(
    app: FastAPI, settings: Settings, telemetry: Telemetry, shared: Sharing | None
) -> AsyncIterator[None]:
    """Run the service and its background workers."""
    await checkpoint()  # the first one loads anyio's backend, for 50 ms
    await wait_for_database(settings, lambda: bool(app.state.stopping))
    await require_keys(settings)
    shares = Connections.of(asyncio.get_running_loop()).shares
    give_way_while(lambda: shares.contended)
    asyncio.get_running_loop().set_default_executor(FairThreads(_THREADS, "work", caller_name, _THREADS_EACH))
    opening = open_model if shared is None else shared.open_model
    state = None if shared is None else SharedState(shared.ledger, shared.claims)
    async with (
        shares.sharing(),
        nullcontext() if shared is None else shared.running(app, telemetry.metrics),
        open_service(settings, telemetry.observers, opening, serving=True, shared=state) as service,
        key_ring(settings, service.store.api_keys) as app.state.keys,
    ):
        app.state.service = service
        app.state.sessions = Sessions(await service.store.secret())
        app.state.shares = shares
        app.state.metrics = metrics = telemetry.metrics
        metrics.watch(service)
        telemetry.model_metrics.expect(model.name for model in service.models)
        metrics.watch_loop(shares)
        app.state.canaries = canaries = canaries_of(service)
        for told in (CanaryMetrics(canaries), RecognitionMetrics(service.watched), BudgetMetrics(service.spending)):
            metrics.registry.register(told)
        recognising = model_watch(service)
        app.state.calibrations = calibrating = CalibrationRuns(service)
        app.state.exams = examining = ExamRuns(service.store.exams)
        app.state.improvements = improving = ImprovementRuns(service)
        app.state.jobs = working = job_worker(service)
        app.state.job_events = JobEvents(service.store.jobs.find_all)
        app.state.watch = watching = monitor_watch(
            service, MonitorMetrics(metrics.registry, service.rubric_registry.ids)
        )
        app.state.engines = sleeping_models(service, shared)
        app.state.health = health = health_of(service, telemetry.streak)
        StoreMetrics(metrics.registry, service.store)
        metrics.registry.register(HealthMetrics(service.store, health, service.models))
        auditing = audit_worker(service)
        pruning, indexing = pruner_of(service), indexer_of(service)
        app.state.unhurried = (working, auditing, calibrating, examining, improving)
        async with dialects(app, service, metrics):
            await health.look()
            health.start()
            await canaries.start()
            for one in (recognising, working, improving, watching, auditing, pruning, indexing):
                one.start()
            yield
        hurried = (app.state.engines, health, canaries, recognising, watching, pruning, indexing)
        closing = asyncio.gather(*(one.close() for one in (*hurried, *app.state.unhurried)))
        with suppress(TimeoutError):  # no job is released while the database hangs; its lease runs out
            drained = service.scorer.admission.draining  # what hangs has had its time
            with within(_DRAINED_CLOSE_SECONDS if drained else _CLOSE_SECONDS):
                await closing
        left = service.scorer.admission.under_way
        if left:
            _log.warning("stopped with %d submissions under way after %g s", left, settings.drain_seconds)


def _add_middleware(app: FastAPI, settings: Settings, telemetry: Telemetry, public: frozenset[str]) -> None:
    """Add the middleware. The last one added is the outermost."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        most_under_way=settings.max_bodies_bytes,
        streamed=frozenset({jobs.PATH}),
        public=public,
    )
    app.add_middleware(RefuseCompressed)
    if settings.demands_keys:
        shared: Sharing | None = app.state.shared
        app.add_middleware(
            Authentication,
            public=public,
            without_store=frozenset({METRICS}),
            shared=None if shared is None else shared.ledger,
        )
    app.add_middleware(HostGuard, names=trusted_names(settings), own=settings.trusted_hosts)
    app.add_middleware(
        ObserveExchanges, observers=telemetry.exchange_observers, tracer=telemetry.tracer, untraced=PROBES
    )
    app.add_middleware(ResponseHeaders)
    app.add_middleware(ReadableStart)
    if settings.root_path:
        app.add_middleware(PathPrefix, prefix=settings.root_path)


_TRAINER_ROUTERS = (
    openrlhf.router,
    slime.router,
    llamafactory.router,
    azure.router,
    nemo_gym.router,
    classify.router,
    roll.router,
)
_ROUTERS = (
    scoring.router,
    groups.router,
    jobs.router,
    judgments.router,
    runs.router,
    erasures.router,
    budgets.router,
    engines.router,
    rubrics.router,
    judges.router,
    labels.router,
    calibrations.router,
    exams.router,
    improvements.router,
    monitor.router,
    audit_queue.router,
    openai_graders.router,
    decisions.router,
    *_TRAINER_ROUTERS,
    operations.router,
    api_page.router,
    start.router,
    try_it.router,
    library.router,
    operation.router,
    training.router,
    explorer.router,
    improvement.router,
    calibration.router,
    calibration_items.router,
    editor.router,
    label_import.router,
    label_item.router,
    labelling.router,
)


def _include_routes(app: FastAPI) -> None:
    """Every route stands in the application's own list, where it is guarded. ``include_router`` of FastAPI above 0.136
    puts the whole router there, and its routes are not to be seen."""
    app.router.routes.extend(copy(route) for router in _ROUTERS for route in router.routes)


class ReadableStart:
    """Reports a service that cannot start in one line with the remedy, instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        failed: list[Message] = []

        async def held_back(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self.app(scope, receive, held_back)
        except JudgeServerError as fault:
            if not failed:
                raise
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
        except BaseException:
            for message in failed:
                await send(message)
            raise


@asynccontextmanager
async def dialects(app: FastAPI, service: Service, metrics: Metrics) -> AsyncIterator[None]:
    """Load the prompt table of the trainers' routes; cancel ROLL's unfinished tasks at the end. Raises
    BadConfiguration."""
    path = service.settings.prompt_table
    app.state.prompt_table = None if path is None else await load_prompt_table(path, service.rubric_registry.get)
    app.state.substitutions = Substitutions(metrics)
    app.state.first_rewards = FirstRewards(service.store)
    app.state.roll_tasks = tasks = RollTasks(service.settings.max_under_way)
    try:
        yield
    finally:
        await tasks.close()
