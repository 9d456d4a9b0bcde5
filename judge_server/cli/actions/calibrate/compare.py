"""Implements ``calibrate compare``: compares two versions of a judge on the same items."""

from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console

from judge_server.agreement.judge import Measurement
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.comparison import JudgeComparison, Paired, direction
from judge_server.calibration.comparison import compare as compared
from judge_server.calibration.readings import present
from judge_server.cli.actions.calibrate import report as reporting
from judge_server.cli.actions.calibrate.labels import refuse
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.labels.label_set import LabelSet
from judge_server.report import compute as computing
from judge_server.report import tables


@dataclass(frozen=True)
class CompareOptions:
    """What the flags asked for."""

    old: Path
    new: Path
    old_judge: str | None
    new_judge: str | None
    criteria: tuple[str, ...] | None
    scales: tuple[str, ...]
    replicates: int
    seed: int


def compare(options: CompareOptions, *, as_json: bool) -> None:
    """Print the comparison."""
    try:
        old, new = side(options, options.old), side(options, options.new)
        judges = named(old, options.old_judge, "--old-judge"), named(new, options.new_judge, "--new-judge")
        how = Measurement(resampling=Resampling(replicates=options.replicates, seed=options.seed))
        found = compared(old, judges[0], new, judges[1], how)
    except JudgeServerError as fault:
        refuse(fault)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found)


def side(options: CompareOptions, path: Path) -> LabelSet:
    """The dev split of one file, or all of a file without splits."""
    labels, _ = reporting.chosen(reporting.ReportOptions(path, None, options.criteria, options.scales))
    return replace(computing.chosen(labels, computing.ReportContent(criteria=options.criteria)), id=path.name)


def named(labels: LabelSet, wished: str | None, flag: str) -> str:
    judges = present(labels, "judge")
    if wished is None and len(judges) == 1:
        return judges[0]
    if wished is None or wished not in judges:
        raise BadInput(
            f"{labels.id} has {'no judge ' + repr(wished) if wished else f'{len(judges)} judges'}.",
            remedy=f"Name one with {flag}: {', '.join(judges) or 'the file holds none'}.",
        )
    return wished


def show(found: JudgeComparison) -> None:
    console = Console(highlight=False)
    console.print(f"old: {reporting.brief(found.old)}\nnew: {reporting.brief(found.new)}\n")
    console.print(f"[bold]{reporting.brief(found.text)}[/]\n")
    pairs = dict(found.criteria)
    if found.overall is not None and len(pairs) > 1:
        pairs["all criteria"] = found.overall
    columns = ("criterion", "metric", "old", "new", "difference", "fixed", "broken", "p", "verdict")
    reporting.print_table(
        console, tables.Table(columns, tuple(row(name, each) for name, each in pairs.items()), numeric=2)
    )
    for version, only in (("old", found.only_old), ("new", found.only_new)):
        if only:
            console.print(f"only in the {version} one: {reporting.brief(', '.join(only))}")


def row(name: str, found: Paired) -> tuple[str, ...]:
    p = "–" if found.adjusted_p is None else f"{found.adjusted_p:.3f}"
    return (
        name,
        found.metric,
        *(tables.cell(side_.get(found.metric)) for side_ in (found.old, found.new, found.difference)),
        str(found.fixed),
        str(found.broken),
        p,
        direction(found),
    )
