"""POST /v1/calibrations, GET /v1/calibrations and /v1/calibrations/{id}."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, model_validator

from judge_server.core.calibration import Calibration
from judge_server.core.coordinates import Coordinate
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.server.calibration_runs import CalibrationOptions, CalibrationProgress, CalibrationRuns
from judge_server.server.service import ServiceHere, StrictRoute

router = APIRouter(prefix="/v1/calibrations", tags=["calibration"], route_class=StrictRoute)


async def _calibrations(request: Request) -> CalibrationRuns:
    found: CalibrationRuns = request.app.state.calibrations
    return found


CalibrationsHere = Annotated[CalibrationRuns, Depends(_calibrations)]


class CalibrationRequest(Frozen):
    """``labels``: digest, id or id@version of a stored label set. ``partial``: measure only the criteria that labels
    and rubric share. ``raw``: do not apply fitted maps. ``fit`` and ``gate``: fit maps to the result, or gate the judge
    on it. Reading the locked test split requires ``reader`` and ``reason``."""

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
            raise ValueError(f"maps cannot be fitted on the {self.split} split: leave out split, or fit")
        return self


class CalibrationList(Frozen):
    """``next_cursor`` is null on the last page."""

    calibrations: list[Calibration]
    next_cursor: str | None = None


@router.post("", status_code=202)
async def calibrate(
    body: CalibrationRequest, service: ServiceHere, calibrations: CalibrationsHere
) -> CalibrationProgress:
    """Measure a judge on labelled items in the background. Answers 202 at once; poll the calibration for progress."""
    rubric = await service.rubric_registry.get(body.rubric) if isinstance(body.rubric, str) else body.rubric
    judge = service.judge_registry.named(body.judge)
    flags = body.model_dump(include={"labels", "split", "reader", "reason", "partial", "raw", "fit", "gate"})
    return calibrations.begin(CalibrationOptions(rubric=rubric, judge=judge, **flags))


@router.get("")
async def listing(
    service: ServiceHere,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> CalibrationList:
    """Finished calibrations, newest first."""
    page = await service.store.calibrations.calibrations(limit=limit, cursor=cursor)
    return CalibrationList(calibrations=list(page.items), next_cursor=page.next_cursor)


@router.get("/{calibration_id}")
async def calibration(calibration_id: str, calibrations: CalibrationsHere) -> CalibrationProgress:
    """A calibration's progress or result."""
    return await calibrations.find(calibration_id)
