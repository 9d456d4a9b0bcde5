"""``judge-server serve --on ray``: deploy the application, and remove it when a signal arrives."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import ray
from ray import serve
from ray.exceptions import ActorDiedError

from judge_server.core.errors import BadConfiguration
from judge_server.distributed.application import application_of
from judge_server.server.middleware.resending import CALLBACK
from judge_server.server.serving import port_is_free
from judge_server.server.telemetry.log_lines import log_to_standard_error
from judge_server.settings.settings import Settings
from judge_server.wiring.storage import opened_store

OWN_CLUSTER: Final = "local"
_LOG = logging.getLogger(__name__)
_KEEP_ALIVE_SECONDS: Final = 75
_STARTS: Final = 3
_OBJECTS_BYTES: Final = 256 * 2**20
_OF_THE_PROXY: Final = {
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": CALLBACK,
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
}
_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def serve_on_ray(settings: Settings) -> bool:
    """Serve until a signal arrives. Without ``ray.address`` a cluster of this machine is started, and ended with the
    command; a cluster that runs already keeps running. False if the replicas could not start; the log has the reason.
    Raises BadConfiguration and StoreUnavailable."""
    log_to_standard_error(settings.log_level, settings.log_format)
    application = application_of(settings)
    own = settings.ray.address is None
    if own and not port_is_free(settings.host, settings.port):
        return False
    asyncio.run(_migrated(settings))
    ended = threading.Event()
    with connected(settings.ray.address):
        for number in (signal.SIGTERM, signal.SIGINT):  # Ray has set its own
            signal.signal(number, lambda *_: ended.set())
        try:
            deployed = _deploy(settings, application)
            if deployed:
                _LOG.info("serving on http://%s:%d until a signal arrives", settings.host, settings.port)
                ended.wait()
                _LOG.info("draining the replicas for at most %g s", settings.drain_seconds)
        finally:
            serve.delete(settings.ray.application)
            if own:
                serve.shutdown()
    return deployed


def _deploy(settings: Settings, application: Any) -> bool:
    with suppress(ActorDiedError):  # a proxy that starts slowly is replaced by Serve's controller
        serve.start(
            proxy_location="EveryNode",
            http_options={
                "host": settings.host,
                "port": settings.port,
                "keep_alive_timeout_s": _KEEP_ALIVE_SECONDS,
            },
            controller_options={"runtime_env": {"env_vars": _OF_THE_PROXY}},
        )
    try:
        serve.run(application, name=settings.ray.application, route_prefix="/")
    except RuntimeError as fault:
        _LOG.error("the replicas could not start: %s", fault)
        return False
    return True


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A connection to the cluster at ``address``, or to a new one of this machine. Raises BadConfiguration."""
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    given: dict[str, Any] = {"address": address}
    if address is None:
        given = {"address": OWN_CLUSTER, "include_dashboard": False, "object_store_memory": _OBJECTS_BYTES}
    for attempt in range(1, _STARTS + 1):
        try:
            ray.init(**given, log_to_driver=True, logging_level=logging.WARNING)
            break
        except Exception as fault:  # noqa: BLE001 - a cluster that does not start in time raises a plain Exception
            ray.shutdown()
            if attempt < _STARTS and address is None:
                _LOG.warning("the Ray cluster of this machine did not start and is started again: %s", fault)
                continue
            raise BadConfiguration(
                f"There is no Ray cluster at {address or 'this machine'}: {fault}.",
                remedy="Start one with ray start --head, or leave --address out for one of this machine.",
            ) from None
    try:
        yield
    finally:
        ray.shutdown()


async def _migrated(settings: Settings) -> None:
    """Migrate the database once, before several replicas open it."""
    async with opened_store(settings):
        pass
