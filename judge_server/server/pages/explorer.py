"""GET /judgments with filters in the address, /judgments/{id}, and /groups: the responses to one prompt beside each
other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from judge_server.core.errors import UnknownJudgment, UnknownRubric
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.verdict import Verdict
from judge_server.server.pages.label_session import own_name
from judge_server.server.pages.label_showing import browsed
from judge_server.server.pages.rendering import page
from judge_server.server.pages.shown_judgment import decider, origin, shown, why_missing
from judge_server.server.pages.shown_text import shown_texts
from judge_server.server.problems import refused
from judge_server.server.routes.judgments import JudgmentQuery
from judge_server.server.service import ServiceHere, viewer
from judge_server.wiring.service import Service

router = APIRouter(include_in_schema=False)
_PAGE = 50
_MOST_ROLLOUTS = 64
_DECIDED: Final = {"panel": "p", "cascade": "c", "program": "r", "guard": "g"}
_FIELDS: Final = (
    *(("rubric", "Rubric"), ("judge", "Judge"), ("run", "Run"), ("step", "Step"), ("group", "Group")),
    *(("policy", "Policy"), ("flag", "Flag"), ("reward_from", "Reward from"), ("reward_below", "Reward below")),
    *(("tag", "Tag"), ("q", "Text")),
)


@router.get("/judgments")
async def judgments(request: Request, service: ServiceHere) -> Response:
    """The filters of GET /v1/judgments; an empty field is none. A filter that cannot be is told above the form, which
    keeps what was written."""
    asked = {name: value for name, value in request.query_params.items() if value.strip()}
    try:
        query = JudgmentQuery.model_validate({"limit": _PAGE} | asked)
    except ValidationError as fault:
        wrong = refused(fault.errors(include_url=False), asked)
        return _explorer(request, asked, fault=str(wrong), status=wrong.status)
    found = await service.store.judgments(
        limit=query.limit, cursor=query.cursor, **query.wanted, caller=viewer(service)
    )
    further = None if found.next_cursor is None else urlencode(asked | {"cursor": found.next_cursor})
    return _explorer(request, asked, judgments=found.items, further=further)


def _explorer(
    request: Request,
    asked: Mapping[str, str],
    *,
    judgments: Sequence[Judgment] = (),
    further: str | None = None,
    fault: str | None = None,
    status: int = 200,
) -> Response:
    """``asked``: the filters as they were written; ``further``: the address of earlier judgments."""
    return page(
        request,
        "judgments.html",
        status=status,
        judgments=judgments,
        asked=asked,
        filtered=not asked.keys() <= {"cursor", "limit"},
        fields=_FIELDS,
        statuses=list(JudgmentStatus),
        further=further,
        fault=fault,
    )


@router.get("/judgments/{judgment_id}")
async def judgment(judgment_id: str, request: Request, service: ServiceHere) -> Response:
    found = await service.store.judgment(judgment_id, caller=viewer(service))
    if found is None:
        raise UnknownJudgment("No judgment is stored under this id.", remedy="Look for it among the judgments.")
    await browsed(service, [found])
    rubric = None if found.rubric is None else await service.store.rubric_by_digest(found.rubric.digest)
    submission = await service.store.submission(found.id)
    texts = () if submission is None else await asyncio.to_thread(lambda: tuple(shown_texts(submission)))
    return page(
        request,
        "judgment.html",
        one=shown(found, submission, rubric),
        texts=texts,
        labelled_as=await _labelled_as(service, found),
        annotator=own_name(),
    )


async def _labelled_as(service: Service, found: Judgment) -> str | None:
    """The rubric under which a person can label the response; None if the library does not have it."""
    if found.rubric is None:
        return None
    try:
        return (await service.rubric_registry.get(f"{found.rubric.id}@{found.rubric.version}")).name
    except UnknownRubric:
        return None


@router.get("/groups")
async def group(
    request: Request,
    service: ServiceHere,
    group: Annotated[str, Query(max_length=400)],
    run: Annotated[str | None, Query(max_length=400)] = None,
    step: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
) -> Response:
    """The responses of one group: a row for each criterion, a column for each response."""
    found = await service.store.judgments(
        limit=_MOST_ROLLOUTS, group=group, run=run or None, step=step, caller=viewer(service)
    )
    rollouts = list(reversed(found.items))
    await browsed(service, rollouts)
    return page(request, "group.html", group=group, run=run, step=step, rollouts=rollouts, rows=_heat(rollouts))


@dataclass(frozen=True)
class HeatCell:
    """``value``: None without a verdict; ``shade``: its class of five for the colour; ``mark``: letters if no single
    judge was asked now, ``kp`` for a panel's verdict that was known before; ``told``: who decided, or why nobody."""

    value: float | None
    shade: str
    mark: str
    told: str


def _heat(rollouts: Sequence[Judgment]) -> list[dict[str, Any]]:
    """For each criterion a cell of every rollout; of verdicts on steps the first."""
    by_name = [{one.criterion: one for one in reversed(rollout.verdicts)} for rollout in rollouts]
    points = {name: one.points for verdicts in by_name for name, one in verdicts.items()}
    names = dict.fromkeys(one.criterion for rollout in rollouts for one in rollout.verdicts)
    return [
        {
            "criterion": name,
            "points": points[name],
            "cells": [_cell(verdicts.get(name)) for verdicts in by_name],
            "bad": points[name] < 0,
        }
        for name in names
    ]


def _cell(verdict: Verdict | None) -> HeatCell:
    if verdict is None:
        return HeatCell(None, "none", "", "not among its criteria")
    if verdict.value is None:
        return HeatCell(None, "none", "", why_missing(verdict))
    marks = ("k" if verdict.cached else "") + _DECIDED.get(decider(verdict), "")
    return HeatCell(verdict.value, str(min(int(verdict.value * 5), 4)), marks, origin(verdict))
