"""GET /rubrics, /rubrics/diff and /rubrics/{name}: the library, one rubric as a document, and what changed."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from judge_server.core.review import RubricReview
from judge_server.server.pages.rendering import page
from judge_server.server.pages.shown_changes import shown_difference
from judge_server.server.pages.shown_rubric import reward_in_words, rubric_rows
from judge_server.server.service import ServiceHere

router = APIRouter(prefix="/rubrics", include_in_schema=False)


@router.get("")
async def rubrics(request: Request, service: ServiceHere) -> Response:
    listed = await service.rubric_registry.listing()
    certified = service.calibration_state.certification.of_rubric
    return page(request, "rubrics.html", rubrics=[(one, certified(one.digest)) for one in listed])


@router.get("/diff")
async def diff(request: Request, service: ServiceHere, old: str, new: str) -> Response:
    """What changed between two versions, each named ``id@version``."""
    before, after = await service.rubric_registry.get(old), await service.rubric_registry.get(new)
    return page(request, "rubric_diff.html", shown=await asyncio.to_thread(shown_difference, before, after))


@router.get("/{name:path}")
async def rubric(name: str, request: Request, service: ServiceHere) -> Response:
    found = await service.rubric_registry.get(name)
    return page(
        request,
        "rubric.html",
        rubric=found,
        certificates=service.calibration_state.certification.of_rubric(found.digest),
        written=await service.store.drafts.became(found.name),
        versions=await service.rubric_registry.versions(found.id),
        review=(service.rubric_registry.review_of(found) or RubricReview()).told(datetime.now(UTC).date()),
        rows=rubric_rows(found.criteria),
        reward=reward_in_words(found),
    )
