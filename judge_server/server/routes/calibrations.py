"""POST /v1/calibrations, GET /v1/calibrations and /v1/calibrations/{id}."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, model_validator

from judge_server.core.calibration import Calibration
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Coordinate
from judge_server.server.calibrating import Calibrations, Progress, Wish
from judge_server.server.service import ServiceHere
from judge_server.server.strict_json import StrictRoute

router = APIRouter(prefix="/v1/calibrations", tags=["calibration"], route_class=StrictRoute)


def _calibrations(request: Request) -> Calibrations:
    found: Calibrations = request.app.state.calibrations
    return found


CalibrationsHere = Annotated[Calibrations, Depends(_calibrations)]


class CalibrationRequest(Frozen):
    """``labels``: digest, id or id@version of a label set of the database. ``partial``: measure the criteria that
    labels and rubric both have. ``raw``: leave fitted maps out. ``fit`` and ``gate``: do that with what was measured.
    Reading the locked test split needs ``reader`` and ``reason``."""

    labels: str = Field(min_length=1, max_length=400)
    rubric: Rubric | str
    judge: Coordinate | None = None
    split: Literal["dev", "test", "all"] = "dev"
    reader: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=2_000)
    partial: bool = False
    raw: bool = False
    fit: bool = False
    gate: bool = False

    @model_validator(mode="after")
    def _fits_on_dev_only(self) -> "CalibrationRequest":
        if self.fit and self.split != "dev":
            raise ValueError(f"the {self.split} split is never fitted on: leave split out, or fit")
        return self


class CalibrationList(Frozen):
    """``next_cursor`` is null on the last page."""

    calibrations: list[Calibration]
    next_cursor: str | None = None


@router.post("", status_code=202)
async def calibrate(body: CalibrationRequest, service: ServiceHere, calibrations: CalibrationsHere) -> Progress:
    """Measure a judge on labelled items, beside the scoring: 202 at once; the calibration's own address tells how far
    it is."""
    rubric = await service.rubric_registry.get(body.rubric) if isinstance(body.rubric, str) else body.rubric
    judge = service.judge_registry.named(body.judge)
    flags = body.model_dump(include={"labels", "split", "reader", "reason", "partial", "raw", "fit", "gate"})
    return calibrations.begin(Wish(rubric=rubric, judge=judge, **flags))


@router.get("")
async def listing(
    service: ServiceHere,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> CalibrationList:
    """Calibrations that are done, newest first."""
    page = await service.store.calibrations.calibrations(limit=limit, cursor=cursor)
    return CalibrationList(calibrations=list(page.items), next_cursor=page.next_cursor)


@router.get("/{calibration_id}")
async def calibration(calibration_id: str, calibrations: CalibrationsHere) -> Progress:
    """How far a calibration is, or what came out."""
    return await calibrations.find(calibration_id)
