"""Background work: jobs, canaries, the watch over models, monitors, audits."""

import logging
from collections.abc import Iterator
from functools import partial

from judge_server.core.errors import ModelUnavailable
from judge_server.judging.answer import Judge
from judge_server.models.watched_model import Replacement, WatchedModel
from judge_server.monitoring.watch import Listener, Watch
from judge_server.monitoring.webhook import Webhook
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.scoring.erasing import forget_verdicts
from judge_server.wiring.service import Service
from judge_server.workers.auditor import Auditor, AuditPace
from judge_server.workers.canaries import Canaries
from judge_server.workers.health import Health, HealthLimits, Streak
from judge_server.workers.indexer import Indexer
from judge_server.workers.job_run import JobLimits
from judge_server.workers.job_worker import JobWorker
from judge_server.workers.model_watch import ModelWatch
from judge_server.workers.pruner import Pruner

_LOG = logging.getLogger(__name__)


def job_worker(service: Service) -> JobWorker:
    """Runs durable jobs from the store; start it, and close it before the service."""
    settings = service.settings
    limits = JobLimits(
        items_at_once=settings.job_items_at_once,
        lease_seconds=settings.job_lease_seconds,
        attempts=settings.job_attempts,
        retention_seconds=settings.job_retention_seconds,
    )
    return JobWorker(service.store.jobs, service.scorer, limits, service.judge_away)


def canaries_of(service: Service) -> Canaries:
    """Asks the judges questions with known answers; start it, and close it before the service."""
    canaries = Canaries(service.judge_registry.judges, service.settings.canary, service.settings.canary_seconds)
    for model in service.models:
        model.arrived.append(canaries.again)
    return canaries


def model_watch(service: Service) -> ModelWatch:
    """Notices another model behind an address; start it, and close it before the service."""
    settings = service.settings
    return ModelWatch(
        service.watched,
        service.store.alarms,
        partial(_doubt, service),
        settings.recognition_seconds,
        tell=settings.alarm_webhook_url is not None,
        forget_seconds=settings.monitor.horizon_seconds,
    )


async def _doubt(service: Service, model: WatchedModel, there: Replacement) -> None:
    """Say in the runs which judgments either model may have made, and remember none of their verdicts."""
    judges = [name for name, one in service.judge_registry.judges.items() if model.key in one.reference.model]
    runs = await service.store.runs.doubt(judges, there.before, there.since, f"{model.name} was replaced: {there.why}")
    cache = service.cached_judge.cache
    dropped = await forget_verdicts(service.store, judges, there.before, there.since, cache)
    _LOG.warning(
        "%d remembered verdicts of %s are dropped; judgments in doubt are in %s",
        dropped,
        model.name,
        ", ".join(map(repr, runs)) or "no run",
    )


def health_of(service: Service, streak: Streak) -> Health:
    """Looks at what the server needs for its work; start it, and close it before the service."""
    settings = service.settings
    limits = HealthLimits(settings.health_seconds, int(settings.least_free_mebibytes * 2**20))
    judge = service.judge_registry.appoint(None)

    def away() -> ModelUnavailable | None:
        models = _models_of(judge) if judge else ()
        return next((one.away for one in models if isinstance(one, ScheduledModel) and one.away), None)

    return Health(service.store, judge, streak, limits, service.asleep, away)


def _models_of(judge: Judge) -> Iterator[object]:
    """Its own model, and those of all judges that it asks."""
    yield getattr(judge, "model", None)
    for member in getattr(judge, "members", ()):
        yield from _models_of(member)


def monitor_watch(service: Service, listener: Listener | None = None) -> Watch:
    """Watches stored judgments and raises alarms; start it, and close it before the service."""
    settings = service.settings
    webhook = None
    if settings.alarm_webhook_url is not None:
        key = settings.alarm_webhook_secret
        secret = None if key is None else key.get_secret_value()
        webhook = Webhook(settings.alarm_webhook_url, secret)
    return Watch(service.store, settings.monitor, settings.monitor_seconds, webhook, listener)


def pruner_of(service: Service) -> Pruner:
    """Removes judgments and remembered verdicts that are too old; start it, and close it before the service."""
    settings = service.settings
    return Pruner(service.store, settings.retention_days, settings.verdict_retention_days)


def indexer_of(service: Service) -> Indexer:
    """Indexes the texts of judgments for the search; start it, and close it before the service."""
    return Indexer(service.store)


def audit_worker(service: Service) -> Auditor:
    """Audits a random sample of judgments; start it, and close it before the service."""
    settings = service.settings
    pace = AuditPace(at_once=settings.audit_at_once, horizon_seconds=settings.monitor.horizon_seconds)
    auditor = Auditor(
        service.store, service.measuring_scorer(), settings.audit_judge, settings.audit_share, service.busy, pace
    )
    if settings.audit_judge is not None:
        judge = service.judge_registry.judges[settings.audit_judge].specification
        auditor.conditions.append(lambda audited: service.shown_again.require_by_senders(judge, (audited,)))
    return auditor
