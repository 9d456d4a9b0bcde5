"""DELETE /v1/judgments/{id}, DELETE /v1/judgments?tag=, POST and GET /v1/erasures."""

from typing import Annotated

from fastapi import APIRouter, Query

from judge_server.core.caller import current_caller
from judge_server.core.coordinates import Tag
from judge_server.core.erasure import Erasure, ErasureWish
from judge_server.core.errors import UnknownJudgment
from judge_server.core.model import Frozen
from judge_server.scoring.erasing import erase
from judge_server.server.service import ServiceHere, StrictRoute

router = APIRouter(prefix="/v1", tags=["erasure"], route_class=StrictRoute)


class ErasureList(Frozen):
    """Newest first."""

    erasures: list[Erasure]


@router.delete("/judgments/{judgment_id}")
async def erase_judgment(
    judgment_id: str,
    service: ServiceHere,
    reason: Annotated[str, Query(min_length=1, max_length=2_000, pattern=r"\S")] = "erased by id",
) -> Erasure:
    """Erase one judgment with its texts. The act is recorded without them."""
    if await service.store.judgment(judgment_id) is None:
        raise UnknownJudgment("No judgment is stored under this id.", remedy="List them with GET /v1/judgments.")
    return await _erased(service, ErasureWish(judgment=judgment_id, reason=reason))


@router.delete("/judgments")
async def erase_tagged(
    service: ServiceHere,
    tag: Annotated[Tag, Query()],
    reason: Annotated[str, Query(min_length=1, max_length=2_000, pattern=r"\S")] = "erased by tag",
) -> Erasure:
    """Erase every judgment whose submission has the tag. The act is recorded without texts."""
    return await _erased(service, ErasureWish(tag=tag, reason=reason))


@router.post("/erasures")
async def erase_matching(body: ErasureWish, service: ServiceHere) -> Erasure:
    """Erase every judgment that matches all given fields."""
    return await _erased(service, body)


@router.get("/erasures")
async def erasures(service: ServiceHere, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> ErasureList:
    """Recorded acts."""
    return ErasureList(erasures=list(await service.store.erasures.acts(limit)))


async def _erased(service: ServiceHere, wish: ErasureWish) -> Erasure:
    return await erase(service.store, wish, current_caller.get().name, service.cached_judge.cache)
