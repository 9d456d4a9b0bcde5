"""GET and POST /v1/rubrics…"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from judge_server.authoring.diff import RubricDifference, compare
from judge_server.authoring.finding import RubricFinding
from judge_server.authoring.rubric_registry import RegistryEntry
from judge_server.core.model import Frozen
from judge_server.core.review import RubricReview
from judge_server.core.rubric import Rubric, RubricReference
from judge_server.server.service import ServiceHere, StrictRoute
from judge_server.server.validated_rubric import publishable, unblocking, validated

router = APIRouter(prefix="/v1/rubrics", tags=["rubrics"], route_class=StrictRoute)
_RUBRIC_BODY = {
    "requestBody": {
        "required": True,
        "description": "A rubric as YAML or JSON text.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}


class RubricList(Frozen):
    rubrics: list[RegistryEntry]


class RubricDocument(Frozen):
    """A rubric with its digest, as judgments refer to it. ``review``: what is recorded about this version."""

    reference: RubricReference
    versions: tuple[str, ...]
    review: RubricReview
    rubric: Rubric


class Validation(Frozen):
    """``valid``: the rubric can be used. ``findings``: errors and advice with line and column."""

    valid: bool
    findings: list[RubricFinding]
    reference: RubricReference | None = None


class Published(Frozen):
    """``new`` is false if the same content was published before."""

    reference: RubricReference
    new: bool
    findings: list[RubricFinding]


@router.get("")
async def rubrics(service: ServiceHere) -> RubricList:
    """Every rubric with its versions."""
    return RubricList(rubrics=await service.rubric_registry.listing())


@router.post("", openapi_extra=_RUBRIC_BODY, status_code=201, response_model=Published)
async def publish(request: Request, service: ServiceHere) -> Response:
    """Publish a rubric version permanently. 201; 200 if it was published with this content, 409 if with other."""
    parsed, findings = await unblocking(publishable, await request.body())
    new = await service.rubric_registry.publish(parsed.rubric)
    answer = Published(reference=parsed.rubric.reference, new=new, findings=findings)
    return Response(answer.model_dump_json(), status_code=201 if new else 200, media_type="application/json")


@router.post("/validate", openapi_extra={"requestBody": {**_RUBRIC_BODY["requestBody"], "required": False}})
async def validate(request: Request) -> Validation:
    """Check a rubric without storing it: errors and advice."""
    parsed, findings = await unblocking(validated, await request.body())
    reference = None if parsed is None else parsed.rubric.reference
    return Validation(valid=parsed is not None, findings=findings, reference=reference)


@router.get("/{rubric_id:path}/diff")
async def diff(
    rubric_id: str,
    service: ServiceHere,
    since: Annotated[str, Query(alias="from", max_length=80)],
    to: Annotated[str | None, Query(max_length=80)] = None,
) -> RubricDifference:
    """What changed between two versions, criterion by criterion; ``to`` defaults to the newest."""
    old = await service.rubric_registry.get(f"{rubric_id}@{since}")
    new = await service.rubric_registry.get(f"{rubric_id}@{to}" if to else rubric_id)
    return compare(old, new)


@router.get("/{name:path}")
async def rubric(name: str, service: ServiceHere) -> RubricDocument:
    """One rubric: ``id`` (the newest) or ``id@version``."""
    found = await service.rubric_registry.get(name)
    versions = await service.rubric_registry.versions(found.id)
    review = service.rubric_registry.review_of(found) or RubricReview()
    return RubricDocument(reference=found.reference, versions=versions, review=review, rubric=found)
