"""Calibrations that run in the background: one request starts a run, others poll it, the server's end cancels it."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from judge_server.core.calibration import Calibration, Certificate
from judge_server.core.errors import BadInput, JudgeServerError, NotFound, Overloaded
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Judge
from judge_server.server.calibration_results import certified, keep_result, loaded
from judge_server.util.deadline import wait_ends_at
from judge_server.wiring.service import Service

_LOG = logging.getLogger(__name__)
_MOST_WAITING = 16
_MOST_REMEMBERED = 200
_AT_ONCE = 32


@dataclass(frozen=True)
class CalibrationOptions:
    """What a request asked for. ``labels``: the name of a label set, which the run looks up."""

    labels: str
    rubric: Rubric
    judge: Judge
    split: Literal["dev", "test", "all"] = "dev"
    reader: str = ""
    reason: str = ""
    partial: bool = False
    raw: bool = False
    fit: bool = False
    gate: bool = False


class CalibrationProgress(Frozen):
    """How far a calibration is. ``mapping``: how each criterion's labels are read, known as soon as it has begun.
    ``fits``: by criterion; ``maps``: the id of the maps that scoring uses from now on."""

    id: str
    status: Literal["running", "done", "failed"]
    created_at: datetime
    done: int = 0
    items: int | None = None
    mapping: tuple[str, ...] = ()
    calibration: Calibration | None = None
    fits: tuple[dict[str, Any], ...] = ()
    maps: str | None = None
    certificate: Certificate | None = None
    error: Failure | None = None


@dataclass
class CalibrationRun:
    """A calibration that runs, or has ended."""

    progress: CalibrationProgress
    task: "asyncio.Task[None] | None" = None

    def note(self, **changes: Any) -> None:
        self.progress = self.progress.model_copy(update=changes)

    def advance(self) -> None:
        self.note(done=self.progress.done + 1)


@dataclass
class CalibrationRuns:
    """Runs one calibration at a time; up to 16 may wait."""

    service: Service
    _known: "OrderedDict[str, CalibrationRun]" = field(default_factory=OrderedDict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, options: CalibrationOptions) -> CalibrationProgress:
        """Start a run. Raises Overloaded if too many are waiting."""
        waiting = sum(one.progress.status == "running" for one in self._known.values())
        if waiting >= _MOST_WAITING:
            raise Overloaded(
                f"{waiting} calibrations are under way.", remedy="Wait until one is done.", retry_after_seconds=30
            )
        made = CalibrationRun(
            CalibrationProgress(id=f"cal_{secrets.token_hex(8)}", status="running", created_at=datetime.now(UTC))
        )
        self._known[made.progress.id] = made
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        made.task = asyncio.create_task(self._carry_out(made, options), name=made.progress.id)
        return made.progress

    def under_way(self) -> tuple[CalibrationProgress, ...]:
        """Runs that wait, run or have failed, newest first."""
        found = [one.progress for one in self._known.values() if one.progress.status != "done"]
        return tuple(reversed(found))

    async def find(self, calibration_id: str) -> CalibrationProgress:
        """Raises NotFound."""
        if calibration_id in self._known:
            return self._known[calibration_id].progress
        record = await self.service.store.calibrations.calibration(calibration_id)
        if record is None:
            raise NotFound(
                f"No calibration has the id {calibration_id!r}.",
                remedy="A run that was under way when the server stopped is lost: start it again; verdicts are cached.",
            )
        return CalibrationProgress(
            id=record.id,
            status="done",
            created_at=record.created_at,
            done=record.items,
            items=record.items,
            mapping=record.mapping,
            calibration=record,
        )

    async def close(self) -> None:
        """Cancel the runs under way."""
        tasks = [one.task for one in self._known.values() if one.task is not None and not one.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, made: CalibrationRun, options: CalibrationOptions) -> None:
        wait_ends_at.set(None)  # the request that began it is answered
        try:
            async with self._turn:
                await _calibrate(self.service, options, made)
        except JudgeServerError as fault:
            made.note(status="failed", error=Failure(type=fault.type, detail=str(fault)))
        except Exception as fault:  # noqa: BLE001 - reported to the caller who polls the run
            _LOG.exception("the calibration %s failed", made.progress.id)
            detail = f"The server failed with {type(fault).__name__}; the log has the details."
            made.note(status="failed", error=Failure(type=JudgeServerError.type, detail=detail))


async def _calibrate(service: Service, options: CalibrationOptions, made: CalibrationRun) -> None:
    await loaded("judge_server.calibration.run", "judge_server.calibration.fit")
    from judge_server.calibration.run import CalibrationTask, run
    from judge_server.labels.archive import find
    from judge_server.labels.splits import part_of

    labels = await find(options.labels, service.store.labels)
    if labels is None:
        raise NotFound(f"labels: there is no label set {options.labels!r}.", remedy="GET /v1/label-sets lists them.")
    await service.shown_again.require_labelled(labels, options.judge.specification, rubric=options.rubric)
    task = CalibrationTask.of(
        labels,
        await part_of(labels, options.split, service.store.labels, reader=options.reader, reason=options.reason),
        split=options.split,
        rubric=options.rubric,
        judge=options.judge,
        maps=None if options.raw else service.calibration_state.maps,
        partial=options.partial,
    )
    made.note(items=task.labels.counts.items, mapping=task.mapping)
    scorer = service.measuring_scorer(raw=options.raw)
    result = await run(scorer, task, advance=made.advance, concurrency=_AT_ONCE)
    record = result.calibration.model_copy(update={"id": made.progress.id, "created_at": made.progress.created_at})
    await service.store.calibrations.put_calibration(record)
    await keep_result(service.store, record, result.labels, options.rubric)
    if options.gate:
        made.note(certificate=await certified(service, record, result.labels, options.rubric))
    if options.fit:
        made.note(**await _fitted(service, result.labels, record, options))
    await service.calibration_state.refresh(service.store.calibrations)
    made.note(status="done", calibration=record)


async def _fitted(service: Service, labels: Any, record: Calibration, options: CalibrationOptions) -> dict[str, Any]:
    from judge_server.calibration.fit import fit, map_set

    if record.judge.calibration is not None:
        raise BadInput("fit: fitted maps were applied in this run already.", remedy='Send "raw": true beside it.')
    if options.split != "dev":
        raise BadInput(f"fit: the {options.split} split is not fitted on.", remedy="Leave split out.")
    name, rubric = record.judge.name, options.rubric
    fits = await asyncio.to_thread(fit, labels, name, rubric, partial=options.partial)
    maps = map_set(fits, judge=name, fingerprint=record.judge.fingerprint, rubric=rubric, labels=labels)
    if maps is not None:
        await service.store.calibrations.put_maps(maps)
    return {"fits": tuple(one.model_dump(mode="json") for one in fits), "maps": maps.id if maps else None}
