"""The Serve application: replicas of the FastAPI application as its ingress, and a deployment for each judge's model.

``serve deploy`` builds it from a file that names ``judge_server.distributed.application:build``.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import ray
from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, DeploymentActorConfig, RequestRouterConfig
from ray.serve.handle import DeploymentHandle

from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen
from judge_server.distributed.coordinator import Coordinator
from judge_server.distributed.deployed_model import DeployedModels, ModelReplica
from judge_server.distributed.replica_sharing import COORDINATOR, SharedWithReplicas
from judge_server.models.described_model import IN_PROCESS, model_key
from judge_server.server.announcement import announce
from judge_server.server.app import create_app
from judge_server.server.serving import drain
from judge_server.server.telemetry.log_lines import log_to_standard_error
from judge_server.settings.cluster import ModelReplicas, Replicas
from judge_server.settings.loading import load_settings
from judge_server.settings.settings import Settings
from judge_server.store.location import Location
from judge_server.util.memory import keep_large_blocks
from judge_server.wiring.judges import engine_options, judge_specifications

SERVER: Final = "server"
_ROUTER: Final = "judge_server.distributed.session_router.SessionRouter"
_POLICY: Final = "judge_server.distributed.class_scaling.ClassScaling"
_CLOSE_SECONDS: Final = 5.0
_LOG = logging.getLogger(__name__)


class BuildArguments(Frozen):
    """``args`` of the application in the file for ``serve deploy``. ``revision``: any text. Serve builds an application
    anew, and so reads its settings again, only if something in that file has changed."""

    config: Path | None = None
    revision: str = ""


def build(args: BuildArguments) -> Application:
    """The application of a configuration file (or of ``JUDGE_SERVER_CONFIG``), for ``serve deploy``."""
    return application_of(load_settings(args.config))


def application_of(settings: Settings) -> Application:
    """Raises BadConfiguration without PostgreSQL: replicas share the store."""
    if settings.database_url is None or Location.of(settings.database_url).sqlite:
        raise BadConfiguration(
            "Replicas on a cluster share a database, and SQLite's is a file of one machine.",
            remedy="Name a PostgreSQL database with --database, DATABASE_URL or database_url.",
        )
    models = _deployments_of_models(settings)
    scale = settings.ray.server
    server = serve.deployment(
        serve.ingress()(ServerReplica),
        name=SERVER,
        deployment_actors=[
            DeploymentActorConfig(
                name=COORDINATOR,
                actor_class=ray.remote(Coordinator),
                actor_options={"num_cpus": 0, "max_concurrency": 100_000},
            )
        ],
        ray_actor_options={"num_cpus": scale.cpus},
        **_common(scale, settings),
    )
    return server.bind(settings, models)


def _deployments_of_models(settings: Settings) -> dict[str, tuple[Application, ModelReplicas]]:
    """By the model's key: its deployment, and what was set for its replicas."""
    specifications, _ = judge_specifications(settings)
    for name in settings.ray.judges:
        if name not in specifications or specifications[name].model is None:
            raise BadConfiguration(
                f"ray.judges.{name}: there is no such judge with a model.",
                remedy="Name a judge of the table judges that has a model.",
            )
    found: dict[str, tuple[Application, ModelReplicas]] = {}
    for name, specification in specifications.items():
        wanted = settings.ray.judges.get(name)
        if specification.model is None or (wanted is None and not specification.model.startswith(IN_PROCESS)):
            continue
        scale = wanted or ModelReplicas()
        options = engine_options(specification)
        key = model_key(specification.model, options)
        if key not in found:
            deployment = _deployment_of_model(f"judge-{name}", scale, settings)
            found[key] = deployment.bind(specification.model, options), scale
    return found


def _deployment_of_model(name: str, scale: ModelReplicas, settings: Settings) -> Any:
    resources = {"num_cpus": scale.cpus} | ({"num_gpus": scale.gpus} if scale.gpus else {})
    placed: dict[str, Any] = {}
    if scale.bundles:
        placed = {
            "placement_group_bundles": [dict(bundle) for bundle in scale.bundles],
            "placement_group_strategy": scale.strategy,
        }
    options = _common(scale, settings)
    if scale.target_ongoing_by_class:
        targets = {"targets": dict(scale.target_ongoing_by_class)}
        policy = AutoscalingPolicy(policy_function=_POLICY, policy_kwargs=targets)
        options["autoscaling_config"] = options["autoscaling_config"].model_copy(update={"policy": policy})
    return serve.deployment(ModelReplica, name=name, ray_actor_options=resources, **placed, **options)


def _common(scale: Replicas, settings: Settings) -> dict[str, Any]:
    """A replica that stops finishes what it has begun; ``drain_seconds`` bounds that."""
    options: dict[str, Any] = {
        "max_ongoing_requests": scale.at_once,
        "graceful_shutdown_timeout_s": settings.drain_seconds + _CLOSE_SECONDS,
        "graceful_shutdown_wait_loop_s": 0.2,
        "health_check_period_s": 5.0,
        "logging_config": {"log_level": "WARNING", "enable_access_log": False},  # our own log names each request
        "request_router_config": RequestRouterConfig(
            request_router_class=_ROUTER, initial_backoff_s=0.005, max_backoff_s=0.05
        ),  # Ray's own half a second leaves a replica idle that has room again
    }
    if scale.most_replicas is None:
        return options | {"num_replicas": scale.replicas}
    return options | {
        "autoscaling_config": AutoscalingConfig(
            min_replicas=scale.replicas,
            max_replicas=scale.most_replicas,
            target_ongoing_requests=scale.target_ongoing,
            look_back_period_s=scale.look_back_seconds,
            upscale_delay_s=scale.upscale_seconds,
            downscale_delay_s=scale.downscale_seconds,
        )
    }


class ServerReplica:
    """One replica of the FastAPI application."""

    def __init__(self, settings: Settings, models: Mapping[str, tuple[DeploymentHandle, ModelReplicas]]) -> None:
        log_to_standard_error(settings.log_level, settings.log_format)
        keep_large_blocks()
        announce(settings)
        here = serve.get_replica_context()
        self._settings = settings
        self._sharing = SharedWithReplicas(
            here.replica_id.unique_id, here.app_name, here.deployment, DeployedModels(models)
        )

    def __serve_build_asgi_app__(self) -> Any:
        """The FastAPI application."""
        app = create_app(self._settings, self._sharing)
        served: Any = app.router.lifespan_context

        @asynccontextmanager
        async def drained(app: Any) -> AsyncIterator[None]:
            async with served(app):
                yield
                await drain(app, self._settings.drain_seconds, lambda: False)

        app.router.lifespan_context = drained
        return app

    async def answer_replica(self, kind: str, question: Any, sender: str = "") -> tuple[bool, Any]:
        """Answers another replica. One that tells all replicas something hears it, too, and lets it be."""
        if sender == self._sharing.replica:
            return False, None
        return await self._sharing.answered(kind, question)
