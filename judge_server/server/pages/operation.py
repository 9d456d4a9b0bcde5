"""/jobs, /judges, /keys and /settings: what an operator sees and may end, make or revoke."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, SecretStr, ValidationError

from judge_server.core.api_key import ApiKey, new_key
from judge_server.core.caller import SCOPES, Scope
from judge_server.core.errors import BadInput, NotFound
from judge_server.core.job import JobStatus
from judge_server.judging.single import SingleJudge
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.routes.jobs import JobId, WorkerHere, cancel, job
from judge_server.server.routes.judges import judges
from judge_server.server.service import ServiceHere, viewer
from judge_server.settings.settings import Settings
from judge_server.store.location import Location
from judge_server.util.redaction import redacted
from judge_server.wiring.service import Service

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class JudgePace:
    """Of the newest judgments of a judge: ``median_seconds`` and ``slow_seconds`` (95 of 100 take no longer) of each,
    ``dollars`` and ``calls`` of all, and how many are ``without`` a reward."""

    judgments: int
    median_seconds: float
    slow_seconds: float
    dollars: float
    calls: int
    without: int


_PAGE: Final = 50
_LATEST: Final = 100
_LISTED: Final = 20
_MAY: Final[dict[Scope, str]] = {
    "score": "have responses judged: training, jobs, Try a response",
    "author": "write and publish rubrics, measure judges",
    "label": "label, and read what is to label whoever sent it",
    "read_all": "read everybody's judgments, jobs and runs; give it beside another",
    "metrics": "read the metrics",
    "admin": "all of these, and keys and settings",
}


@router.get("/jobs")
async def shown_jobs(request: Request, service: ServiceHere) -> Response:
    """The newest jobs; ``status`` and ``cursor`` as on GET /v1/jobs."""
    status = request.query_params.get("status", "")
    if status and status not in list(JobStatus):
        raise BadInput(f"{status[:40]!r} is no status of a job.", remedy=f"Use {', '.join(JobStatus)}.")
    found = await service.store.jobs.jobs(
        status=JobStatus(status) if status else None,
        limit=_PAGE,
        cursor=request.query_params.get("cursor") or None,
        caller=viewer(service),
    )
    return page(request, "jobs.html", jobs=found.items, further=found.next_cursor, asked=status, statuses=JobStatus)


@router.get("/jobs/{job_id}")
async def shown_job(job_id: JobId, request: Request, service: ServiceHere) -> Response:
    """One job with its progress; a script asks for the progress again until the job has ended."""
    found = await job(job_id, service)
    template = "job_progress.html" if "hx-request" in request.headers else "job.html"
    lacking = found.ended and found.failed + found.partial > 0
    without = await service.store.jobs.without_reward(job_id, _LISTED + 1) if lacking else ()
    shown = [(position + 1, one, stored) for position, one, stored in without[:_LISTED]]
    return page(request, template, job=found, without=shown, more=len(without) > _LISTED)


@router.post("/jobs/{job_id}/cancel")
async def cancelled(job_id: JobId, request: Request, service: ServiceHere, worker: WorkerHere) -> Response:
    await form_of(request)
    await cancel(job_id, service, worker)
    return sent_to(request, f"/jobs/{job_id}")


@router.get("/judges")
async def shown_judges(request: Request, service: ServiceHere) -> Response:
    """Health, load, latency, cost, identity, calibration and the last known-answer questions of every judge."""
    found = (await judges(request, service)).judges
    certified = service.calibration_state.certification.of_judge
    each = [(one, await _pace(service, one.name), certified(one.fingerprint)) for one in found]
    loads = [(model, _asking(service, model)) for model in service.models]
    return page(request, "judges.html", judges=each, loads=loads)


@router.get("/keys")
async def keys(request: Request, service: ServiceHere) -> Response:
    return await _keys(request, service)


@router.post("/keys")
async def made(request: Request, service: ServiceHere) -> Response:
    """Make a key. Its text stands on this answer and nowhere else."""
    fields = await form_of(request)
    new = new_key()
    try:
        key = ApiKey.model_validate(
            {
                "id": new.id,
                "name": fields.get("name", "").strip(),
                "sha256": new.sha256,
                "scopes": [scope for scope in SCOPES if fields.get(f"scope.{scope}") == "yes"],
            }
        )
    except ValidationError:
        fault = "A key has a name of letters, digits and . _ @ / -, and at least one scope."
        return await _keys(request, service, fault=fault, status=422)
    await service.store.api_keys.add(key, datetime.now(UTC))
    return await _keys(request, service, text=new.text)


@router.post("/keys/{key_id}/revoke")
async def revoked(key_id: str, request: Request, service: ServiceHere) -> Response:
    await form_of(request)
    if key_id not in {key.id for key in await service.store.api_keys.all()}:
        raise NotFound("There is no key with this id.", remedy="Reload the page of keys.")
    await service.store.api_keys.revoke(key_id, datetime.now(UTC))
    return sent_to(request, "/keys")


@router.get("/settings")
async def settings(request: Request, service: ServiceHere) -> Response:
    return page(request, "settings.html", rows=list(_rows(service.settings)))


def _asking(service: Service, model: ScheduledModel) -> list[str]:
    """The judges that ask this model themselves."""
    judges = service.judge_registry.judges.items()
    return [name for name, judge in judges if isinstance(judge, SingleJudge) and judge.model is model]


async def _pace(service: Service, judge: str) -> JudgePace | None:
    """None if nothing that it judged is stored."""
    newest = await service.store.judgments(limit=_LATEST, judge=judge, caller=viewer(service))
    if not newest.items:
        return None
    seconds = sorted(one.timing.total_seconds for one in newest.items)
    return JudgePace(
        judgments=len(seconds),
        median_seconds=median(seconds),
        slow_seconds=seconds[int(0.95 * (len(seconds) - 1))],
        dollars=sum(one.usage.dollars for one in newest.items),
        calls=sum(one.usage.calls for one in newest.items),
        without=sum(one.reward is None for one in newest.items),
    )


async def _keys(
    request: Request, service: ServiceHere, *, text: str = "", fault: str | None = None, status: int = 200
) -> Response:
    now = datetime.now(UTC)
    found = [(key, key.fault(now)) for key in await service.store.api_keys.all()]
    return page(
        request,
        "keys.html",
        status=status,
        keys=found,
        scopes=[(scope, _MAY[scope]) for scope in SCOPES],
        text=text,
        fault=fault,
    )


def _rows(settings: Settings) -> list[tuple[str, list[str], bool]]:
    """Each setting with the lines of its value, without secrets, and whether it differs from the default."""
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        lines = [redacted(line) for line in _lines(name, value)]
        rows.append((name, lines, value != field.get_default(call_default_factory=True)))
    return sorted(rows)


def _lines(name: str, value: Any) -> list[str]:
    """Of a mapping a line for each entry."""
    if isinstance(value, Mapping) and value:
        return [f"{key}: {_told('', one)}" for key, one in value.items()]
    return [_told(name, value)]


def _told(name: str, value: Any) -> str:
    if name == "database_url" and value:
        return str(Location.of(value))
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, BaseModel):
        value = {key: getattr(value, key) for key in value.model_dump(exclude_defaults=True)}
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told('', one)}" for key, one in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(str(one) for one in value) or "none"
    return "none" if value is None else str(value)
