"""One look at the stored judgments, and how it is shown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.core.monitor import MonitorFinding
from judge_server.monitoring.survey import survey
from judge_server.settings.settings import Settings
from judge_server.wiring.archive import open_standing_archive

_STYLES = {"alarm": "bold red", "ok": "green", "not_enough_evidence": "dim"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which judgments are looked at; None leaves the choice to the settings, or takes all."""

    rubric: str | None
    judge: str | None
    policy: str | None
    until: datetime | None
    hours: float | None
    window: int | None


async def look(settings: Settings, wanted: Wanted) -> tuple[MonitorFinding, ...]:
    given: dict[str, Any] = {"window": wanted.window} if wanted.window else {}
    if wanted.hours:
        given["horizon_seconds"] = wanted.hours * 3_600
    limits = settings.monitor.model_copy(update=given)
    until = wanted.until.replace(tzinfo=wanted.until.tzinfo or UTC) if wanted.until else None
    async with open_standing_archive(settings) as (store, _):
        return await survey(
            store.monitor, limits, rubric=wanted.rubric, judge=wanted.judge, policy=wanted.policy, until=until
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
