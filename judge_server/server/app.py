"""The whole wiring of routes at a glance."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from judge_server import __version__
from judge_server.server import api_page, description, problems
from judge_server.server.calibrating import Calibrations
from judge_server.server.dialects import openai_graders
from judge_server.server.dialects.routers import ROUTERS
from judge_server.server.dialects.state import dialects
from judge_server.server.middleware.authentication import Authentication
from judge_server.server.middleware.body_encoding import PlainBodies
from judge_server.server.middleware.body_limit import BodyLimit
from judge_server.server.middleware.disconnect import Working
from judge_server.server.middleware.host_guard import HostGuard, trusted_names
from judge_server.server.middleware.key_ring import key_ring, require_keys
from judge_server.server.middleware.permission import guard_routes
from judge_server.server.middleware.request_id import RequestId
from judge_server.server.middleware.response_headers import ResponseHeaders
from judge_server.server.routes import (
    audit_queue,
    calibrations,
    groups,
    jobs,
    judges,
    judgments,
    labels,
    monitor,
    operations,
    rubrics,
    scoring,
)
from judge_server.server.startup import ReadableStart
from judge_server.server.telemetry.canary_metrics import CanaryMetrics
from judge_server.server.telemetry.exchange import Observation
from judge_server.server.telemetry.monitor_metrics import MonitorMetrics
from judge_server.server.telemetry.telemetry import Telemetry
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service, settle
from judge_server.wiring.workers import audit_worker, canaries_of, job_worker, monitor_watch

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The application; its lifespan starts the service and drains it."""
    telemetry = Telemetry(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _running(app, settings, telemetry):
            yield
        await telemetry.close()

    app = FastAPI(
        title="judge-server",
        version=__version__,
        summary="Scores responses against expert rubrics with a judge model, for reinforcement learning.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.working = Working()
    _include_routes(app)
    public = guard_routes(app, public_metrics=settings.public_metrics)
    _add_doors(app, settings, telemetry, public)
    problems.install(app)
    description.install(app, public=public, demands_keys=settings.demands_keys)
    return app


@asynccontextmanager
async def _running(app: FastAPI, settings: Settings, telemetry: Telemetry) -> AsyncIterator[None]:
    """The service, and what works beside its requests."""
    await require_keys(settings)
    async with (
        open_service(settings, telemetry.observers) as service,
        key_ring(settings, service.store.api_keys) as app.state.keys,
    ):
        app.state.service = service
        app.state.metrics = metrics = telemetry.metrics
        metrics.watch(service)
        app.state.canaries = canaries = canaries_of(service)
        metrics.registry.register(CanaryMetrics(canaries))
        app.state.calibrations = calibrating = Calibrations(service)
        app.state.jobs = working = job_worker(service)
        app.state.watch = watching = monitor_watch(
            service, MonitorMetrics(metrics.registry, service.rubric_registry.ids)
        )
        auditing = audit_worker(service)
        app.state.unhurried = (working, auditing, calibrating)
        async with dialects(app, service, metrics):
            await canaries.start()
            working.start()
            watching.start()
            auditing.start()
            settle()
            yield
        for one in (canaries, watching, *app.state.unhurried):
            await one.close()
        left = await service.scorer.admission.drain(settings.drain_seconds)
        if left:
            _log.warning("stopped with %d submissions under way after %g s", left, settings.drain_seconds)


def _add_doors(app: FastAPI, settings: Settings, telemetry: Telemetry, public: frozenset[str]) -> None:
    """What a request passes before it is routed; the last one added is the outermost."""
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        most_under_way=settings.max_bodies_bytes,
        streamed=frozenset({jobs.PATH}),
    )
    app.add_middleware(PlainBodies)
    if settings.demands_keys:
        app.add_middleware(Authentication, public=public)
    app.add_middleware(HostGuard, names=trusted_names(settings), own=settings.trusted_hosts)
    app.add_middleware(ResponseHeaders)
    app.add_middleware(Observation, observers=telemetry.exchange_observers, tracer=telemetry.tracer)
    app.add_middleware(RequestId)
    app.add_middleware(ReadableStart)


def _include_routes(app: FastAPI) -> None:
    app.include_router(scoring.router)
    app.include_router(groups.router)
    app.include_router(jobs.router)
    app.include_router(judgments.router)
    app.include_router(rubrics.router)
    app.include_router(judges.router)
    app.include_router(labels.router)
    app.include_router(calibrations.router)
    app.include_router(monitor.router)
    app.include_router(audit_queue.router)
    app.include_router(openai_graders.router)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(operations.router)
    app.include_router(api_page.router)
