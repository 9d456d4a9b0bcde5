"""POST /v1/jobs, GET /v1/jobs, /v1/jobs/{id}, its events and results, and DELETE: durable batches."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, ValidationError

from judge_server.core.caller import PriorityClass, current_caller
from judge_server.core.coordinates import Coordinate
from judge_server.core.errors import BadInput, TooLarge, UnknownJob
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.core.model import Frozen
from judge_server.scoring.batch import describe
from judge_server.server.job_events import JobEvents
from judge_server.server.job_intake import Intake, JobSize, lines, listed
from judge_server.server.middleware.request_stream import sends_lines
from judge_server.server.routes.scoring import BatchRequest, Seconds
from judge_server.server.service import ServiceHere, StrictRoute, parsed, viewer
from judge_server.wiring.service import Service
from judge_server.workers.job_worker import JobWorker

PATH = "/v1/jobs"
router = APIRouter(prefix=PATH, tags=["jobs"], route_class=StrictRoute)
_PAGE = 200

JobId = Annotated[str, Path(pattern=r"^job_[0-9a-f]{24}$", description="As returned by POST /v1/jobs.")]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="Repeating a key returns the same job."),
]


class LineOptions(Frozen):
    """Options of a batch besides its items, as query parameters for a body of JSON Lines."""

    rubric: str | None = Field(default=None, max_length=400)
    judge: Coordinate | None = None
    deadline_seconds: Seconds | None = None
    priority: PriorityClass | None = None


class JobPage(Frozen):
    """Newest first; ``next_cursor`` asks for the page after this one."""

    jobs: list[Job]
    next_cursor: str | None = None


class JobQuery(Frozen):
    status: JobStatus | None = None
    limit: int = Field(default=100, ge=1, le=1_000)
    cursor: str | None = Field(default=None, max_length=400)


async def _worker(request: Request) -> JobWorker:
    worker: JobWorker = request.app.state.jobs
    return worker


WorkerHere = Annotated[JobWorker, Depends(_worker)]

_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/BatchRequest"}},
            "application/jsonl": {"schema": {"type": "string", "description": "One submission a line."}},
        },
    }
}


@router.post("", status_code=202, response_model=Job, openapi_extra=_BODIES)
async def begin(
    request: Request,
    service: ServiceHere,
    worker: WorkerHere,
    options: Annotated[LineOptions, Query()],
    key: Key = None,
) -> Response:
    """Accept a batch as a durable job: JSON (`items`, and the fields of a batch) or JSON Lines (the fields in the
    query).

    Answers 202 when every item is stored: from then on no item is lost if the server stops. With an Idempotency-Key,
    repeating the request returns the same job.
    """
    service.scorer.admission.require_open()
    if sends_lines(request.scope):
        limits = _limits(service, service.settings.max_job_bytes)
        terms, items = await _terms(service, options), lines(request.stream(), limits)
    else:
        limits = _limits(service, service.settings.max_body_bytes)
        asked = await _request(request, service.settings.max_body_bytes)
        terms, items = await _terms(service, asked), listed(asked.items)
    job, new = await Intake(service.store.jobs, limits, terms, key).take(items)
    if new:
        worker.wake()
    headers = {"Location": f"{service.settings.root_path}{PATH}/{job.id}"}
    return Response(job.model_dump_json(), status_code=202, media_type="application/json", headers=headers)


@router.get("")
async def jobs(service: ServiceHere, query: Annotated[JobQuery, Query()]) -> JobPage:
    """Jobs, newest first: the key's own, or all (scope `read_all`)."""
    page = await service.store.jobs.jobs(**dict(query), caller=viewer(service))
    return JobPage(jobs=list(page.items), next_cursor=page.next_cursor)


@router.get("/{job_id}")
async def job(job_id: JobId, service: ServiceHere) -> Job:
    """A job's state and progress."""
    return await _found(service, job_id)


@router.get("/{job_id}/events", response_class=StreamingResponse)
async def events(request: Request, job_id: JobId, service: ServiceHere) -> StreamingResponse:
    """Progress as server-sent events: `progress` whenever the counts change, `end` when the job has ended. A caller may
    have 64 streams open."""
    followed: JobEvents = request.app.state.job_events
    followed.require_room()
    found = await _found(service, job_id)
    return StreamingResponse(
        followed.follow(found), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.get("/{job_id}/results", response_class=StreamingResponse)
async def results(
    job_id: JobId,
    service: ServiceHere,
    after: Annotated[int, Query(ge=-1, lt=2**63, description="Begin after this index.")] = -1,
) -> StreamingResponse:
    """The judgments so far, as JSON Lines in the order of the items; each has its `index`, which begins at 0."""
    found = await _found(service, job_id)
    headers = {"X-Job-Status": found.status.value}
    return StreamingResponse(_results(service, job_id, after), media_type="application/jsonl", headers=headers)


@router.delete("/{job_id}")
async def cancel(job_id: JobId, service: ServiceHere, worker: WorkerHere) -> Job:
    """End a job: finished items keep their results, the rest is not judged. An ended job does not change."""
    await _found(service, job_id)
    seconds = service.settings.job_retention_seconds
    cancelled = await service.store.jobs.cancel(job_id, retention_seconds=seconds)
    worker.cancel(job_id)
    return cancelled or await _found(service, job_id)


async def _found(service: Service, job_id: str) -> Job:
    found = await service.store.jobs.find(job_id)
    if found is None or viewer(service) not in (None, found.terms.caller):
        raise UnknownJob(
            "There is no job with this id.",
            remedy="List them with GET /v1/jobs; an ended job is deleted after job_retention_seconds.",
        )
    return found


def _limits(service: Service, total_bytes: int) -> JobSize:
    most = service.settings.max_job_items
    own = current_caller.get().allowance.submissions_per_request
    return JobSize(most if own is None else min(most, own), total_bytes, service.settings.max_body_bytes)


async def _request(request: Request, max_bytes: int) -> BatchRequest:
    body = await request.body()
    if len(body) > max_bytes:
        raise TooLarge(f"The body is larger than {max_bytes} bytes.", remedy="Send it as application/jsonl.")
    try:
        return BatchRequest.model_validate(await parsed(body))
    except ValidationError as fault:
        raise BadInput(f"{describe(fault)}.", remedy="Correct these fields.") from None
    except ValueError as fault:
        raise BadInput(f"The body cannot be read: {fault}.", remedy="Send JSON, or application/jsonl.") from None


async def _terms(service: Service, options: BatchRequest | LineOptions) -> JobTerms:
    """The options, with a rubric's name pinned to the version of this moment. Raises UnknownRubric, UnknownJudge."""
    rubric: dict[str, Any] | str | None = None
    if isinstance(options.rubric, str):
        rubric = (await service.rubric_registry.get(options.rubric)).name
    elif options.rubric is not None:
        rubric = options.rubric.model_dump(mode="json", exclude_unset=True)
    service.judge_registry.appoint(options.judge)
    caller = current_caller.get()
    return JobTerms(
        rubric=rubric,
        judge=options.judge,
        priority=caller.allowance.priority(options.priority, "batch"),
        deadline_seconds=options.deadline_seconds,
        caller=caller.name,
        judges=caller.allowance.judges,
    )


async def _results(service: Service, job_id: str, after: int) -> AsyncIterator[str]:
    while page := await service.store.jobs.results(job_id, after=after, limit=_PAGE):
        for position, judgment in page:
            if judgment is None:
                continue  # it was deleted from the database
            yield json.dumps({"index": position} | judgment.model_dump(mode="json"), separators=(",", ":")) + "\n"
        after = page[-1][0]
