"""GET /judgments with filters in the address, /judgments/{id}, and /groups: the responses to one prompt beside each
other."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from judge_server.core.errors import UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.server.pages.rendering import page
from judge_server.server.pages.shown_judgment import shown
from judge_server.server.problems import refused
from judge_server.server.routes.judgments import JudgmentQuery
from judge_server.server.service import ServiceHere, viewer

router = APIRouter(include_in_schema=False)
_PAGE = 50
_MOST_ROLLOUTS = 64


@router.get("/judgments")
async def judgments(request: Request, service: ServiceHere) -> Response:
    """The filters of GET /v1/judgments; an empty field is none."""
    asked = {name: value for name, value in request.query_params.items() if value.strip()}
    try:
        query = JudgmentQuery.model_validate({"limit": _PAGE} | asked)
    except ValidationError as fault:
        raise refused(fault.errors(include_url=False), asked) from None
    wanted = {name: value for name, value in query if name != "include"}
    found = await service.store.judgments(**wanted, caller=viewer(service))
    further = None if found.next_cursor is None else urlencode(asked | {"cursor": found.next_cursor})
    return page(
        request,
        "judgments.html",
        judgments=found.items,
        asked=asked,
        statuses=list(JudgmentStatus),
        further=further,
    )


@router.get("/judgments/{judgment_id}")
async def judgment(judgment_id: str, request: Request, service: ServiceHere) -> Response:
    found = await service.store.judgment(judgment_id, caller=viewer(service))
    if found is None:
        raise UnknownJudgment("No judgment is stored under this id.", remedy="Look for it among the judgments.")
    rubric = None if found.rubric is None else await service.store.rubric_by_digest(found.rubric.digest)
    one = shown(found, await service.store.submission(found.id), rubric)
    return page(request, "judgment.html", one=one)


@router.get("/groups")
async def group(
    request: Request,
    service: ServiceHere,
    group: Annotated[str, Query(max_length=400)],
    run: Annotated[str | None, Query(max_length=400)] = None,
    step: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> Response:
    """The responses of one group: a row for each criterion, a column for each response."""
    found = await service.store.judgments(limit=_MOST_ROLLOUTS, group=group, run=run, step=step, caller=viewer(service))
    rollouts = list(reversed(found.items))
    return page(request, "group.html", group=group, run=run, step=step, rollouts=rollouts, rows=_heat(rollouts))


def _heat(rollouts: Sequence[Judgment]) -> list[dict[str, Any]]:
    """For each criterion the value of every rollout, None without one, and its class of five for the colour."""
    names = dict.fromkeys(verdict.criterion for one in rollouts for verdict in one.verdicts if verdict.step is None)
    rows = []
    for name in names:
        cells = []
        points = 0.0
        for one in rollouts:
            verdict = next((each for each in one.verdicts if each.criterion == name), None)
            points = verdict.points if verdict is not None else points
            value = None if verdict is None else verdict.value
            cells.append((value, "none" if value is None else str(min(int(value * 5), 4))))
        rows.append({"criterion": name, "points": points, "cells": cells, "bad": points < 0})
    return rows
