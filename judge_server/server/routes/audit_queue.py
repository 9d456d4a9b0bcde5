"""/v1/monitor/audit-queue…: judgments sampled for people to label, and their labels."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from judge_server.calibration.audit_queue import GivenLabel, LabellingTask, fill, take, tasks
from judge_server.calibration.queue_estimate import Agreement, estimate
from judge_server.core.audit_queue import SetName, Sizes
from judge_server.core.model import Frozen
from judge_server.core.monitor import Series
from judge_server.labels.label import Name
from judge_server.server.service import ServiceHere, StrictRoute, require_items
from judge_server.store.label_records import Added

router = APIRouter(prefix="/v1/monitor/audit-queue", tags=["monitor"], route_class=StrictRoute)
Text = Annotated[str | None, Field(max_length=400)]


class DrawRequest(Frozen):
    """``judge``: whose judgments; the default judge's if none is given. ``rubric`` and ``policy`` select further."""

    label_set: SetName
    rubric: Text = None
    judge: Text = None
    policy: Text = None
    sizes: Sizes = Sizes()


class DrawResult(Frozen):
    """How many were drawn from each stratum, and of how many."""

    label_set: str
    drawn: dict[str, int]
    population: dict[str, int]


class TaskQuery(Frozen):
    """``annotator``: items that this person has not labelled; without it, items that nobody has."""

    label_set: SetName
    annotator: Name | None = None
    limit: int = Field(default=20, ge=1, le=200)


class TaskList(Frozen):
    items: list[LabellingTask]


class GivenLabels(Frozen):
    """``replace``: labels that the annotator gave before may change."""

    label_set: SetName
    annotator: Name
    labels: tuple[GivenLabel, ...]
    replace: bool = False


class EstimateList(Frozen):
    agreements: list[Agreement]


@router.post("", status_code=201)
async def draw_items(body: DrawRequest, service: ServiceHere) -> DrawResult:
    """Sample judgments of the last day for people to label, more of those in doubt, each with its weight."""
    judge = service.judge_registry.named(body.judge)
    series = Series(rubric=body.rubric, judge=judge.reference.name, policy=body.policy)
    horizon = service.settings.monitor.horizon_seconds
    items = await fill(service.store, body.label_set, series, body.sizes, horizon)
    return DrawResult(
        label_set=body.label_set,
        drawn={item.stratum: item.sampled for item in items},
        population={item.stratum: item.population for item in items},
    )


@router.get("")
async def open_items(service: ServiceHere, query: Annotated[TaskQuery, Query()]) -> TaskList:
    """Items still to be labelled: conversation, response and criteria, without the judge's verdicts."""
    return TaskList(items=list(await tasks(service.store, query.label_set, query.annotator, query.limit)))


@router.post("/labels", status_code=201)
async def take_labels(body: GivenLabels, service: ServiceHere) -> Added:
    """Add labels of sampled items to the label set, all or none, with the judge's verdicts beside them."""
    require_items(len(body.labels), service.settings.max_batch_items, "labels")
    return await take(service.store, body.label_set, body.annotator, body.labels, replace=body.replace)


@router.get("/estimate")
async def agreement(service: ServiceHere, label_set: Annotated[SetName, Query()]) -> EstimateList:
    """Agreement of people with the judges over all judgments, estimated from the weighted labels so far."""
    return EstimateList(agreements=list(await estimate(service.store, label_set)))
