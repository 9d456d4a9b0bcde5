"""Implements ``calibrate run``."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from judge_server.calibration.journal import Journal
from judge_server.calibration.run import CalibrationTask, RunResult, labelled_items, run
from judge_server.cli.actions import estimate as estimating
from judge_server.cli.calibrate import sources
from judge_server.cli.running import announce
from judge_server.core.errors import BadInput
from judge_server.core.verdict import VerdictStatus
from judge_server.exam.report import last_exam
from judge_server.judging.answer import Judge
from judge_server.labels.writing import write_labels
from judge_server.server.calibration_results import keep_result
from judge_server.settings.settings import Settings
from judge_server.wiring.service import Service, open_service


@dataclass(frozen=True)
class RunOptions:
    """The flags of the command."""

    labels: str
    part: sources.SplitChoice
    rubric: str
    judge: str | None
    out: Path | None
    partial: bool
    positives: tuple[str, ...]
    raw: bool
    concurrency: int
    as_json: bool


async def measure(settings: Settings, options: RunOptions) -> bool:
    """False if there is no verdict at all."""
    async with open_service(settings) as service:
        judge = service.judge_registry.named(options.judge)
        task = await _task(service, options, judge)
        out = options.out or Path(f"{_file_name(task.labels.id)}.{judge.reference.name}.csv")
        if out.suffix not in (".csv", ".jsonl"):
            raise BadInput(f"--out {out}: labels are written as .csv or .jsonl.", remedy="Name the file so.")
        announce([judge])
        for line in task.mapping:
            typer.echo(line, err=True)
        result = await _run(service, task, out, options)
        write_labels(result.labels, out)
        Journal(out, task.heading).finish()
        await service.store.calibrations.put_calibration(result.calibration)
        await keep_result(service.store, result.calibration, result.labels, task.rubric)
        exams = await service.store.exams.listed(judge=judge.reference.name, limit=1)
    _tell(result, out, as_json=options.as_json)
    if not options.as_json:
        typer.echo(f"{judge.reference.name}: {last_exam(exams.items, judge.reference)}")
    return VerdictStatus.OK.value in result.calibration.statuses


async def estimate(settings: Settings, options: RunOptions) -> None:
    """Count what measuring would ask, and measure the judge on one item."""
    unpriced = estimating.Unpriced()
    async with estimating.estimating_service(settings, unpriced) as service:
        task = await _task(service, options, service.judge_registry.named(options.judge))
        for line in task.mapping:
            typer.echo(line, err=True)
        found, first = await estimating.count(service, _submissions(task), unpriced)
    await estimating.time_of(settings, found, first, options.concurrency)
    estimating.show(found, as_json=options.as_json)


async def _submissions(task: CalibrationTask) -> AsyncIterator[estimating.Item]:
    for item in labelled_items(task):
        yield task.submission(item), {}


async def _task(service: Service, options: RunOptions, judge: Judge) -> CalibrationTask:
    stored = await sources.label_set(options.labels, service.store)
    await service.shown_again.require_labelled(stored, judge.specification)
    rubric = await sources.rubric(options.rubric, service.rubric_registry)
    return CalibrationTask.of(
        stored,
        await options.part.of(stored, service.store),
        split=options.part.name,
        rubric=rubric,
        judge=judge,
        maps=None if options.raw else service.calibration_state.maps,
        partial=options.partial,
        positives=sources.positives(options.positives),
    )


async def _run(service: Service, task: CalibrationTask, out: Path, options: RunOptions) -> RunResult:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    scorer = service.measuring_scorer(raw=options.raw)
    with (
        Journal(out, task.heading) as journal,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("judging", total=len(task.labels.table.items.names))
        progress.update(bar, total=task.labels.counts.items)
        return await run(
            scorer, task, journal=journal, advance=lambda: progress.advance(bar), concurrency=options.concurrency
        )


def _file_name(label_set_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", label_set_id) or "labels"


def _tell(result: RunResult, out: Path, *, as_json: bool) -> None:
    record = result.calibration
    if as_json:
        typer.echo(record.model_dump_json())
        return
    counted = ", ".join(f"{count} {status}" for status, count in sorted(record.statuses.items())) or "none"
    causes = ", ".join(f"{count} x {kind}" for kind, count in sorted(record.failures.items()))
    resumed = f" ({result.resumed} known from before)" if result.resumed else ""
    typer.echo(f"{record.items} items{resumed}, verdicts: {counted}" + (f" (no label: {causes})" if causes else ""))
    typer.echo(f"{record.id}: {record.judge.name} under {record.rubric.id}@{record.rubric.version}")
    if record.judge.calibration:
        typer.echo(f"fitted maps applied: {record.judge.calibration}")
    if "reward" in record.summary:
        typer.echo(str(record.summary["reward"]["text"]))
    typer.echo(f"labels: {out}")
    typer.echo(f"next: judge-server calibrate report {out}")
