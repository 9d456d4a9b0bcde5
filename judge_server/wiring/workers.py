"""What works beside the requests: jobs, canaries, monitors, audits."""

from judge_server.monitoring.watch import Listener, Watch
from judge_server.monitoring.webhook import Webhook
from judge_server.wiring.service import Service
from judge_server.workers.auditor import Auditor, Pace
from judge_server.workers.canaries import Canaries
from judge_server.workers.job_limits import Bounds as JobBounds
from judge_server.workers.job_worker import Worker


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
    return Canaries(service.judge_registry.judges, service.settings.canary, service.settings.canary_seconds)


def monitor_watch(service: Service, listener: Listener | None = None) -> Watch:
    """What looks at stored judgments and raises alarms; start it, and close it before the service."""
    settings = service.settings
    webhook = None
    if settings.alarm_webhook_url is not None:
        key = settings.alarm_webhook_secret
        secret = None if key is None else key.get_secret_value()
        webhook = Webhook(settings.alarm_webhook_url, secret)
    return Watch(service.store, settings.monitor, settings.monitor_seconds, webhook, listener)


def audit_worker(service: Service) -> Auditor:
    """What judges a random sample once more; start it, and close it before the service."""
    settings = service.settings
    pace = Pace(at_once=settings.audit_at_once, horizon_seconds=settings.monitor.horizon_seconds)
    return Auditor(
        service.store, service.measuring_scorer(), settings.audit_judge, settings.audit_share, service.busy, pace
    )
