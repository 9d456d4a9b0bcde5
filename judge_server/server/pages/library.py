"""GET /rubrics, /rubrics/diff and /rubrics/{name}: the library, one rubric as a document, and what changed."""

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from judge_server.authoring.diff import compare
from judge_server.core.criterion import Binary, CheckCriterion, Choice, Criterion, Group
from judge_server.core.review import RubricReview
from judge_server.server.pages.rendering import page
from judge_server.server.service import ServiceHere

router = APIRouter(prefix="/rubrics", include_in_schema=False)
_KINDS: Final = {"binary": "yes or no", "scale": "one of ordered options", "nominal": "one of unordered options"}


@router.get("")
async def rubrics(request: Request, service: ServiceHere) -> Response:
    listed = await service.rubric_registry.listing()
    certified = service.calibration_state.certification.of_rubric
    return page(request, "rubrics.html", rubrics=[(one, certified(one.digest)) for one in listed])


@router.get("/diff")
async def diff(request: Request, service: ServiceHere, old: str, new: str) -> Response:
    """What changed between two versions, each named ``id@version``."""
    before, after = await service.rubric_registry.get(old), await service.rubric_registry.get(new)
    return page(request, "rubric_diff.html", difference=compare(before, after))


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
        rows=list(_rows(found.criteria, 0)),
    )


def _rows(criteria: tuple[Criterion, ...], level: int) -> list[dict[str, Any]]:
    """A row for each criterion and group, in order: how it is decided, in words."""
    rows: list[dict[str, Any]] = []
    for node in criteria:
        gate = None if isinstance(node, Group) or node.gate is None else node.gate
        rows.append(
            {
                "id": node.id,
                "level": level,
                "points": node.points,
                "statement": node.statement,
                "kind": _kind(node),
                "options": node.options if isinstance(node, Choice) else (),
                "items": (node.any_of or node.all_of or ()) if isinstance(node, Binary) else (),
                "all": isinstance(node, Binary) and bool(node.all_of),
                "gate": gate,
                "when": ", ".join(node.when),
                "examples": node.examples if isinstance(node, Binary) else (),
                "sources": () if isinstance(node, Group) else node.sources,
            }
        )
        if isinstance(node, Group):
            rows += _rows(node.criteria, level + 1)
    return rows


def _kind(node: Criterion) -> str:
    if isinstance(node, CheckCriterion):
        return f"checked by a program: {node.check.kind}"
    return _KINDS.get(node.kind, node.kind)
