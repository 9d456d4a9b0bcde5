"""POST /v1/labels and GET /v1/label-sets…: human labels."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from judge_server.core.audit_queue import SetName
from judge_server.core.errors import NotFound
from judge_server.core.model import Frozen, Number
from judge_server.labels.archive import collect, described, find
from judge_server.labels.label import Name, Role
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import read_test
from judge_server.labels.writing import long_rows
from judge_server.server.service import ServiceHere, StrictRoute, require_items
from judge_server.store.label_records import Added, CollectedLabel, LockedReading

router = APIRouter(prefix="/v1", tags=["labels"], route_class=StrictRoute)
_LARGEST_PAGE = 10_000


class PostedLabel(Frozen):
    """One label, with the texts of its item if available. ``label`` null: the annotator abstained.
    ``saw_judge``: the annotator had seen what a judge said about the item, so that no measure counts the label."""

    item: Name
    criterion: Name
    annotator: Name
    role: Role = "human"
    label: str | bool | int | float | None
    probability: Number | None = Field(default=None, ge=0, le=1)
    cluster: Name | None = None
    rationale: str | None = None
    saw_judge: bool = False
    prompt: str | None = None
    response: str | None = None
    reference: str | None = None
    writer: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()


class PostedLabels(Frozen):
    """Labels for ``label_set``, which is created if it does not exist. ``replace``: labels given before may change."""

    label_set: SetName
    labels: tuple[PostedLabel, ...]
    replace: bool = False


class Collected(Frozen):
    """What the request changed, and what the set now holds."""

    label_set: str
    added: Added
    counts: dict[str, int]


class SetSummary(Frozen):
    """``digest`` and ``version`` are None for a set that is still being collected."""

    id: str
    version: str | None = None
    digest: str | None = None
    created_at: datetime
    collected: bool = False
    description: dict[str, Any]


class SetList(Frozen):
    label_sets: list[SetSummary]


class SetDocument(Frozen):
    """One page of a set's labels in the long format. ``readings``: who has read its locked test split."""

    id: str
    version: str
    digest: str
    description: dict[str, Any]
    readings: list[LockedReading]
    total: int
    labels: list[dict[str, Any]]


@router.post("/labels", status_code=201)
async def post_labels(posted: PostedLabels, service: ServiceHere) -> Collected:
    """Add labels to a set, all or none. 422 names every label that contradicts the others."""
    require_items(len(posted.labels), service.settings.max_batch_items, "labels")
    given = [_collected(label) for label in posted.labels]
    added, made = await collect(posted.label_set, given, service.store.labels, replace=posted.replace)
    return Collected(label_set=posted.label_set, added=added, counts=made.counts.model_dump())


@router.get("/label-sets")
async def label_sets(service: ServiceHere) -> SetList:
    """Imported versions, newest first, and sets that are being collected."""
    records = service.store.labels
    kept = [SetSummary(**stored.model_dump()) for stored in await records.sets()]
    growing = [
        SetSummary(id=one.id, created_at=one.newest_at, collected=True, description={"counts": {"labels": one.labels}})
        for one in await records.collections()
    ]
    return SetList(label_sets=kept + growing)


@router.get("/label-sets/{name:path}")
async def label_set(
    name: str,
    service: ServiceHere,
    split: Annotated[Literal["dev", "test"], Query(description="test is locked: say who reads it and why")] = "dev",
    reader: Annotated[str, Query(max_length=200)] = "",
    reason: Annotated[str, Query(max_length=2_000)] = "",
    offset: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=0, le=_LARGEST_PAGE)] = 1_000,
) -> SetDocument:
    """A set by id, ``id@version`` or digest, with a page of its labels. Reading the test split is recorded."""
    records = service.store.labels
    whole = await find(name, records)
    if whole is None:
        raise NotFound(f"No label set has the name {name!r}.", remedy="GET /v1/label-sets lists them.")
    if split == "test":
        shown = await read_test(whole, records, reader=reader, reason=reason)
    else:
        shown = whole.split("dev")
    return SetDocument(
        id=whole.id,
        version=whole.version,
        digest=whole.digest,
        description=described(whole),
        readings=list(await records.readings(whole.digest)),
        total=len(shown.table),
        labels=await asyncio.to_thread(_page, shown, offset, limit),
    )


def _page(shown: LabelSet, offset: int, limit: int) -> list[dict[str, Any]]:
    return list(long_rows(shown, offset, limit))


def _collected(label: PostedLabel) -> CollectedLabel:
    content = label.model_dump(mode="json", exclude_defaults=True) | {"role": label.role}
    return CollectedLabel(item=label.item, criterion=label.criterion, annotator=label.annotator, content=content)
