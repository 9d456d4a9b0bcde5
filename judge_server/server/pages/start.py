"""GET /: what is configured, what runs, the last judgments; GET and POST /signin, POST /signout, GET /static/{name}."""

import asyncio
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import Unauthorized
from judge_server.core.job import JobStatus
from judge_server.exam.report import summary
from judge_server.judging.answer import shown_reference
from judge_server.server.middleware.authentication import KeyRing
from judge_server.server.middleware.session import COOKIE, LASTS_SECONDS, is_page
from judge_server.server.pages.rendering import form_of, page, sent_to, sessions, static_file
from judge_server.server.routes.calibrations import CalibrationsHere
from judge_server.server.routes.improvements import ImprovementsHere
from judge_server.server.service import ServiceHere, shown_alarms, viewer
from judge_server.store.payload import microseconds
from judge_server.store.run_step_records import RunNow
from judge_server.wiring.service import Service

router = APIRouter(include_in_schema=False)
_LAST = 10
_NOW_MINUTES = 10
_UNDER_WAY = ("queued", "running")


@router.get("/")
async def start(
    request: Request, service: ServiceHere, calibrations: CalibrationsHere, improvements: ImprovementsHere
) -> Response:
    judges = list(service.judge_registry.judges.items())
    healthy = await asyncio.gather(*(judge.healthy() for _, judge in judges))
    last = await service.store.judgments(limit=_LAST, caller=viewer(service))
    running = await service.store.jobs.jobs(status=JobStatus.RUNNING, limit=_LAST, caller=viewer(service))
    exams = {name: await service.store.exams.listed(judge=name, limit=1) for name, _ in judges}
    return page(
        request,
        "start.html",
        judges=[(name, shown_reference(judge), up) for (name, judge), up in zip(judges, healthy, strict=True)],
        exams={name: (found.items[0], summary(found.items[0])) for name, found in exams.items() if found.items},
        default=service.judge_registry.default,
        judgments=last.items,
        alarms=(await shown_alarms(service, raised=True))[:_LAST],
        measuring=[one for one in calibrations.under_way() if one.status == "running"],
        improving=[one for one in (await improvements.listed(_LAST, None)).improvements if one.status in _UNDER_WAY],
        sets=await _label_sets(service),
        jobs=running.items,
        trainings=await _trainings(service),
        rubrics=len(await service.rubric_registry.ids()),
    )


async def _label_sets(service: Service) -> int:
    records = service.store.labels
    return len({one.id for one in await records.sets()} | {one.id for one in await records.collections()})


async def _trainings(service: Service) -> list[RunNow]:
    """Runs of which a step was judged in the last minutes."""
    caller = viewer(service)
    found = await service.store.run_steps.newest(await service.store.runs.names(_LAST, caller), caller)
    since = microseconds(datetime.now(UTC) - timedelta(minutes=_NOW_MINUTES))
    return [now for now in found.values() if now.last_us >= since]


@router.get("/signin")
async def sign_in(request: Request) -> Response:
    return page(request, "signin.html", fault=None, following=_own_page(request.query_params.get("next", "")))


@router.post("/signin")
async def signed_in(request: Request) -> Response:
    """Begin a session for the key in the form."""
    fields = await form_of(request)
    keys: KeyRing = request.app.state.keys
    try:
        key = await keys.find(fields.get("key", "").strip())
    except Unauthorized as fault:
        return page(request, "signin.html", status=401, fault=str(fault), following=_own_page(fields.get("next", "")))
    answer = sent_to(request, _own_page(fields.get("next", "")))
    secure = request.url.scheme == "https"
    answer.set_cookie(
        COOKIE, sessions(request).begun(key.id), max_age=LASTS_SECONDS, httponly=True, samesite="strict", secure=secure
    )
    return answer


def _own_page(address: str) -> str:
    """Where to go after signing in: a page of ours, never another host."""
    path = address.partition("?")[0]
    plain = address.isascii() and address.isprintable() and "\\" not in address and not path.startswith("//")
    return address if plain and is_page(path) and path not in ("/signin", "/signout") else "/"


@router.post("/signout")
async def signed_out(request: Request) -> Response:
    await form_of(request)
    answer = sent_to(request, "/signin")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@router.get("/static/{name}")
async def static(name: str) -> Response:
    found = static_file(name)
    if found is None:
        return Response(status_code=404)
    return Response(found[0], media_type=found[1], headers={"Cache-Control": "public, max-age=3600"})
