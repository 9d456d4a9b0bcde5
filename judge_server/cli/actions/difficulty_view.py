"""What ``data difficulty`` found, for people and for programs."""

import json
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from judge_server.difficulty.band import Band, Place
from judge_server.difficulty.selection import Bar, Selection

if TYPE_CHECKING:
    from judge_server.cli.actions.difficulty import Order, Reading

WIDTH = 40
_REASONS = {
    Place.KEPT: "kept",
    Place.TOO_HARD: "too hard",
    Place.TOO_EASY: "too easy",
    Place.ZERO_VARIANCE: "all rewards equal",
    Place.UNCERTAIN: "interval not inside the band",
    Place.TOO_FEW: "not enough evidence",
    Place.NOT_DRAWN: "inside the band, not drawn",
}


def show(order: "Order", band: Band, reading: "Reading", selection: Selection) -> None:
    """On standard output, or on standard error where the rows go to standard output."""
    to_error = order.output == "-"
    report = summary(order, band, reading, selection)
    if order.as_json:
        typer.echo(json.dumps(report), err=to_error)
    else:
        _print(Console(stderr=to_error, highlight=False), order, band, report, selection)


def summary(order: "Order", band: Band, reading: "Reading", selection: Selection) -> dict[str, Any]:
    from judge_server.cli.actions.difficulty import counts_by_label

    report: dict[str, Any] = {
        "prompts": len(reading.prompts),
        "rollouts": reading.rollouts,
        "failed_rollouts": reading.failed,
        "rollouts_without_prompt": reading.without_row,
        "repeated_prompt_rows": reading.repeated_rows,
        "bad_lines": reading.bad_lines,
        "first_fault": reading.first_fault or None,
        "counts": {place.value: count for place, count in selection.counts().items()},
        "histogram": [
            {"start": bar.start, "end": bar.end, "prompts": bar.prompts, "kept": bar.kept} for bar in selection.bars
        ],
        "band": dict(order.band),
        "target": order.target,
        "seed": order.seed,
    }
    if order.group_by:
        report["groups"] = {label: dict(counts) for label, counts in counts_by_label(reading, selection).items()}
    return report


def _print(console: Console, order: "Order", band: Band, report: dict[str, Any], selection: Selection) -> None:
    counts = report["counts"]
    console.print(_histogram(selection.bars, "mean reward" if band.mean else "pass rate"))
    table = Table("prompts", "", box=None, show_header=False)
    for place, reason in _REASONS.items():
        if counts[place.value] or place is Place.KEPT:
            table.add_row(f"{counts[place.value]}", reason)
    console.print(table)
    if order.group_by:
        console.print(_groups(order.group_by, report["groups"]))
    console.print(
        f"{report['prompts']} prompts, {report['rollouts']} rollouts, {report['failed_rollouts']} of them without a "
        f"reward; {counts['kept']} prompts kept" + (f" in {order.output}" if order.output else ""),
        markup=False,
        soft_wrap=True,
    )
    for line in _notes(order, report):
        console.print(line, markup=False, soft_wrap=True)


def _notes(order: "Order", report: dict[str, Any]) -> list[str]:
    notes = []
    if order.target is not None and report["counts"]["kept"] < order.target:
        notes.append(f"note: only {report['counts']['kept']} of the {order.target} prompts asked for are in the band")
    if report["rollouts_without_prompt"]:
        notes.append(f"note: {report['rollouts_without_prompt']} rollouts are about no row of {order.prompts}")
    if report["repeated_prompt_rows"]:
        notes.append(
            f"note: {report['repeated_prompt_rows']} rows of {order.prompts} repeat a prompt and were left out"
        )
    if report["bad_lines"]:
        notes.append(f"note: {report['bad_lines']} lines could not be read; the first: {report['first_fault']}")
    return notes


def _histogram(bars: tuple[Bar, ...], what: str) -> Table:
    table = Table(what, "", "prompts", "kept", box=None)
    for column in (2, 3):
        table.columns[column].justify = "right"
    most = max((bar.prompts for bar in bars), default=0) or 1
    for bar in bars:
        full, kept = round(WIDTH * bar.prompts / most), round(WIDTH * bar.kept / most)
        drawn = f"[green]{'█' * kept}[/][dim]{'░' * (full - kept)}[/]"
        table.add_row(f"{bar.start:.2f} – {bar.end:.2f}", drawn, str(bar.prompts), str(bar.kept))
    return table


def _groups(field: str, groups: dict[str, dict[str, int]]) -> Table:
    shown = [place for place in Place if any(counts.get(place.value) for counts in groups.values())]
    table = Table(field, *(_REASONS[place] for place in shown), "prompts", box=None)
    for label, counts in sorted(groups.items(), key=lambda pair: -sum(pair[1].values())):
        figures = [str(counts.get(place.value, 0)) for place in shown]
        table.add_row(Text(_printable(label)), *figures, str(sum(counts.values())))
    return table


def _printable(text: str) -> str:
    """What a terminal would take as a command, and what no terminal can show, as an escape."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
