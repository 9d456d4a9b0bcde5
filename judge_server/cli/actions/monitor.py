"""``judge-server monitor``: one survey of the stored judgments, and the queue of judgments for people to label."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import typer
from pydantic import ValidationError
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.calibration.audit_queue import GivenLabel, LabellingTask, fill, take, tasks
from judge_server.calibration.queue_estimate import Agreement, estimate
from judge_server.core.audit_queue import QueueItem, Sizes
from judge_server.core.errors import BadInput
from judge_server.core.monitor import MonitorFinding, Series
from judge_server.monitoring.survey import survey
from judge_server.settings.settings import Settings
from judge_server.store.label_records import Added
from judge_server.util.parsing import parse_json
from judge_server.util.wording import many
from judge_server.wiring.storage import standing_store

_STYLES = {"alarm": "bold red", "ok": "green", "not_enough_evidence": "dim"}


@dataclass(frozen=True, slots=True)
class MonitorOptions:
    """Selects judgments; None means the settings' value, or all."""

    rubric: str | None
    judge: str | None
    policy: str | None
    until: datetime | None
    hours: float | None
    window: int | None


async def look(settings: Settings, options: MonitorOptions) -> tuple[MonitorFinding, ...]:
    given: dict[str, Any] = {"window": options.window} if options.window else {}
    if options.hours:
        given["horizon_seconds"] = options.hours * 3_600
    limits = settings.monitor.model_copy(update=given)
    until = options.until.replace(tzinfo=options.until.tzinfo or UTC) if options.until else None
    async with standing_store(settings, migrate=False) as store:
        return await survey(
            store.monitor,
            store.reasks,
            limits,
            rubric=options.rubric,
            judge=options.judge,
            policy=options.policy,
            until=until,
        )


def show(findings: Sequence[MonitorFinding], as_json: bool, everything: bool) -> None:
    if as_json:
        for one in findings:
            typer.echo(one.model_dump_json())
        return
    if not findings:
        typer.echo("Too few judgments to look at: see --hours, and the least of [monitor] in the settings.")
        return
    shown = [one for one in findings if everything or one.state == "alarm"]
    if shown:
        Console().print(_table(shown))
    counts = Counter(one.state for one in findings)
    series = len({one.series for one in findings})
    typer.echo(
        f"{counts['alarm']} alarms, {counts['ok']} ok, {counts['not_enough_evidence']} without enough evidence, "
        f"in {series} series"
    )


def _table(findings: Sequence[MonitorFinding]) -> Table:
    table = Table(box=SIMPLE)
    for column in ("series", "monitor", "value", "before", "n"):
        table.add_column(column, overflow="fold")
    table.add_column("what it says", min_width=30)
    for one in findings:
        name = one.monitor if one.subject is None or one.monitor == "vocabulary" else f"{one.monitor}\n{one.subject}"
        value = "" if one.value is None else f"{_number(one.value)}\n[{_number(one.low)}, {_number(one.high)}]"
        table.add_row(
            *map(escape, (one.series.name, name, value, _number(one.baseline), str(one.n), one.text)),
            style=_STYLES[one.state],
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


_REMEDY = "Fill in the labels of a file that judge-server monitor queue export wrote."


async def drawn(
    settings: Settings,
    label_set: str,
    chosen: tuple[str | None, str | None, str | None],
    sizes: Sizes,
    horizon_seconds: float,
) -> Sequence[QueueItem]:
    rubric, judge, policy = chosen
    series = Series(rubric=rubric, judge=judge or settings.chosen_judge, policy=policy)
    async with standing_store(settings) as store:
        return await fill(store, label_set, series, sizes, horizon_seconds)


async def export(settings: Settings, label_set: str, annotator: str | None, limit: int, file: Path) -> int:
    async with standing_store(settings, migrate=False) as store:
        found = await tasks(store, label_set, annotator, limit)
    with _written(file) as stream:
        for task in found:
            stream.write(json.dumps(_line(task), ensure_ascii=False) + "\n")
    return len(found)


async def imported(settings: Settings, label_set: str, annotator: str, file: Path, *, replace: bool) -> Added:
    with _read(file) as stream:
        given = [label for number, line in enumerate(stream, 1) if line.strip() for label in _labels(line, number)]
    if not given:
        raise BadInput(f"{file} has no labels.", remedy=_REMEDY)
    async with standing_store(settings) as store:
        return await take(store, label_set, annotator, given, replace=replace)


async def estimated(settings: Settings, label_set: str) -> Sequence[Agreement]:
    async with standing_store(settings, migrate=False) as store:
        return await estimate(store, label_set)


def show_drawn(items: Sequence[QueueItem], as_json: bool) -> None:
    strata = {item.stratum: (item.sampled, item.population) for item in items}
    if as_json:
        typer.echo(json.dumps({name: {"drawn": own, "population": whole} for name, (own, whole) in strata.items()}))
        return
    for name, (own, whole) in strata.items():
        typer.echo(f"{name}: {own} of {whole}")
    typer.echo(f"{many(len(items), 'judgment')} drawn")


def show_added(added: Added, as_json: bool) -> None:
    said = f"{added.new} new, {added.changed} changed, {added.unchanged} unchanged, what the judge said included"
    typer.echo(added.model_dump_json() if as_json else said)


def show_estimates(found: Sequence[Agreement], as_json: bool) -> None:
    if as_json:
        for one in found:
            typer.echo(one.model_dump_json())
        return
    table = Table("judge", "agreement over all", "95 %", "drawn items alone", "labels", "items")
    for one in found:
        interval = "" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
        table.add_row(one.judge, f"{one.value:.3f}", interval, f"{one.unweighted:.3f}", str(one.n), str(one.items))
    Console().print(table)


def _line(task: LabellingTask) -> dict[str, Any]:
    return task.model_dump(mode="json", exclude_none=True) | {"labels": {one.id: None for one in task.criteria}}


def _labels(line: str, number: int) -> Iterator[GivenLabel]:
    try:
        row = parse_json(line)
        labels, rationales = row["labels"], row.get("rationales", {})
        for criterion, label in labels.items():
            if label is not None:
                given = {"criterion": criterion, "label": label, "rationale": rationales.get(criterion)}
                yield GivenLabel(judgment=row["judgment"], **given)
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as fault:
        raise BadInput(f"line {number} is no labelled item ({type(fault).__name__}).", remedy=_REMEDY) from None


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        stream = file.open("w", encoding="utf-8")
    except OSError as fault:
        raise BadInput(f"{file}: {fault.strerror}.", remedy="Name a file that can be written.") from None
    with stream:
        yield stream


@contextmanager
def _read(file: Path) -> Iterator[TextIO]:
    if str(file) == "-":
        yield sys.stdin
        return
    try:
        stream = file.open(encoding="utf-8")
    except OSError as fault:
        raise BadInput(f"{file}: {fault.strerror}.", remedy="Name a file that can be read.") from None
    with stream:
        yield stream
